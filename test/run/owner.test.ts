// Who lives: a process told from others of its id, and a heartbeat heard or not.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
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

  it('of the next work on a run is another', () => {
    const { look, watch } = watchAt();
    look('1', 0);
    look('2', 1);
    expect(watch.judge(elsewhere, { incarnation: 'b', value: '2' })).toBe('unheard');
  });
});
