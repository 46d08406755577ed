// Where this window's runs live, and what the folder needs before the first one. No run is read here.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface RunsFolderChoice {
  /** The setting `kafscope.runsFolder`; empty for the default. */
  readonly setting: string;
  /** Absolute path of the first workspace folder, if there is one. */
  readonly workspaceFolder: string | null;
  /** Used without a workspace. */
  readonly storageFolder: string;
}

/** Absolute path of the folder that holds the run folders. */
export function chooseRunsFolder({ setting, workspaceFolder, storageFolder }: RunsFolderChoice): string {
  const base = workspaceFolder ?? storageFolder;
  const wanted = setting.trim();
  if (wanted === '') return workspaceFolder ? path.join(base, '.kafscope', 'runs') : path.join(base, 'runs');
  if (wanted === '~' || wanted.startsWith('~/')) return path.join(os.homedir(), wanted.slice(1));
  return path.resolve(base, wanted);
}

/** Makes the folder; a `.kafscope` folder that this makes keeps itself out of version control. */
export function prepareRunsFolder(runsFolder: string): void {
  const parent = path.dirname(runsFolder);
  const isNew = path.basename(parent) === '.kafscope' && !fs.existsSync(parent);
  fs.mkdirSync(runsFolder, { recursive: true });
  if (isNew) fs.writeFileSync(path.join(parent, '.gitignore'), '*\n');
}
