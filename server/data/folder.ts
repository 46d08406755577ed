// Pictures in folders, one a class: listed, decoded and resized once, and kept as bytes in the cache. One that can't be read is
// refused by its name: none is left out in silence.
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { FolderPlan } from '../protocol/plan.ts';
import { DataError } from './dataError.ts';
import type { OpenedData, ReaderSurroundings } from './opened.ts';
import { openPictureDecoder, type PictureForm } from './pictures.ts';
import { cachedRows, type CachedRows } from './rowCache.ts';
import { shareOut, shuffled, takeFirst } from './shareOut.ts';

interface Picture {
  /** Absolute, without links. */
  readonly file: string;
  /** As the user knows it. */
  readonly name: string;
  readonly classIndex: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/**
 * @throws DataError for a missing folder, one without two classes, a file that is no picture, is damaged or can't be read, and a
 *   link that leads out of the folder, each by its name
 */
export async function openFolder(plan: FolderPlan, around: ReaderSurroundings): Promise<OpenedData> {
  const classes = await classFolders(plan.path, 'dataset.path');
  if (classes.length < 2) {
    throw new DataError(
      `${plan.path} has ${classes.length === 1 ? 'one class folder' : 'no class folders'}, but there must be two or more: one folder of pictures a class (${path.join(plan.path, 'cat')}, ${path.join(plan.path, 'dog')}, …).`,
    );
  }
  const form: PictureForm = { size: plan.size, channels: plan.colors === 'grey' ? 1 : 3 };
  const all = await readPictures(plan.path, classes, classes, form, around);
  const about = { classes, sampleShape: [plan.size, plan.size, form.channels], isTable: false };
  if (plan.testPath === null) return { ...about, ...shareOut(all.rows, plan) };
  const testClasses = await classFolders(plan.testPath, 'dataset.testPath');
  const unknown = testClasses.find((name) => !classes.includes(name));
  if (unknown !== undefined) {
    throw new DataError(
      `${path.join(plan.testPath, unknown)} is a class that ${plan.path} does not have. The test folder needs the same classes: ${classes.join(', ')}.`,
    );
  }
  const test = await readPictures(plan.testPath, testClasses, classes, form, around);
  return { ...about, ...takeFirst(shuffled(all.rows, plan.seed), test.rows, plan) };
}

/** Sorted by name. */
async function classFolders(folder: string, key: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new DataError(
      `There is no folder ${folder} of pictures. Set ${key} to the folder that holds one folder of pictures a class.`,
      { cause, kind: 'missing' },
    );
  });
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const at = path.join(folder, entry.name);
    const found = await stat(at).catch(() => null);
    if (found?.isDirectory()) names.push(entry.name);
    else if (isPictureName(entry.name)) {
      throw new DataError(`${at} lies in no class. Move it into the folder of its class.`);
    }
  }
  return names.sort();
}

async function readPictures(
  folder: string,
  present: readonly string[],
  classes: readonly string[],
  form: PictureForm,
  { assetsFolder, cacheFolder, signal, onProgress }: ReaderSurroundings,
): Promise<CachedRows> {
  const pictures = await listPictures(folder, present, classes);
  const key = [form, classes, pictures.map(({ name, sizeBytes, modifiedMs }) => [name, sizeBytes, modifiedMs])];
  return cachedRows({ cacheFolder, key, type: 'uint8' }, async (writer) => {
    const decoder = await openPictureDecoder(assetsFolder);
    try {
      for (const [index, { file, name, classIndex }] of pictures.entries()) {
        signal.throwIfAborted();
        const bytes = await readFile(file).catch((cause: unknown) => {
          throw new DataError(`${name} can't be read (${codeOf(cause)}). Change its permissions, or remove it.`, {
            cause,
          });
        });
        try {
          writer.append(decoder.decode(bytes, form), classIndex);
        } catch (cause) {
          const words = cause instanceof Error ? cause.message : String(cause);
          throw new DataError(
            `${name} is damaged, or no PNG, JPEG or WebP (${words}). Replace it by a whole one, or remove it.`,
            { cause },
          );
        }
        onProgress(`reading the pictures of ${folder}`, index + 1, pictures.length);
      }
    } finally {
      decoder.close();
    }
    return { classes };
  });
}

/** Class by class, sorted by name. */
async function listPictures(
  folder: string,
  present: readonly string[],
  classes: readonly string[],
): Promise<Picture[]> {
  const root = await realpath(folder);
  const pictures: Picture[] = [];
  for (const className of present) {
    const classIndex = classes.indexOf(className);
    const classFolder = path.join(folder, className);
    const inside = await insideOf(root, classFolder);
    const names = (await readdir(inside)).filter((name) => !isNoise(name)).sort();
    for (const name of names) pictures.push(await examine(root, path.join(classFolder, name), classIndex));
    if (names.length === 0) {
      throw new DataError(`${classFolder} has no pictures. Put some there, or remove the folder.`);
    }
  }
  return pictures;
}

async function examine(root: string, name: string, classIndex: number): Promise<Picture> {
  const file = await insideOf(root, name);
  const found = await stat(file);
  if (!found.isFile()) {
    const what = found.isDirectory() ? 'a folder within a class: classes have no folders of their own' : 'no file';
    throw new DataError(`${name} is ${what}. Move what is in it, or remove it.`);
  }
  if (!isPictureName(name)) {
    throw new DataError(`${name} is no picture by its name (.png, .jpg, .jpeg or .webp). Remove it from the class.`);
  }
  return { file, name, classIndex, sizeBytes: found.size, modifiedMs: found.mtimeMs };
}

/** Where a name leads, which must be within the folder. */
async function insideOf(root: string, name: string): Promise<string> {
  const { isLink, to } = await follow(name);
  if (to !== null && (to === root || to.startsWith(root + path.sep))) return to;
  throw new DataError(
    isLink && to !== null
      ? `${name} is a link that leads out of the folder, to ${to}. Put the picture itself there, or remove the link.`
      : `${name} leads nowhere, or can't be looked at. Remove it, or change its permissions.`,
  );
}

async function follow(name: string): Promise<{ isLink: boolean; to: string | null }> {
  const found = await lstat(name).catch(() => null);
  return { isLink: found?.isSymbolicLink() ?? false, to: await realpath(name).catch(() => null) };
}

function isPictureName(name: string): boolean {
  return /\.(png|jpe?g|webp)$/i.test(name);
}

/** What desktops leave behind. */
function isNoise(name: string): boolean {
  return name.startsWith('.') || name === 'Thumbs.db' || name === 'desktop.ini';
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
