// Who lives: a process told from others of its id, and a heartbeat heard or not.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LifeWatch, patienceMs } from '../../server/run/lifeWatch.ts';
import { lifeOf, ownerSchema, thisProcess } from '../../server/run/owner.ts';

describe('an owner', () => {
  it('that is this process lives, and has a name of its own for each piece of work', () => {
    const owner = thisProcess();
    expect(ownerSchema.parse(owner)).toEqual(owner);
    expect(lifeOf(owner)).toBe(process.platform === 'linux' ? 'alive' : 'unknown');
    expect(thisProcess().incarnation).not.toBe(owner.incarnation);
  });

  it('whose id another process has by now is dead', () => {
    expect(lifeOf({ ...thisProcess(), pidStart: '1' })).toBe(process.platform === 'linux' ? 'dead' : 'unknown');
  });

  it('that does not exist any more is dead, also before its parent has looked', async () => {
    const child = spawn('sleep', ['1000']);
    await once(child, 'spawn');
    const { boot, pidNamespace } = thisProcess();
    const owner = { boot, pidNamespace, pid: child.pid!, pidStart: startOf(child.pid!) };
    expect(lifeOf(owner)).toBe(process.platform === 'linux' ? 'alive' : 'unknown');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(lifeOf(owner)).toBe('dead');
  });

  it.runIf(process.platform === 'linux')('that has ended but whose parent does not look is dead', async () => {
    // `sleep` never looks after the child that the shell had.
    const child = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [words] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(String(words).trim());
    const state = () => {
      const text = fs.readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
      return text.slice(text.lastIndexOf(')') + 2)[0];
    };
    const { boot, pidNamespace } = thisProcess();
    while (state() !== 'Z') await new Promise((resolve) => setImmediate(resolve));
    expect(lifeOf({ boot, pidNamespace, pid, pidStart: startOf(pid) })).toBe('dead');
    child.kill('SIGKILL');
  });

  it('of another boot, another container or an unknown machine is for its heartbeat to tell', () => {
    const owner = thisProcess();
    expect(lifeOf({ ...owner, boot: 'another' })).toBe('unknown');
    expect(lifeOf({ ...owner, pidNamespace: 'pid:[1]' })).toBe('unknown');
    expect(lifeOf({ ...owner, boot: '' })).toBe('unknown');
  });
});

describe('an owner as it is written down', () => {
  const owner = { ...thisProcess(), job: null };

  it.runIf(process.platform === 'linux')('says which process it is on which machine', () => {
    expect(thisProcess()).toMatchObject({
      host: os.hostname(),
      boot: fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      pid: process.pid,
      pidStart: startOf(process.pid),
      pidNamespace: fs.readlinkSync('/proc/self/ns/pid'),
    });
  });

  it.each([
    ['host', 255],
    ['boot', 100],
    ['pidStart', 100],
    ['pidNamespace', 100],
    ['job', 200],
  ] as const)('has at most so much of its %s: %d', (key, longest) => {
    expect(ownerSchema.safeParse({ ...owner, [key]: 'x'.repeat(longest) }).success).toBe(true);
    expect(ownerSchema.safeParse({ ...owner, [key]: 'x'.repeat(longest + 1) }).success).toBe(false);
  });

  it('names the job of a cluster that it is', () => {
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const jobOf = (id?: string, array?: string, task?: string) => {
      vi.stubEnv('SLURM_JOB_ID', id);
      vi.stubEnv('SLURM_ARRAY_JOB_ID', array);
      vi.stubEnv('SLURM_ARRAY_TASK_ID', task);
      return thisProcess().job;
    };
    expect(jobOf()).toBeNull();
    expect(jobOf(undefined, '12', '5')).toBeNull();
    expect(jobOf('1234')).toBe('slurm 1234');
    expect(jobOf('1234', '12')).toBe('slurm 1234');
    expect(jobOf('1234', undefined, '5')).toBe('slurm 1234');
    expect(jobOf('1234', '12', '5')).toBe('slurm 12_5');
    expect(jobOf('1'.repeat(300))).toBe(`slurm ${'1'.repeat(194)}`);
  });
});

