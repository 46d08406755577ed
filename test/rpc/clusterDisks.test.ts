// What disks of clusters do otherwise than those of one machine, as far as a machine can play it: a folder that two hosts mount (bindfs:
// two mounts that know nothing of each other), and one on which no lock is to be had (a library that refuses them all).
import { fork, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { readLock } from '../../server/rpc/lockFile.ts';
import { logFile, LogWriter, newestLog, readHead, SupersededError } from '../../server/run/logFile.ts';
import { thisProcess } from '../../server/run/owner.ts';
import { RunReader } from '../../server/run/runReader.ts';
import { RunSupervisor } from '../../server/run/runSupervisor.ts';
import type { LogHead } from '../../server/run/stored.ts';
import type { FromTrainer, ToTrainer } from '../../server/run/trainerMessages.ts';
import { createScriptedRun, fromStart, readRows, temporaryFolder, trainScripted } from '../run/scriptedRun.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';
import { TestClient } from './testClient.ts';

const trainerFile = path.join(import.meta.dirname, '../run/scriptedTrainerMain.ts');

interface Mounts {
  readonly scratch: string;
  /** The same folder, once a host. */
  readonly places: readonly [string, string];
  readonly programs: readonly ChildProcess[];
}

/** Null where it can't be done, and says why. */
async function mountTwice(): Promise<Mounts | null> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-mounts-'));
  const [disk, ...places] = ['disk', 'one', 'two'].map((name) => path.join(scratch, name)) as [string, string, string];
  const programs: ChildProcess[] = [];
  let why = '';
  for (const place of [disk, ...places]) fs.mkdirSync(place);
  for (const place of places) {
    const program = spawn('bindfs', ['-f', '--no-allow-other', disk, place], { stdio: ['ignore', 'ignore', 'pipe'] });
    program.stderr.setEncoding('utf8').on('data', (text: string) => (why += text));
    program.on('error', (error) => (why += error.message));
    const ended = once(program, 'close').then(
      () => true,
      () => true,
    );
    const nextTurn = () => new Promise<boolean>((resolve) => setImmediate(resolve, false));
    const isMounted = () => fs.statSync(place).dev !== fs.statSync(scratch).dev;
    while (!isMounted()) {
      if (!(await Promise.race([ended, nextTurn()]))) continue;
      await unmount({ scratch, programs });
      console.log(`Not run: mounting a folder twice needs bindfs and the right to use it (${why.trim()}).`);
      return null;
    }
    programs.push(program);
  }
  return { scratch, places, programs };
}

const mounts = await mountTwice();

afterAll(async () => {
  if (mounts) await unmount(mounts);
});

/** The programs unmount what they mounted when they are told to end. */
async function unmount({ scratch, programs }: Omit<Mounts, 'places'>): Promise<void> {
  for (const program of programs) {
    const closed = program.exitCode === null && program.signalCode === null ? once(program, 'close') : null;
    program.kill();
    await closed;
  }
  fs.rmSync(scratch, { recursive: true });
}

/** The same runs folder, as each of two hosts sees it. */
function twoViews(): [string, string] {
  const [one, two] = mounts!.places;
  const name = path.basename(fs.mkdtempSync(path.join(one, 'runs-')));
  return [path.join(one, name), path.join(two, name)];
}

/** A trainer process that begins work on the run's folder as soon as it is told to. */
async function readyTrainer(folder: string): Promise<{ child: ChildProcess; begin: () => Promise<string> }> {
  const child = fork(trainerFile, [], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words += text));
  await once(child, 'message');
  const begin = async () => {
    let end: string | undefined;
    child.on('message', (message: FromTrainer) => {
      if (message.type === 'ended') end = message.summary.status;
    });
    child.send({ type: 'begin', folder, work: fromStart } satisfies ToTrainer);
    await once(child, 'close');
    return end ?? words;
  };
  return { child, begin };
}

function headOf(number: number): LogHead {
  return {
    ...{ format: 'kafscope log', version: 1, number, owner: thisProcess(), work: 'train', startedMs: 1, firstSeq: 1 },
    ...{ voids: null, restStatus: null },
  };
}

