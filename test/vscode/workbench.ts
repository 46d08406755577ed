// A real VS Code workbench (code-server) with the packaged extension in a real browser, driven by Playwright.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium, type Browser, type Frame, type Page } from 'playwright-core';
import { guardMs, installExtension, serve } from '../../scripts/codeServer.mjs';
import { findChromium, root } from '../../scripts/install.mjs';

/** A key that the workbench loses while it restores is pressed again after this, however long it takes until one is heard. */
export const pressAgainMs = 1500;

const browserFlags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', // nothing may need the internet
];

export interface WorkbenchOptions {
  /** Absolute path of the workspace to open. */
  readonly folder: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Absolute paths of further extensions' `.vsix` files. */
  readonly extensions?: readonly string[];
  /** Opens the folder in Restricted Mode; without it every folder is trusted. */
  readonly isRestricted?: boolean;
  readonly viewport?: { readonly width: number; readonly height: number };
}

export class Workbench {
  readonly page: Page;
  readonly consoleErrors: readonly string[];
  readonly offMachine: ReadonlySet<string>;
  /** Absolute path of this VS Code's own folder of settings and state. */
  readonly userFolder: string;
  readonly #folder: string;
  readonly #close: () => Promise<void>;
  readonly #screenshots: string;

  private constructor(
    page: Page,
    seen: Seen,
    { userFolder, folder }: { userFolder: string; folder: string },
    close: () => Promise<void>,
  ) {
    this.page = page;
    this.userFolder = userFolder;
    this.#folder = folder;
    this.consoleErrors = seen.consoleErrors;
    this.offMachine = seen.offMachine;
    this.#close = close;
    this.#screenshots = process.env.KAFSCOPE_SCREENSHOTS ?? path.join(root, 'test-results/screenshots');
  }

  /** Installs the packaged extension into a fresh VS Code and opens the folder. */
  static async open(options: WorkbenchOptions): Promise<Workbench> {
    const state = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-workbench-'));
    for (const file of [packagedExtension(), ...(options.extensions ?? [])]) installExtension(state, file);
    const server = await serve(state, {
      folder: options.folder,
      settings: { 'git.enabled': false, ...(options.isRestricted ? restricted : {}), ...options.settings },
      asksForTrust: options.isRestricted === true,
    });
    const browser: Browser = await chromium.launch({
      executablePath: await findChromium(),
      args: browserFlags,
      timeout: guardMs,
    });
    const context = await browser.newContext({ viewport: options.viewport ?? { width: 1400, height: 900 } });
    context.setDefaultTimeout(guardMs);
    const page = await context.newPage();
    const seen = watch(page);
    const payload = JSON.stringify([
      ['skipWelcome', 'true'],
      ['skipReleaseNotes', 'true'],
    ]);
    await page.goto(`${server.address}&payload=${encodeURIComponent(payload)}`);
    await page.locator('.monaco-workbench .activitybar').waitFor();
    const folders = { userFolder: path.join(state, 'user'), folder: options.folder };
    return new Workbench(page, seen, folders, async () => {
      await context.close(); // first the page, else the extension host lives on for its grace time
      await browser.close();
      await server.close();
      fs.rmSync(state, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    });
  }

  /** Runs a command by its palette title, e.g. `Kafscope: Train`. */
  async runCommand(title: string): Promise<void> {
    await this.#pick('F1', `>${title}`, title);
  }

  async openFile(name: string): Promise<void> {
    await this.#pick('Control+P', name, name);
  }

  /** Opens the quick input by a key, types, and takes the row once it is there: a key that comes late would empty the input again. */
  async #pick(key: string, typed: string, row: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input').first();
    const found = this.page.locator('.quick-input-list .monaco-list-row', { hasText: row }).first();
    await until(`the quick input by ${key}`, async () => {
      await this.page.keyboard.press(key);
      return input.waitFor({ state: 'visible', timeout: pressAgainMs }).then(
        () => true,
        () => false,
      );
    });
    await until(`${row} in the quick input`, async () => {
      if ((await input.inputValue()) !== typed) await input.fill(typed);
      return (await found.isVisible()) && (await input.inputValue()) === typed;
    });
    await this.page.keyboard.press('Enter');
  }

  /** The frame of the webview in which the selector matches something. */
  async webviewWith(selector: string): Promise<Frame> {
    let found: Frame | undefined;
    await until(`a webview with ${selector}`, async () => {
      for (const frame of this.page.frames()) {
        const count = await frame
          .locator(selector)
          .count()
          .catch(() => 0); // a frame may go while it is asked
        if (count > 0) found = frame;
      }
      return found !== undefined;
    });
    if (!found) throw new Error(`no webview with ${selector}`);
    return found;
  }

  /** By the command, as a person does: the browser's own reload may come before the workbench has stored which editors are open. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.runCommand('Developer: Reload Window');
    await loaded;
    await this.page.locator('.monaco-workbench .activitybar').waitFor();
  }

  /** Changes the colour theme by the workspace's settings, and waits until it shows. */
  async useTheme(theme: keyof typeof themes): Promise<void> {
    const file = path.join(this.#folder, '.vscode/settings.json');
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const settings = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as object) : {};
    fs.writeFileSync(file, JSON.stringify({ ...settings, 'workbench.colorTheme': themes[theme].name }));
    await this.page.locator(`.monaco-workbench.${themes[theme].className}`).waitFor();
  }

  async screenshot(name: string): Promise<void> {
    fs.mkdirSync(this.#screenshots, { recursive: true });
    await this.page.screenshot({ path: path.join(this.#screenshots, `${name}.png`) });
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

export const themes = {
  dark: { name: 'Default Dark Modern', className: 'vs-dark' },
  light: { name: 'Default Light Modern', className: 'vs' },
  'high-contrast': { name: 'Default High Contrast', className: 'hc-black' },
  'high-contrast-light': { name: 'Default High Contrast Light', className: 'hc-light' },
} as const;

const restricted = {
  'security.workspace.trust.enabled': true,
  'security.workspace.trust.startupPrompt': 'never',
};

/** Waits until the condition holds. @throws Error naming what it waited for, where that seems to come never. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + guardMs;
  for (; performance.now() < end; await delay(100)) if (await condition()) return;
  throw new Error(`waited ${String(guardMs / 60_000)} minutes for ${what}`);
}

interface Seen {
  readonly consoleErrors: string[];
  readonly offMachine: Set<string>;
}

function watch(page: Page): Seen {
  const seen: Seen = { consoleErrors: [], offMachine: new Set() };
  page.on('request', (request) => {
    const { protocol, hostname, origin } = new URL(request.url());
    const isLocal = hostname === '127.0.0.1' || hostname.includes('vscode-resource');
    if (/^(https?|wss?):/.test(protocol) && !isLocal) seen.offMachine.add(origin);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') seen.consoleErrors.push(message.text().slice(0, 300));
  });
  return seen;
}

function packagedExtension(): string {
  const folder = path.join(root, 'dist');
  const found = fs.readdirSync(folder).find((file) => file.endsWith('.vsix'));
  if (!found) throw new Error('dist/ holds no .vsix file: run "npm run package" first');
  return path.join(folder, found);
}