describe.runIf(process.platform === 'linux')('of an owner whose process can be asked', () => {
  it('and that tells no start it is only known when there is no such process', () => {
    const owner = { ...thisProcess(), pidStart: '' };
    expect(lifeOf(owner)).toBe('unknown');
    const killed = vi.spyOn(process, 'kill');
    onTestFinished(() => {
      killed.mockRestore();
    });
    for (const [code, life] of [
      ['ESRCH', 'dead'],
      ['EPERM', 'unknown'],
    ] as const) {
      killed.mockImplementationOnce(() => {
        throw Object.assign(new Error('no'), { code });
      });
      expect(lifeOf(owner), code).toBe(life);
    }
    // Nobody is harmed by the question.
    expect(killed.mock.calls).toEqual([
      [process.pid, 0],
      [process.pid, 0],
    ]);
  });

  it('the state is read behind its name, whatever that is', () => {
    const rest = Array.from({ length: 40 }, (_, index) => String(index + 4)).join(' ');
    const read = vi.spyOn(fs, 'readFileSync');
    onTestFinished(() => {
      read.mockRestore();
    });
    const lifeIn = (state: string) => {
      read.mockReturnValueOnce(`${String(process.pid)} (a) Z (b) ${state} ${rest}`);
      return lifeOf({ ...thisProcess(), pidStart: '22' });
    };
    expect(['R', 'S', 'Z', 'X'].map(lifeIn)).toEqual(['alive', 'alive', 'dead', 'dead']);
    read.mockReturnValueOnce(`${String(process.pid)} (a) S 1`);
    expect(lifeOf({ ...thisProcess(), pidStart: '22' })).toBe('dead');
  });
});

function startOf(pid: number): string {
  if (process.platform !== 'linux') return '';
  const text = fs.readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]!;
}

describe('a heartbeat', () => {
  const elsewhere = { ...thisProcess(), host: 'other', boot: 'other' };

  function watchAt() {
    const clock = { nowMs: 0 };
    const watch = new LifeWatch(() => clock.nowMs);
    const look = (value: string, afterMs: number) => {
      clock.nowMs += afterMs;
      return watch.judge(elsewhere, { incarnation: 'a', value });
    };
    return { look, watch };
  }

  it('that changes between two looks is one of a run that lives, whatever any clock says', () => {
    const { look } = watchAt();
    expect(look('1', 0)).toBe('unheard');
    expect(look('1', 5000)).toBe('unheard');
    expect(look('2', 5000)).toBe('alive');
    expect(look('2', 5000)).toBe('alive');
  });

  it('that stays away for a minute and a half of looking is one of a run that died', () => {
    const { look, watch } = watchAt();
    look('1', 0);
    let looks = 0;
    while (look('1', 5000) !== 'dead') looks++;
    expect(looks).toBe(patienceMs / 5000 - 1);
    expect(watch.remainingMs({ incarnation: 'a', value: '1' })).toBe(0);
    expect(look('2', 5000)).toBe('alive');
  });

  it('is not missed by a watcher that was stopped itself', () => {
    const { look } = watchAt();
    look('1', 0);
    expect(look('1', 3_600_000)).toBe('unheard');
    expect(look('2', 3_600_000)).toBe('alive');
  });

  it('must still stay away for what is left of that time', () => {
    const { look, watch } = watchAt();
    const sign = { incarnation: 'a', value: '1' };
    expect(watch.remainingMs(sign)).toBe(90_000);
    look('1', 7);
    expect(watch.remainingMs(sign)).toBe(90_000);
    look('1', 1000);
    expect(watch.remainingMs(sign)).toBe(89_000);
    look('1', 10_000);
    expect(watch.remainingMs(sign)).toBe(79_000);
    look('1', 10_001);
    expect(watch.remainingMs(sign)).toBe(69_000);
    look('2', 1000);
    expect(watch.remainingMs(sign)).toBe(90_000);
    for (let count = 0; count < 10; count++) look('2', 10_000);
    expect(watch.remainingMs(sign)).toBe(0);
  });

  it('is not waited for where the process itself can be asked', () => {
    const watch = new LifeWatch();
    const sign = { incarnation: 'a', value: '1' };
    const linux = process.platform === 'linux';
    expect(watch.judge(thisProcess(), sign)).toBe(linux ? 'alive' : 'unheard');
    expect(watch.judge({ ...thisProcess(), pidStart: '1' }, sign)).toBe(linux ? 'dead' : 'unheard');
    expect(watch.judge(null, sign)).toBe('unheard');
  });

  it('of the next work on a run is another', () => {
    const { look, watch } = watchAt();
    look('1', 0);
    look('2', 1);
    expect(watch.judge(elsewhere, { incarnation: 'b', value: '2' })).toBe('unheard');
  });
});