describe.runIf(mounts)('a folder that two hosts mount', () => {
  it('shows the one host what the other writes, while it is written and to the last row', async () => {
    const [here, there] = twoViews();
    const { folder, id } = createScriptedRun(scriptedPlan('endless'), there);
    const { child, begin } = await readyTrainer(folder);
    const ended = begin();
    const supervisor = new RunSupervisor({ runsFolder: here, trainerFile, log: () => {}, now: () => Date.now() });
    const reader = new RunReader();
    const lengths = new Set<number>();
    while (lengths.size < 20) {
      supervisor.refresh();
      lengths.add(reader.rows(supervisor.get(id), 0).length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    supervisor.refresh();
    expect(supervisor.get(id).status).toBe('training');
    child.send({ type: 'stop' } satisfies ToTrainer);
    expect(await ended).toBe('stopped');
    supervisor.refresh();
    expect(supervisor.get(id).status).toBe('stopped');
    expect(readRows(supervisor.get(id).folder)).toEqual(readRows(folder));
    reader.close();
  });

  it('lets one of them begin work on a run, whoever asks first', async () => {
    const whole = await trainScripted(scriptedPlan('steps'));
    for (let round = 0; round < 5; round++) {
      const [one, two] = twoViews();
      const { folder, id } = createScriptedRun(scriptedPlan('steps'), one);
      const folders = [folder, path.join(two, id)] as const;
      const trainers = [await readyTrainer(folders[0]), await readyTrainer(folders[1])];
      const ends = await Promise.all(trainers.map(({ begin }) => begin()));
      expect(ends.filter((end) => end === 'finished')).toHaveLength(1);
      expect(ends.find((end) => end !== 'finished')).toContain('Another process has begun work');
      // As its host sees them: to the other the sizes of files may be a second old.
      const written = folders[ends.indexOf('finished')]!;
      expect(readRows(written).map(({ record }) => record)).toEqual(readRows(whole.folder).map(({ record }) => record));
    }
  });

  it('ends the work of one that was thought dead, once another has gone on', () => {
    const [one, two] = twoViews();
    for (let number = 0; number < 20; number++) {
      const [first, second] = number % 2 === 0 ? [one, two] : [two, one];
      const writer = new LogWriter(first, headOf(2 * number));
      expect(() => new LogWriter(second, headOf(2 * number))).toThrow(SupersededError);
      writer.checkOwnership();
      const next = new LogWriter(second, headOf(2 * number + 1));
      expect(() => {
        writer.checkOwnership();
      }).toThrow(SupersededError);
      writer.close();
      next.close();
    }
    expect(newestLog(one)).toBe(39);
    expect(fs.readdirSync(two).sort()).toEqual(fs.readdirSync(one).sort());
  });
});

const refusingLocks = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>

static int locks(int command) {
  switch (command) {
    case F_SETLK: case F_SETLKW: case F_GETLK: case F_OFD_SETLK: case F_OFD_SETLKW: case F_OFD_GETLK: return 1;
    default: return 0;
  }
}

#define WRAP(name) \\
  int name(int file, int command, ...) { \\
    va_list rest; \\
    va_start(rest, command); \\
    void *argument = va_arg(rest, void *); \\
    va_end(rest); \\
    if (locks(command)) { errno = ENOLCK; return -1; } \\
    int (*next)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, #name); \\
    return next(file, command, argument); \\
  }
WRAP(fcntl)
WRAP(fcntl64)
int flock(int file, int operation) { (void)file; (void)operation; errno = ENOLCK; return -1; }
int lockf(int file, int command, off_t length) { (void)file; (void)command; (void)length; errno = ENOLCK; return -1; }
`;

const mayPreload = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;
if (!mayPreload) console.log('Not run: refusing all locks needs Linux and a C compiler (cc).');

/** A library that refuses every lock of the process into which it is loaded. */
function lockRefuser(): NodeJS.ProcessEnv {
  const folder = temporaryFolder();
  const [source, library] = ['locks.c', 'locks.so'].map((name) => path.join(folder, name)) as [string, string];
  fs.writeFileSync(source, refusingLocks);
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(`the library was not made: ${compiled.stderr}`);
  const env = { ...process.env, LD_PRELOAD: library };
  // What needs a lock fails there: the library does its work.
  const writing = `new (require('node:sqlite').DatabaseSync)(process.argv[1]).exec('CREATE TABLE t (x)')`;
  const write = (given: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, ['-e', writing, path.join(folder, 'any.db')], { env: given, encoding: 'utf8' });
  const refused = write(env);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('database is locked');
  expect(write(process.env).status).toBe(0);
  return env;
}

describe.runIf(mayPreload)('a disk that gives no locks', () => {
  it('holds runs that are made, trained, killed, resumed and listed as on any other', async () => {
    const env = lockRefuser();
    const whole = await trainScripted(scriptedPlan('steps'));
    const runsFolder = temporaryFolder();
    const serverFile = path.join(import.meta.dirname, 'scriptedServerMain.ts');
    const server = fork(serverFile, [runsFolder], {
      env,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    onTestFinished(() => {
      server.kill('SIGKILL');
    });
    await once(server, 'message');
    const client = await TestClient.connect(readLock(runsFolder)!);
    const start = async (text: string) => (await client.request('run/start', { text, file: null })).runs[0]!;
    const trained = await start('steps');
    await client.untilStatus(trained.id, 'finished');
    expect(readRows(trained.folder).map(({ record }) => record)).toEqual(
      readRows(whole.folder).map(({ record }) => record),
    );
    const { id, folder } = await start('endless');
    await client.untilStep(id, 25);
    process.kill(readHead(folder, newestLog(folder))!.owner.pid, 'SIGKILL');
    const killed = await client.untilStatus(id, 'interrupted');
    const since = client.heard.length;
    await client.request('run/resume', { runId: id });
    await client.untilStatus(id, 'training', since);
    await client.untilStep(id, killed.step + 20);
    await client.request('run/stop', { runId: id });
    await client.untilStatus(id, 'stopped', since);
    const steps = readRows(folder).flatMap(({ record }) => (record.type === 'step' ? [record.step] : []));
    expect(steps).toEqual(steps.map((_, index) => index + 1));
    expect(fs.existsSync(logFile(folder, 2))).toBe(true);
    const listed = (await client.request('run/list', {})).runs.map((run) => [run.id, run.status]);
    expect(Object.fromEntries(listed)).toEqual({ [trained.id]: 'finished', [id]: 'stopped' });
  });
});
