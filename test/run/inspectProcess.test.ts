// Checkpoints read in processes of their own.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectCheckpoint } from '../../server/run/checkpointContents.ts';
import { compareCheckpoints } from '../../server/run/checkpointDifference.ts';
import { writeCheckpoint } from '../../server/run/checkpointFile.ts';
import { decode } from '../../server/protocol/codec.ts';
import { makeInspector } from '../../server/run/inspectProcess.ts';
import { BadCheckpointError } from '../../server/run/safetensors.ts';
import { startScriptedServer } from '../rpc/scriptedServer.ts';
import { scriptedServerOptions } from '../rpc/scriptedServerOptions.ts';
import { TestClient } from '../rpc/testClient.ts';
import { scriptedPlan, scriptedState } from './scriptedTrainer.ts';
import { temporaryFolder } from './scriptedRun.ts';

const entryFile = path.join(import.meta.dirname, '../../server/inspectMain.ts');

/** A tensor of zeros that takes no room on the disk. */
function sparseFile(nValues: number): string {
  const sizeBytes = nValues * 4;
  const json = Buffer.from(JSON.stringify({ x: { dtype: 'F32', shape: [nValues], data_offsets: [0, sizeBytes] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = path.join(temporaryFolder(), 'large.safetensors');
  fs.writeFileSync(file, Buffer.concat([length, json]));
  fs.truncateSync(file, 8 + json.length + sizeBytes);
  return file;
}

describe('the inspector', () => {
  it('answers as this process would, NaN and typed arrays included', async () => {
    const file = path.join(temporaryFolder(), 'x.safetensors');
    writeCheckpoint(file, scriptedState(3, 1), { plan: scriptedPlan('steps'), runId: 'run', versions: {} });
    expect(decode((await makeInspector(entryFile).inspect([file])).bytes)).toEqual(await inspectCheckpoint(file));
  });

  it('compares two files and reads a kernel in such a process too', async () => {
    const folder = temporaryFolder();
    const files = [1, 2].map((step) => {
      const file = path.join(folder, `step-${String(step)}.safetensors`);
      writeCheckpoint(file, scriptedState(step, 1), { plan: scriptedPlan('steps'), runId: 'run', versions: {} });
      return file;
    }) as [string, string];
    const { compare, kernel } = makeInspector(entryFile);
    expect(decode((await compare(files)).bytes)).toEqual(await compareCheckpoints(...files));
    const question = { tensor: 'model/dense.kernel', input: 0, page: 0 };
    await expect(kernel([files[0], question])).rejects.toThrow('no such kernel "model/dense.kernel"');
  });

  it('names what is wrong with a file', async () => {
    const failed = makeInspector(entryFile).inspect(['/nowhere.safetensors']);
    await expect(failed).rejects.toThrow(BadCheckpointError);
    await expect(failed).rejects.toThrow('/nowhere.safetensors does not exist.');
  });

  it('says in a sentence that its process ended without an answer', async () => {
    const { inspect } = makeInspector(path.join(import.meta.dirname, 'scriptedInspectorMain.ts'));
    await expect(inspect(['a.safetensors'])).rejects.toThrow(
      "a.safetensors can't be inspected: the process that read it ended with code 134",
    );
  });

  it('ends at once when it is aborted, and gives its turn to the next', async () => {
    const { inspect } = makeInspector(entryFile);
    const abort = new AbortController();
    const large = sparseFile(25_000_000);
    const first = [1, 2, 3].map(() => inspect([large], abort.signal));
    const after = inspect(['/nowhere.safetensors']);
    abort.abort(new Error('not wanted any more'));
    await Promise.all(first.map((each) => expect(each).rejects.toThrow('not wanted any more')));
    await expect(after).rejects.toThrow('does not exist');
  });

  it('lets the server answer others while it reads a large file', async () => {
    const folder = temporaryFolder();
    const { services } = scriptedServerOptions(folder);
    const server = await startScriptedServer(folder, {
      services: { ...services, checkpoints: makeInspector(entryFile) },
    });
    const client = await TestClient.connect(server.lock);
    let isAnswered = false;
    const inspected = client.request('checkpoint/inspect', { file: sparseFile(25_000_000) }).finally(() => {
      isAnswered = true;
    });
    let answered = 0;
    while (!isAnswered) {
      await client.request('run/list', {});
      answered++;
    }
    expect((await inspected).tensors[0]).toMatchObject({ values: 25_000_000, max: 0 });
    // Were it to read it itself, it would answer the first one after the inspection.
    expect(answered).toBeGreaterThan(1);
  });
});
