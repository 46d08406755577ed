// `kafscope doctor`: what of this machine Kafscope can use, and what to do about the rest.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { cacheLimitBytes, cacheSize } from '../data/cacheBound.ts';
import type { DeviceListResult } from '../protocol/messages.ts';
import { userCacheFolder } from '../protocol/userData.ts';
import { bytesText } from '../trainer/planMemory.ts';
import { listRuntimes } from '../run/runtime/machineRuntimes.ts';
import { exitCodes } from './terminal.ts';
import type { Terminal } from './terminal.ts';

export interface DoctorCommand {
  readonly assetsFolder: string;
  readonly runsFolder: string;
  readonly version: string;
  /** Why nothing is computed on this host, and no runtime tried; null where it may. */
  readonly whyNotHere: string | null;
}

/** Exit code 1 where no runtime works, of those that are tried, or runs can't be kept. */
export async function doctorCommand(command: DoctorCommand, terminal: Terminal): Promise<number> {
  const { whyNotHere } = command;
  const { devices, chosen } = whyNotHere === null ? await triedRuntimes(command, terminal) : nothingTried;
  const { simd, sharedMemory } = webAssemblyFeatures();
  const disk = diskSpace(command.runsFolder);
  const cacheFolder = userCacheFolder({ env: process.env, platform: process.platform, homeFolder: os.homedir() });
  const cache = { folder: cacheFolder, ...cacheSize(cacheFolder), limitBytes: cacheLimitBytes(process.env) };
  const sqlite = sqliteVersion();
  const canCompute = whyNotHere !== null || devices.some((device) => device.isAvailable);
  const isReady = canCompute && sqlite !== null && disk.isWritable;
  const memory = { totalBytes: os.totalmem(), freeBytes: os.freemem() };
  const threads = os.availableParallelism();
  terminal.event({
    type: 'doctor',
    isReady,
    kafscope: command.version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    runtimes: devices,
    auto: chosen,
    simd,
    sharedMemory,
    threads,
    memory,
    disk,
    cache,
    sqlite,
  });
  const facts: [string, string][] = [
    ['Kafscope', command.version],
    ['Node', `${process.versions.node} on ${process.platform}-${process.arch}`],
    ...devices.map((device): [string, string] => [
      `runtime ${device.runtime}`,
      `${device.isAvailable ? `works: ${device.device}` : 'does not work'}. ${device.reason}${paceText(device.stepMs)}`,
    ]),
    whyNotHere === null
      ? ['runtime auto', `is ${String(chosen)}, the fastest that passes its self-test`]
      : ['runtimes', `not tried. ${whyNotHere}`],
    ['WebAssembly', `SIMD ${simd} · shared memory ${sharedMemory ? 'yes' : 'no'}`],
    ['threads', String(threads)],
    ['memory', `${gibibytes(memory.freeBytes)} free of ${gibibytes(memory.totalBytes)}`],
    [
      'disk',
      `${gibibytes(disk.freeBytes)} free for ${disk.folder}${disk.isWritable ? '' : ', but writing there is not allowed'}`,
    ],
    [
      'cache',
      `${bytesText(cache.sizeBytes)} of at most ${bytesText(cache.limitBytes)}: ${cache.entries === 1 ? 'one data set' : `${cache.entries} data sets`} in ${cache.folder}`,
    ],
    ['SQLite', sqlite ?? 'missing: node:sqlite needs Node 22.13 or newer'],
  ];
  for (const [name, value] of facts) terminal.line(`${name.padEnd(18)} ${value}`);
  const ready = whyNotHere === null ? 'Ready to train.' : 'Ready to give sweeps to a cluster.';
  terminal.line(isReady ? ready : 'Not ready to train.');
  return isReady ? exitCodes.done : exitCodes.failed;
}

const nothingTried = { devices: [], chosen: null };

function triedRuntimes({ assetsFolder }: DoctorCommand, terminal: Terminal): Promise<DeviceListResult> {
  const log = (line: string) => {
    terminal.error(line);
  };
  return listRuntimes({ assetsFolder, log, isAnew: true });
}

/** Smallest modules that use a feature, after github.com/GoogleChromeLabs/wasm-feature-detect. */
const simdModule = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];
const relaxedSimdModule = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  253, 128, 2, 11,
];

function webAssemblyFeatures() {
  const isValid = (bytes: number[]) => WebAssembly.validate(Uint8Array.from(bytes));
  const simd = isValid(relaxedSimdModule) ? 'relaxed' : isValid(simdModule) ? 'plain' : 'none';
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  return { simd, sharedMemory: memory.buffer instanceof SharedArrayBuffer };
}

/** Of the nearest folder above that exists. */
function diskSpace(folder: string) {
  let existing = path.resolve(folder);
  while (!fs.existsSync(existing)) existing = path.dirname(existing);
  const { bavail, bsize } = fs.statfsSync(existing);
  return { folder, freeBytes: bavail * bsize, isWritable: isWritable(existing) };
}

function isWritable(folder: string): boolean {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    return false; // which is the answer
  }
}

function paceText(stepMs: number | null): string {
  return stepMs === null ? '' : ` A step of the self-test takes ${stepMs.toFixed(stepMs < 10 ? 1 : 0)} ms.`;
}

function sqliteVersion(): string | null {
  const database = new DatabaseSync(':memory:');
  try {
    return String(database.prepare('SELECT sqlite_version() AS version').get()?.version);
  } finally {
    database.close();
  }
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
