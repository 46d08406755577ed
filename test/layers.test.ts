// Reads the imports of the sources: layers import only downwards, extension and webview only the protocol, no cycles.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/** What each layer may import besides itself and the layers that those may import. */
const mayImport: Record<string, readonly string[]> = {
  'server/formula': [],
  'server/protocol': ['server/formula'],
  'server/network': ['server/protocol'],
  'server/health': ['server/network'],
  'server/experiment': ['server/network'],
  'server/tensor': ['server/protocol'],
  'server/data': ['server/experiment', 'server/tensor'],
  'server/model': ['server/experiment', 'server/tensor'],
  'server/probe': ['server/experiment', 'server/tensor'],
  'server/attack': ['server/data', 'server/model', 'server/probe'],
  'server/certificate': ['server/attack'],
  'server/detector': ['server/attack'],
  'server/trainer': ['server/certificate', 'server/detector'],
  'server/run': ['server/trainer', 'server/health'],
  'server/sweep': ['server/run'],
  'server/rpc': ['server/sweep'],
  'server/terminal': ['server/rpc'],
  'server/language': ['server/experiment'],
  server: ['server/terminal', 'server/language'],
  extension: ['server/health'],
  webview: ['server/health'],
};

const layers = Object.keys(mayImport).sort((a, b) => b.length - a.length);

interface Import {
  readonly from: string;
  readonly to: string;
}

function sourceFiles(folder: string): string[] {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => path.posix.join(folder, file.split(path.sep).join('/')))
    .filter((file) => file.endsWith('.ts') && !file.includes('/assembly/'));
}

function importsOf(file: string): Import[] {
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  const specifiers = text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g);
  return [...specifiers].map(([, specifier]) => ({
    from: file,
    to: path.posix.join(path.posix.dirname(file), specifier ?? ''),
  }));
}

function layerOf(file: string): string {
  return layers.find((layer) => file.startsWith(`${layer}/`)) ?? `no layer: ${file}`;
}

function reachable(layer: string): Set<string> {
  const found = new Set([layer]);
  for (const next of mayImport[layer] ?? []) for (const deeper of reachable(next)) found.add(deeper);
  return found;
}

function importsAgainstTheLayers(imports: readonly Import[]): string[] {
  return imports
    .filter(({ from, to }) => !reachable(layerOf(from)).has(layerOf(to)))
    .map(({ from, to }) => `${from} imports ${to}`);
}

function findCycle(imports: readonly Import[]): string[] | null {
  const graph = new Map<string, string[]>();
  for (const { from, to } of imports) graph.set(from, [...(graph.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): string[] | null => {
    const start = trail.indexOf(file);
    if (start >= 0) return [...trail.slice(start), file];
    if (done.has(file)) return null;
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...trail, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return null;
}

describe('layers', () => {
  const imports = ['server', 'extension', 'webview'].flatMap(sourceFiles).flatMap(importsOf);

  it('every layer imports only itself and the layers below it', () => {
    expect(imports.length).toBeGreaterThan(50);
    expect(importsAgainstTheLayers(imports)).toEqual([]);
  });

  it('no import closes a cycle', () => {
    expect(findCycle(imports)).toBeNull();
  });

  it('every relative import names a file that exists', () => {
    const missing = imports.filter(({ to }) => !fs.existsSync(path.join(root, to)));
    expect(missing.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it('an import against the layers, and a cycle, are found', () => {
    const upward = { from: 'server/tensor/a.ts', to: 'server/trainer/b.ts' };
    expect(importsAgainstTheLayers([upward, { from: 'webview/a.ts', to: 'server/run/b.ts' }])).toHaveLength(2);
    expect(findCycle([upward, { from: upward.to, to: upward.from }])).toEqual([upward.from, upward.to, upward.from]);
  });
});
