// Loading native code into this process: our addons, and a look at libraries before they are loaded.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * The addons of a runtime for this platform, from `assetsFolder/<runtime>/<platform>-<architecture>`.
 * @returns their paths in the order of their names. @throws Error, a sentence, where one is missing.
 */
export function addonFiles(assetsFolder: string, runtime: string, library: string, names: readonly string[]): string[] {
  const platform = `${process.platform}-${process.arch}`;
  const files = names.map((name) => path.join(assetsFolder, runtime, platform, `${name}.node`));
  const missing = files.find((file) => !fs.existsSync(file));
  if (missing) {
    throw new Error(
      `This copy of Kafscope has no binding to ${library} for ${platform} (${missing} is missing); "npm run build" makes it where there is a C++ compiler.`,
    );
  }
  return files;
}

/** With all symbols resolved at once: one that is missing is an error here, not the end of the process later. */
export function openAddon(file: string): unknown {
  const module = { exports: {} };
  process.dlopen(module, file, os.constants.dlopen.RTLD_NOW);
  return module.exports;
}

const elfMagic = 0x7f454c46;

/**
 * Whether the section table of a 64-bit ELF file, which is its end, lies behind the end of the file. Such a library may load and end
 * the process later, when what is missing is touched.
 */
export function isCutOff(file: string): boolean {
  const header = Buffer.alloc(64);
  const opened = fs.openSync(file, 'r');
  try {
    const bytesRead = fs.readSync(opened, header);
    if (bytesRead < header.length || header.readUInt32BE(0) !== elfMagic) return false;
    const tableBytes = header.readUInt16LE(0x3a) * header.readUInt16LE(0x3c);
    return Number(header.readBigUInt64LE(0x28)) + tableBytes > fs.fstatSync(opened).size;
  } finally {
    fs.closeSync(opened);
  }
}
