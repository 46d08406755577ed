// Runs code-server, VS Code in a browser, on 127.0.0.1 with a state folder of its own: nothing of it touches the user's home.
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeServerFolder, SetupError } from './install.mjs';
import { supportedNode } from './node24.mjs';

const entry = path.join(codeServerFolder, 'node_modules/code-server/out/node/entry.js');
const preferredPort = 8383;

/**
 * Against hanging for ever, and for nothing else, here and in the tests of panels and of VS Code: it bounds no work, so that a machine may
 * be as slow as it likes. What can't come any more is told by an event (a status, an ended process).
 */
export const guardMs = 900_000;

const settings = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.enableExperiments': false,
  'window.restoreWindows': 'preserve', // else the file that the address names would be all that a reload brings back
  'workbench.tips.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'chat.disableAIFeatures': true,
  'security.workspace.trust.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'remote.autoForwardPorts': false,
};

/** @throws SetupError with the program's own words. */
export function installExtension(state, vsix) {
  const args = [entry, ...stateFlags(state), '--install-extension', vsix, '--force'];
  const result = spawnSync(supportedNode(), args, { env: environment(state), encoding: 'utf8' });
  if (result.status !== 0)
    throw new SetupError(`${path.basename(vsix)} does not install: ${result.stdout}${result.stderr}`);
}

/**
 * Starts code-server and waits until it answers.
 * @param {string} state folder for settings, extensions and logs
 * @param {{folder: string, file?: string, port?: number, password?: boolean, settings?: object, asksForTrust?: boolean}} options
 * @returns {Promise<{address: string, port: number, password?: string, logFile: string, close(): Promise<void>}>}
 */
export async function serve(state, options) {
  const password = options.password ? storedPassword(state) : undefined;
  writeSettings(state, options.settings ?? {});
  const port = await choosePort(options);
  const env = environment(state);
  if (password) env.PASSWORD = password;
  const logFile = path.join(state, 'server.log');
  const log = fs.openSync(logFile, 'w');
  const flags = [
    ...['--bind-addr', `127.0.0.1:${port}`, '--auth', password ? 'password' : 'none', '--disable-telemetry'],
    ...['--disable-update-check', '--disable-getting-started-override'],
    ...(options.asksForTrust ? [] : ['--disable-workspace-trust']),
    ...['--disable-proxy', '--ignore-last-opened', '--reconnection-grace-time', '5'],
  ];
  const child = spawn(supportedNode(), [entry, ...stateFlags(state), ...flags], {
    env,
    cwd: state,
    stdio: ['ignore', log, log],
    detached: true,
  });
  const killGroup = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  process.on('exit', killGroup);

  const payload = options.file
    ? `&payload=${encodeURIComponent(JSON.stringify([['openFile', `vscode-remote://127.0.0.1:${port}${options.file}`]]))}`
    : '';
  const address = `http://127.0.0.1:${port}/?folder=${encodeURIComponent(options.folder)}${payload}`;
  for (const end = performance.now() + guardMs; ; await delay(100)) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (answer?.status === 200) break;
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > end) {
      killGroup();
      throw new SetupError(
        `The browser VS Code did not start; it says:\n${fs.readFileSync(logFile, 'utf8').slice(-2000)}`,
      );
    }
  }
  return {
    address,
    port,
    ...(password ? { password } : {}),
    logFile,
    async close() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await delay(500); // its file watcher ends last
      killGroup();
      process.off('exit', killGroup);
    },
  };
}

function stateFlags(state) {
  return [
    '--config',
    `${state}/config.yaml`,
    '--user-data-dir',
    `${state}/user`,
    '--extensions-dir',
    `${state}/extensions`,
  ];
}

/** Keeps code-server's files in the state folder (the home stays the user's); temporary files not, as socket paths must be short. */
function environment(state) {
  const temporary = path.join(
    os.tmpdir(),
    `kafscope-${crypto.createHash('sha1').update(state).digest('hex').slice(0, 8)}`,
  );
  for (const folder of [`${state}/user/User`, `${state}/extensions`, `${state}/xdg`, temporary]) {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VSCODE_|ELECTRON_)/.test(name));
  return {
    ...Object.fromEntries(inherited),
    XDG_CONFIG_HOME: `${state}/xdg`,
    XDG_DATA_HOME: `${state}/xdg`,
    XDG_RUNTIME_DIR: temporary,
    TMPDIR: temporary,
    EXTENSIONS_GALLERY: '{}',
  };
}

/** Settings the user changed in an earlier session stay; ours fill what is missing. */
function writeSettings(state, extra) {
  environment(state);
  fs.writeFileSync(`${state}/config.yaml`, 'cert: false\n');
  const file = `${state}/user/User/settings.json`;
  const earlier = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  fs.writeFileSync(file, JSON.stringify({ ...settings, ...earlier, ...extra }, null, 2));
}

function storedPassword(state) {
  const file = path.join(state, 'password');
  if (!fs.existsSync(file)) {
    fs.mkdirSync(state, { recursive: true, mode: 0o700 });
    fs.writeFileSync(file, crypto.randomBytes(12).toString('base64url'), { mode: 0o600 });
  }
  return fs.readFileSync(file, 'utf8');
}

async function choosePort({ port, password }) {
  if (port !== undefined) {
    if (await isFree(port)) return port;
    throw new SetupError(`Port ${port} of 127.0.0.1 is taken. Choose another with --port, or leave it out.`);
  }
  if (password && (await isFree(preferredPort))) return preferredPort;
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const chosen = server.address().port;
  server.close();
  await once(server, 'close');
  return chosen;
}

async function isFree(port) {
  const server = net.createServer();
  const free = await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  server.close();
  return free;
}
