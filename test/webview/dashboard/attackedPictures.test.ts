import { expect, test } from 'vitest';
import type { AttackedImages } from '../../../server/protocol/attackedImages.ts';
import { imageCaption, pictureBytes } from '../../../webview/dashboard/attackedPictures.ts';

const images: AttackedImages = {
  ...{ first: 0, total: 4, classes: ['cat', 'dog'], shape: [1, 2, 1] },
  clean: Float32Array.of(0, 1, 0.2, 0.4, 0, 0, 0, 0),
  attacked: Float32Array.of(0, 1, 0.22, 0.1, 0, 0, 0, 0),
  labels: Int32Array.of(0, 0, 1, 7),
  predictions: Int32Array.of(0, 1, 0, 7),
  distances: Float32Array.of(0, 0.3, 0, 0.02),
  outcomes: Uint8Array.of(2, 1, 0, 2),
};

test('a picture is followed by its change ten times as large about grey, and by itself attacked', () => {
  expect([...pictureBytes(images, 0)]).toEqual([0, 255, 128, 128, 0, 255]);
  expect([...pictureBytes(images, 1)]).toEqual([51, 102, 178, 0, 56, 26]);
});

test('its caption says what it is, what it is taken for, and how far that took', () => {
  expect(imageCaption(images, 0, 'linf')).toEqual({ text: 'cat stands', isFooled: false });
  expect(imageCaption(images, 1, 'linf')).toEqual({ text: 'cat → dog · 76.5/255', isFooled: true });
  expect(imageCaption(images, 1, 'l2')).toEqual({ text: 'cat → dog · 0.3', isFooled: true });
  expect(imageCaption(images, 2, 'linf')).toEqual({ text: 'dog, taken for cat as it is', isFooled: false });
  // Fooled beyond ε, by an attack that looks for the nearest; a class without a name.
  expect(imageCaption(images, 3, 'linf')).toEqual({ text: '7 → 7 · 5.1/255', isFooled: false });
});
