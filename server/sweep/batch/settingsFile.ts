// A user's settings of a scheduler: a file in their configuration folder, and what the editor's machine-scoped settings say over it.
// Nothing of a workspace is looked at, for some of it is shell.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { z } from 'zod';
import { userConfigFolder } from '../../protocol/userData.ts';
import { readBytes } from '../../run/logFile.ts';
import type { CommonSettings, Scheduler } from './scheduler.ts';

/** Settings that can't be used: a line for each mistake, with its place. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

export interface SettingsPlace {
  readonly env?: NodeJS.ProcessEnv;
  /** From the editor, by keys; empty for none. */
  readonly given?: Readonly<Record<string, unknown>>;
}

const maxBytes = 64 * 1024;

export function settingsFile({ name }: Pick<Scheduler, 'name'>, env: NodeJS.ProcessEnv = process.env): string {
  const surroundings = { env, platform: process.platform, homeFolder: os.homedir() };
  return path.join(userConfigFolder(surroundings), `${name}.yaml`);
}

/** Whether the user has said anything of this scheduler. */
export function isConfigured(scheduler: Pick<Scheduler, 'name'>, { env, given = {} }: SettingsPlace = {}): boolean {
  return Object.keys(given).length > 0 || fs.existsSync(settingsFile(scheduler, env));
}

/** Without a file and settings what the scheduler has as defaults. @throws SettingsError */
export function readSettings<Settings extends CommonSettings>(
  scheduler: Pick<Scheduler<Settings>, 'name' | 'settings'>,
  { env, given = {} }: SettingsPlace = {},
): Settings {
  const file = settingsFile(scheduler, env);
  const read = fs.existsSync(file) ? readFile(file) : null;
  const parsed = scheduler.settings.safeParse({ ...read?.values, ...given });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.flatMap((issue) =>
    issueLines(issue, { file, read, given, scheduler: scheduler.name }),
  );
  throw new SettingsError(lines.join('\n'));
}

interface ReadFile {
  readonly values: Readonly<Record<string, unknown>>;
  readonly document: Document;
  readonly lines: LineCounter;
}

function readFile(file: string): ReadFile {
  let text: string;
  try {
    text = readBytes(file, 0, maxBytes + 1).toString('utf8');
  } catch (error) {
    throw new SettingsError((error as Error).message, { cause: error });
  }
  if (text.length > maxBytes) throw new SettingsError(`${file} is longer than settings are.`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault) throw new SettingsError(`${placeIn(file, lines, fault.pos[0])}: this is not YAML: ${fault.message}`);
  let values: unknown;
  try {
    values = document.toJS({ maxAliasCount: 10 }) ?? {};
  } catch (error) {
    throw new SettingsError(`${file}: ${(error as Error).message}`, { cause: error });
  }
  if (typeof values !== 'object' || Array.isArray(values))
    throw new SettingsError(`${file}:1:1: expected settings by their keys, got ${shown(values)}`);
  return { values: values as Readonly<Record<string, unknown>>, document, lines };
}

interface IssuePlace {
  readonly file: string;
  readonly read: ReadFile | null;
  readonly given: Readonly<Record<string, unknown>>;
  readonly scheduler: string;
}

/** `FILE:3:9: memory: expected a size of memory like 16G, got "lots"` */
function issueLines(issue: z.core.$ZodIssue, place: IssuePlace): string[] {
  const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
  if (keys.length > 0)
    return keys.map((key) => `${placeOf([key], place)}: expected ${issue.message}, got ${shown(key)}`);
  const value = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], {
    ...place.read?.values,
    ...place.given,
  });
  const named = issue.path.map((key) => (typeof key === 'number' ? `[${String(key)}]` : `.${String(key)}`)).join('');
  return [`${placeOf(issue.path, place)}: ${named.slice(1)}: expected ${issue.message}, got ${shown(value)}`];
}

function placeOf(keys: readonly PropertyKey[], { file, read, given, scheduler }: IssuePlace): string {
  if (!read || Object.hasOwn(given, keys[0] ?? '')) return `kafscope.${scheduler} in the editor's settings`;
  const node = read.document.getIn(keys, true) as Node | undefined;
  return placeIn(file, read.lines, node?.range?.[0] ?? 0);
}

function placeIn(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${String(Math.max(1, line))}:${String(Math.max(1, col))}`;
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
