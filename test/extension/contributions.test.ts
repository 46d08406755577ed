// package.json against the code: what is declared is what is registered.
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  checkpointViewType,
  commandIds,
  contextKeys,
  dashboardViewType,
  settingKeys,
  viewIds,
  walkthroughId,
} from '../../extension/contributions.ts';
import { usualCacheGb } from '../../server/protocol/userData.ts';

interface Manifest {
  name: string;
  publisher: string;
  icon: string;
  activationEvents: string[];
  contributes: {
    commands: { command: string; title: string; category: string; icon: string }[];
    views: Record<string, { id: string; type?: string; icon: string }[]>;
    viewsContainers: { activitybar: { id: string; icon: string }[] };
    viewsWelcome: { view: string; contents: string; when: string }[];
    menus: Record<string, { command: string; when?: string }[]>;
    keybindings: { command: string; when: string }[];
    customEditors: { viewType: string }[];
    configurationDefaults: { 'files.associations': Record<string, string> };
    configuration: {
      properties: Record<string, { default: unknown; description?: string; markdownDescription?: string }>;
    };
    walkthroughs: { id: string; steps: { description: string; media: { image: Record<string, string> } }[] }[];
  };
}

const root = new URL('../../', import.meta.url);
const manifest = JSON.parse(fs.readFileSync(new URL('package.json', root), 'utf8')) as Manifest;
const { contributes } = manifest;

describe('package.json declares exactly what the extension registers', () => {
  test('commands, each with title, category and icon', () => {
    expect(contributes.commands.map(({ command }) => command).sort()).toEqual([...commandIds].sort());
    for (const { title, category, icon } of contributes.commands) {
      expect(title).not.toBe('');
      expect(category).toBe('Kafscope');
      expect(icon).toMatch(/^\$\([a-z-]+\)$/);
    }
  });

  test('views', () => {
    const declared = contributes.viewsContainers.activitybar.flatMap(({ id }) => contributes.views[id] ?? []);
    expect(declared.map(({ id }) => id).sort()).toEqual(Object.values(viewIds).sort());
    expect(declared.filter(({ type }) => type === 'webview').map(({ id }) => id)).toEqual([viewIds.monitor]);
  });

  test('settings, each with a default and a description', () => {
    const { properties } = contributes.configuration;
    expect(Object.keys(properties).sort()).toEqual([...settingKeys].sort());
    for (const setting of Object.values(properties)) {
      expect(setting.default).toBeDefined();
      expect(setting.description ?? setting.markdownDescription).toBeTruthy();
    }
    expect(properties['kafscope.cacheSize']!.default).toBe(usualCacheGb);
  });

  test('the custom editor, the panel to bring back, and the walkthrough', () => {
    expect(contributes.customEditors.map(({ viewType }) => viewType)).toEqual([checkpointViewType]);
    expect(manifest.activationEvents).toContain(`onWebviewPanel:${dashboardViewType}`);
    const walkthroughs = contributes.walkthroughs.map(({ id }) => `${manifest.publisher}.${manifest.name}#${id}`);
    expect(walkthroughs).toEqual([walkthroughId]);
  });
});

describe('the extension wakes up', () => {
  // A search for experiments finds nothing without a folder, and VS Code gives it up after 7 s in a large one.
  test('for an experiment that is opened from anywhere', () => {
    const language = contributes.configurationDefaults['files.associations']['*.kaf.yaml'];
    expect(manifest.activationEvents).toContain(`onLanguage:${String(language)}`);
  });

  test('for a dashboard that comes back', () => {
    expect(manifest.activationEvents).toContain(`onWebviewPanel:${dashboardViewType}`);
  });
});

describe('package.json names nothing that is not there', () => {
  const known = new Set<string>(commandIds);

  test('menus show declared commands, keys run them', () => {
    const items = [...Object.values(contributes.menus).flat(), ...contributes.keybindings];
    const shown = items.map(({ command }) => command);
    expect(shown.filter((command) => !known.has(command))).toEqual([]);
  });

  test('links of welcome views and walkthrough run declared commands or VS Code’s own', () => {
    const texts = [
      ...contributes.viewsWelcome.map(({ contents }) => contents),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description)),
    ];
    const linked = texts.flatMap((text) => [...text.matchAll(/\(command:([\w.]+)\)/g)].map((match) => match[1] ?? ''));
    expect(linked.length).toBeGreaterThan(5);
    const own = ['vscode.openFolder', 'workbench.trust.manage'];
    expect(linked.filter((command) => !known.has(command) && !own.includes(command))).toEqual([]);
  });

  test('`when` clauses read context keys that are kept, and views that exist', () => {
    const { menus, viewsWelcome, keybindings } = contributes;
    const clauses = [...Object.values(menus).flat(), ...viewsWelcome, ...keybindings].flatMap(({ when }) =>
      when === undefined ? [] : [when],
    );
    const names = clauses.flatMap((clause) => clause.match(/\bkafscope\.\w+/g) ?? []);
    const kept = new Set<string>([...Object.values(contextKeys), ...Object.values(viewIds)]);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !kept.has(name))).toEqual([]);
  });

  test('icons and walkthrough pages are files', () => {
    const files = [
      manifest.icon,
      ...contributes.viewsContainers.activitybar.map(({ icon }) => icon),
      ...Object.values(contributes.views).flatMap((views) => views.map(({ icon }) => icon)),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.flatMap(({ media }) => Object.values(media.image))),
    ];
    expect(files.filter((file) => !fs.existsSync(new URL(file, root)))).toEqual([]);
  });
});
