// Whatever an evaluation may run: the attacks of attackTable.ts, the certificates of certificateTable.ts and the detectors of
// detectorTable.ts under one name.
import type { EvaluationEntry } from './attackEntry.ts';
import { leadingKeys, trailingKeys, type AttackKeys } from './attackKey.ts';
import { attackNames, attackTable, type AttackName } from './attackTable.ts';
import { detectorNames, detectorTable, type DetectorName } from './detectorTable.ts';
import { certificateNames, certificateTable, type CertificateName } from './certificateTable.ts';

export type EvaluationName = AttackName | CertificateName | DetectorName;

/** An attack tells what the network withstood at most, a certificate what it withstands at least, a detector what it notices. */
export type EvaluationKind = 'attack' | 'certificate' | 'detector';

export const evaluationNames: readonly EvaluationName[] = [...attackNames, ...certificateNames, ...detectorNames];

export function evaluationKind(name: EvaluationName): EvaluationKind {
  return isAttack(name) ? 'attack' : isCertificate(name) ? 'certificate' : 'detector';
}

export function evaluationEntry(name: EvaluationName): EvaluationEntry {
  return isAttack(name) ? attackTable[name] : isCertificate(name) ? certificateTable[name] : detectorTable[name];
}

/** All settings, in the order in which they are read. */
export function evaluationKeys(name: EvaluationName): AttackKeys {
  if (!isAttack(name)) return evaluationEntry(name).keys;
  const { keys }: { keys: AttackKeys } = attackTable[name];
  const own = Object.entries(keys).filter(([key]) => !(key in trailingKeys));
  return {
    ...leadingKeys,
    ...Object.fromEntries(own),
    ...trailingKeys,
    ...('protocol' in keys && { protocol: keys['protocol'] }),
  };
}

function isAttack(name: EvaluationName): name is AttackName {
  return name in attackTable;
}

function isCertificate(name: EvaluationName): name is CertificateName {
  return name in certificateTable;
}
