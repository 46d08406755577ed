// A setup file of vitest (scripts/mutantTests.mjs): writes down which parts of the traced sources each test reaches, and how long
// it takes. What a worker thread or another process reaches is not seen.
import fs from 'node:fs';
import { afterAll, afterEach, beforeEach } from 'vitest';

const outside = new Set();
const cases = [];
let inside = null;
let sinceMs = 0;

globalThis.kafscopeReached = (part) => {
  (inside ?? outside).add(part);
};

beforeEach(() => {
  inside = new Set();
  sinceMs = performance.now();
});

afterEach(({ task }) => {
  cases.push({ id: task.id, ms: performance.now() - sinceMs, parts: [...inside] });
  inside = null;
});

// Hooks after all of the file's own, which belong to every test of it.
afterAll(() => {
  fs.writeFileSync(process.env.KAFSCOPE_REACHED, JSON.stringify({ cases, outside: [...outside] }));
});
