// The notices of what the bundles hold: each npm package with its version and licence, as esbuild says which files went in, and what
// reaches the extension by another way. Fails where a package has no licence text.
import fs from 'node:fs';
import path from 'node:path';

/** Copied or compiled into dist/ by the build without being bundled. */
const copied = ['@vscode/codicons', '@tensorflow/tfjs-node-gpu', 'assemblyscript', 'wasm-vips'];

/**
 * @param {string} root absolute
 * @param {readonly string[]} files that went into the bundles, relative to anything above their node_modules
 * @param {readonly string[]} others packages that come in by another way
 * @returns {string} the notices, sorted by package
 */
export function makeNotices(root, files, others = copied) {
  const folders = new Set(others.map((name) => `node_modules/${name}`));
  for (const folder of files.map(packageFolder)) if (folder) folders.add(folder);
  const notices = [...folders].map((folder) => noticeOf(path.join(root, folder), root));
  const unique = new Map(notices.map((notice) => [`${notice.name} ${notice.version}`, notice]));
  const sorted = [...unique.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const head = 'Kafscope holds the following packages, each under its own licence.\n';
  return [
    head,
    ...sorted.map(({ name, version, licence, text }) => `${name} ${version}\n${licence}\n\n${text}\n`),
  ].join(`\n${'─'.repeat(80)}\n\n`);
}

/** `node_modules/a/node_modules/@b/c` of a file in it; null for a file of ours. */
export function packageFolder(file) {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file.split(path.sep).join('/'));
  return match ? match[1].replace(/^.*?(?=node_modules\/)/, '') : null;
}

function noticeOf(folder, root) {
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const { name, version, license } = manifest;
  const texts = fs
    .readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice|thirdpartynotices?)/i.test(file) && !/\.(js|ts|json)$/.test(file))
    .sort()
    .map((file) => fs.readFileSync(path.join(folder, file), 'utf8').trim());
  const text = texts.length > 0 ? texts.join('\n\n') : textOf(manifest, root);
  if (!text) throw new Error(`${name} ${version} is bundled and has no licence text; name it in scripts/notices.mjs.`);
  return { name, version, licence: typeof license === 'string' ? license : 'see below', text };
}

/**
 * Of packages that name licence and author in package.json alone: the licence's text as a neighbour has it.
 * @returns {string | null} null where there is none to take it from
 */
function textOf({ name, license, author }, root) {
  const holder = (typeof author === 'string' ? author : author?.name) ?? `the authors of ${name}`;
  const file = { MIT: 'LICENSE', 'Apache-2.0': 'node_modules/assemblyscript/LICENSE' }[license];
  if (!file || !fs.existsSync(path.join(root, file))) return null;
  const text = fs.readFileSync(path.join(root, file), 'utf8').trim();
  return license === 'MIT'
    ? text.replace(/^Copyright .*$/m, `Copyright (c) ${holder}`)
    : `Copyright ${holder}\n\n${text}`;
}
