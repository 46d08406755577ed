// `kafscope doctor RUN`: a whole run is called whole, and what is wrong with another is named.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { logFile } from '../../server/run/logFile.ts';
import { frameAt } from '../../server/run/logFrames.ts';
import type { Frame } from '../../server/run/logFrames.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { doctorRunCommand } from '../../server/terminal/doctorRunCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { filesOf, trainScripted } from '../run/scriptedRun.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';
import { jsonLines } from './kafscope.ts';

function examine(folder: string) {
  let output = '';
  const write = (text: string) => (output += text);
  const code = doctorRunCommand(folder, new Terminal({ isJson: true, output: { write }, errors: { write: () => {} } }));
  return { code, ...jsonLines(output)[0]! };
}

describe('kafscope doctor RUN', () => {
  it('calls a run whole whose steps and checkpoints are all there, and changes nothing', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const before = filesOf(folder);
    expect(examine(folder)).toMatchObject({
      ...{ code: 0, isWhole: true, status: 'finished', steps: 12, checkpoints: 3, faults: [] },
      resumesFrom: 'step-12.safetensors',
    });
    expect(filesOf(folder)).toEqual(before);
  });

  it('names what follows the last row and is none, and not the beginning of one that its writer left', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const file = logFile(folder, 0);
    const whole = fs.readFileSync(file);
    fs.writeFileSync(file, Buffer.concat([whole, whole.subarray(0, 40)]));
    expect(examine(folder)).toMatchObject({ code: 0, isWhole: true });
    fs.writeFileSync(file, Buffer.concat([whole, Buffer.from('what is no frame, of any length')]));
    expect(examine(folder)).toMatchObject({
      ...{ code: 1, isWhole: false },
      faults: ['log-0: what follows its last row is damaged; what is before it was read.'],
    });
  });

  it('names a step that is missing and a checkpoint that is cut off, and from where the run would go on', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const file = logFile(folder, 0);
    const bytes = fs.readFileSync(file);
    for (let at = 0; at < bytes.length;) {
      const { kind, payload, end } = frameAt(bytes, at) as Frame;
      const [row] = kind === 'rows' ? (payload as { record: { type: string; step: number } }[]) : [];
      if (row?.record.type === 'step' && row.record.step === 10) bytes[at + 20]! ^= 255;
      at = end;
    }
    fs.writeFileSync(file, bytes);
    fs.truncateSync(path.join(checkpointsFolder(folder), 'step-8.safetensors'), 300);
    const found = examine(folder);
    expect(found).toMatchObject({ code: 1, isWhole: false, resumesFrom: 'step-4.safetensors' });
    const faults = (found as unknown as { faults: string[] }).faults.join('\n');
    expect(faults).toMatch(/After step 9 comes step 11/);
    expect(faults).toMatch(/log-0: \d+ bytes are damaged/);
    expect(faults).toMatch(/step-8\.safetensors/);
  });
});
