// What tables of attacks, certificates, detectors and methods say, a line for each setting and for each entry.
import type { EvaluationEntry, Values } from '../../server/protocol/attackEntry.ts';
import type { AttackKey, AttackKeys } from '../../server/protocol/attackKey.ts';

/** `steps 50 in [1, 1000], whole` */
function keyLine(name: string, key: AttackKey): string {
  const before = 'before' in key ? `, before ${JSON.stringify(key.before)}` : '';
  switch (key.kind) {
    case 'number': {
      const byDefault = typeof key.byDefault === 'object' ? key.byDefault.computed : String(key.byDefault);
      const [open, close] = [key.isMinExcluded ? '(' : '[', key.isMaxExcluded ? ')' : ']'];
      const marks = [key.isInteger && ', whole', key.isPixelLength && ', pixels'].filter(Boolean).join('');
      return `${name} ${byDefault} in ${open}${String(key.min)}, ${String(key.max)}${close}${marks}${before}`;
    }
    case 'choice':
      return `${name} ${key.byDefault} of ${Object.keys(key.choices).join('|')}${before}`;
    case 'list':
      return `${name} up to ${String(key.maxLength)} of (${keyLine('each', key.item)})${before}`;
    case 'place':
      return `${name} a place${before}`;
  }
}

export const linesOf = (keys: AttackKeys) => Object.entries(keys).map(([name, key]) => keyLine(name, key));

/** `PGD-50-10: usual, 10 × restart of 50 × step` */
export function entryLine({ title, strength, runs, isNearest, members }: EvaluationEntry, values: Values): string {
  const { count, called, axis, length } = runs(values);
  const parts = members?.(values).map(([attack, given]) => `${attack} ${JSON.stringify(given)}`) ?? [];
  return [
    `${title(values)}: ${strength}, ${String(count)} × ${called} of ${String(length)} × ${axis}`,
    ...(isNearest ? ['nearest'] : []),
    ...parts,
  ].join('; ');
}
