// Writes docs/experiment.md from the description of the keys in server/experiment.
//   node scripts/node24.mjs scripts/experimentDocs.mjs [--check]
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { experimentMarkdown } from '../server/experiment/experimentMarkdown.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const file = path.join(root, 'docs/experiment.md');
const text = await prettier.format(experimentMarkdown(), {
  ...(await prettier.resolveConfig(file)),
  parser: 'markdown',
});

if (process.argv.includes('--check')) {
  const found = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  if (found !== text) {
    process.stderr.write(
      'docs/experiment.md is not up to date: run node scripts/node24.mjs scripts/experimentDocs.mjs\n',
    );
    process.exitCode = 1;
  }
} else {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}
