// What is written today must be read by later versions: bytes on the wire and on the disk, and the numbers that name errors.
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../server/protocol/codec.ts';
import { requestErrorCodes } from '../../server/protocol/errors.ts';
import { issueText } from '../../server/protocol/issue.ts';

describe('the codec', () => {
  it('marks float32, float64 and int32 arrays by the types 1, 2 and 3, values little-endian', () => {
    expect([...encode(Float32Array.of(1))]).toEqual([0xd6, 1, 0, 0, 0x80, 0x3f]);
    expect([...encode(Float64Array.of(1))]).toEqual([0xd7, 2, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    expect([...encode(Int32Array.of(258))]).toEqual([0xd6, 3, 2, 1, 0, 0]);
  });

  it('leaves out what is undefined', () => {
    expect(decode(encode({ a: undefined, b: null }))).toEqual({ b: null });
  });
});

it('an error keeps its number', () => {
  expect(requestErrorCodes).toMatchObject({
    ...{ badExperiment: 1001, unknownRun: 1002, wrongState: 1003, unknownFile: 1004 },
    ...{ versionMismatch: 1005, trainerFailed: 1006, storageFailed: 1007, internal: 1099 },
  });
  expect(new Set(Object.values(requestErrorCodes)).size).toBe(Object.keys(requestErrorCodes).length);
});

it('an issue of a value starts with its path, one of the whole file does not', () => {
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
  const issue = { range, severity: 'error', expected: 'a number', got: '"fast"', remedy: 'Change it.' } as const;
  expect(issueText({ ...issue, path: 'seed' })).toBe('seed: expected a number, got "fast"');
  expect(issueText({ ...issue, path: '' })).toBe('expected a number, got "fast"');
});
