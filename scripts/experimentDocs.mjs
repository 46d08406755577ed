// Writes docs/experiment.md and docs/formulas.md from what server/experiment and server/formula say of themselves.
//   node scripts/node24.mjs scripts/experimentDocs.mjs [--check]
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { experimentMarkdown } from '../server/experiment/experimentMarkdown.ts';
import { formulaMarkdown } from '../server/experiment/formulaMarkdown.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const documents = { 'docs/experiment.md': experimentMarkdown(), 'docs/formulas.md': formulaMarkdown() };

for (const [name, content] of Object.entries(documents)) {
  const file = path.join(root, name);
  const text = await prettier.format(content, { ...(await prettier.resolveConfig(file)), parser: 'markdown' });
  if (!process.argv.includes('--check')) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  } else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`${name} is not up to date: run node scripts/node24.mjs scripts/experimentDocs.mjs\n`);
    process.exitCode = 1;
  }
}
