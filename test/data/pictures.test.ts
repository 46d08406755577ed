import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findJpegDamage } from '../../server/data/jpegDamage.ts';
import { openPictureDecoder, type PictureDecoder } from '../../server/data/pictures.ts';
import { readGolden } from '../golden/readGolden.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';

interface Picture {
  /** Base 64. */
  readonly file: string;
  readonly quarters: readonly (readonly number[])[] | null;
}

/** As Pillow writes them. */
const golden = readGolden<{ readonly pictures: Readonly<Record<string, Picture>> }>('pictures');
const pictures = Object.entries(golden.pictures).map(([name, { file, quarters }]) => ({
  ...{ name, quarters, bytes: Buffer.from(file, 'base64') },
}));
const size = 8;
const form = { size, channels: 3 } as const;

let decoder: PictureDecoder;

beforeAll(async () => {
  decoder = await openPictureDecoder(assetsFolder);
});

afterAll(() => {
  decoder.close();
});

describe('a picture', () => {
  it.each(pictures.filter(({ quarters }) => quarters))(
    'has the colours that one sees, upright, on black where it is transparent: $name',
    ({ bytes, quarters }) => {
      const pixels = decoder.decode(bytes, form);
      const corners = [0, size - 1, size * (size - 1), size * size - 1].map((at) => [
        ...pixels.slice(3 * at, 3 * at + 3),
      ]);
      corners.forEach((corner, quarter) => {
        corner.forEach((value, channel) => {
          expect(Math.abs(value - quarters![quarter]![channel]!), `${corners.join(' | ')}`).toBeLessThanOrEqual(12);
        });
      });
    },
  );

  it('of any size, quality and kind of JPEG is read, and nothing wrong found in it', () => {
    for (const { name, bytes } of pictures) {
      expect(findJpegDamage(bytes), name).toBeNull();
      expect(decoder.decode(bytes, form), name).toHaveLength(3 * size * size);
    }
  });

  it('that is a JPEG or PNG with a hole of zeros in it is refused', () => {
    for (const name of ['photo.jpg', 'photoGrey.jpg', 'plain.png']) {
      const { bytes } = pictures.find((picture) => picture.name === name)!;
      const middle = Math.floor(0.7 * bytes.length);
      const holed = Buffer.from(bytes).fill(0, middle, middle + Math.min(512, Math.floor(0.2 * bytes.length)));
      expect(() => decoder.decode(holed, form), name).toThrow();
      expect(decoder.decode(bytes, form), `${name} after it`).toHaveLength(3 * size * size);
    }
  });
});
