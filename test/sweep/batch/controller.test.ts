// A scheduler is asked once in twenty seconds, by all processes of a user together.
import { describe, expect, it } from 'vitest';
import { Controller, askEveryMs } from '../../../server/sweep/batch/controller.ts';
import { standIn } from './standIn.ts';

function controllers(count: number) {
  const host = standIn();
  host.says('squeue', '12_0|RUNNING|None|n1|0:10|a\n');
  let nowMs = 1000;
  const made = Array.from(
    { length: count },
    () => new Controller(host.slurm, { env: host.env, now: () => nowMs, boot: 'b' }),
  );
  const later = (ms: number) => (nowMs += ms);
  return { host, later, made, now: () => nowMs };
}

describe('what a scheduler says', () => {
  it('is asked once by who looks at once, and again when twenty seconds have passed', async () => {
    const { host, later, made } = controllers(2);
    const [one, two] = made as [Controller, Controller];
    expect([one.known, one.isOld]).toEqual([[], true]);
    await Promise.all([one.look([]), one.look([])]);
    expect(await two.look([])).toEqual(one.known);
    later(askEveryMs - 1);
    await one.look([]);
    expect(host.asked('squeue')).toHaveLength(1);
    later(1);
    await two.look([]);
    await one.look([]);
    expect(host.asked('squeue')).toHaveLength(2);
    one.forget();
    await one.look([]);
    expect(host.asked('squeue')).toHaveLength(3);
  });

  it('is not taken from before this start of the machine', async () => {
    const { host, made, now } = controllers(1);
    await made[0]!.look([]);
    for (const boot of ['other', '']) {
      const next = new Controller(host.slurm, { env: host.env, boot, now });
      expect(next.isOld).toBe(true);
      await next.look([]);
    }
    expect(host.asked('squeue')).toHaveLength(3);
  });

  it('is looked up in its records, once, for jobs that it has forgotten', async () => {
    const { host, later, made } = controllers(1);
    host.says('sacct', '11_0|FAILED|n1|4|b\n11_1|COMPLETED|n1|4|b\n');
    const jobs = [
      { id: '12', name: 'a' },
      { id: '11', name: 'b' },
    ];
    const found = await made[0]!.look(jobs);
    expect(found.map(({ jobId, index, state }) => [jobId, index, state])).toEqual([
      ['12', 0, 'working'],
      ['11', 0, 'failed'],
      ['11', 1, 'done'],
    ]);
    later(askEveryMs);
    await made[0]!.look(jobs);
    expect(host.asked('sacct').map((call) => call.find((one) => one.startsWith('--jobs')))).toEqual(['--jobs=11']);
  });

  it('is told as unknown where it does not answer, and asked again', async () => {
    const { host, made } = controllers(1);
    host.fails('squeue', 'no');
    await expect(made[0]!.look([])).rejects.toThrow('squeue: no');
    await expect(made[0]!.look([])).rejects.toThrow('squeue: no');
    expect(host.asked('squeue')).toHaveLength(2);
  });
});
