// Decoding and resizing pictures by libvips in WebAssembly (wasm-vips): PNG, JPEG and WebP by one library, strict about damage.
// It comes as a file of its own beside the bundles, which is loaded when the first picture is.
import { createRequire } from 'node:module';
import path from 'node:path';
import type Vips from 'wasm-vips';
import { findJpegDamage } from './jpegDamage.ts';

export interface PictureForm {
  /** Height and width of what comes out, whatever those of the picture are. */
  readonly size: number;
  readonly channels: 1 | 3;
}

export interface PictureDecoder {
  /**
   * The picture, turned upright by its EXIF data, on black where it is transparent, in sRGB or grey.
   * @returns `[size, size, channels]`
   * @throws Error where the bytes are no picture, or where damage shows: of a PNG any, of a JPEG what jpegDamage.ts says, of a
   *   WebP what its decoder stumbles over, which is little where it is lossless
   */
  decode(bytes: Uint8Array, form: PictureForm): Uint8Array;
  close(): void;
}

export async function openPictureDecoder(assetsFolder: string): Promise<PictureDecoder> {
  const file = path.join(assetsFolder, 'vips/vips-node.cjs');
  const load = createRequire(file)(file) as typeof Vips;
  const vips = await load({
    dynamicLibraries: [],
    // Warnings are errors (fail_on), and need not be written on the terminal as well.
    preRun: (module: { ENV: Record<string, string> }) => {
      module.ENV['VIPS_WARNING'] = '0';
    },
    printErr: () => {},
  });
  vips.concurrency(1);
  vips.Cache.max(0);
  return {
    decode: (bytes, form) => decode(vips, bytes, form),
    close: () => {
      vips.shutdown();
    },
  };
}

function decode(vips: typeof Vips, bytes: Uint8Array, { size, channels }: PictureForm): Uint8Array {
  const damage = findJpegDamage(bytes);
  if (damage !== null) throw new Error(damage);
  const made: { delete(): void }[] = [];
  const keep = <T extends { delete(): void }>(image: T): T => {
    made.push(image);
    return image;
  };
  try {
    const resized = keep(
      vips.Image.thumbnailBuffer(bytes, size, { height: size, size: 'force', option_string: 'fail_on=warning' }),
    );
    const opaque = resized.hasAlpha() ? keep(resized.flatten({ background: [0, 0, 0] })) : resized;
    const coloured = keep(opaque.colourspace(channels === 1 ? 'b-w' : 'srgb'));
    const pixels = Uint8Array.from(coloured.writeToMemory());
    if (pixels.length !== size * size * channels) throw new Error(`it has ${coloured.bands} channels`);
    return pixels;
  } catch (cause) {
    // What libvips throws is an Error only where its words survive the way out of WebAssembly.
    const words = cause instanceof Error ? cause.message.trim().split('\n').at(-1)! : 'no picture, or a damaged one';
    throw new Error(words, { cause });
  } finally {
    for (const image of made) image.delete();
  }
}
