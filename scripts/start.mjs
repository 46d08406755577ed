// `npm start`: installs, builds, packages the extension and opens VS Code on an example workspace: desktop VS Code where `code`
// is found, else code-server on 127.0.0.1, whose address it prints.
//   --browser  code-server even where there is a desktop VS Code
//   --port N   code-server's port (default: 8383, or a free one where that is taken)
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { checkMachine, installCodeServer, installPackages, root, run, SetupError, which } from './install.mjs';

const workspace = path.join(root, 'workspace');
const firstExperiment = path.join(workspace, 'kaf-light.kaf.yaml');

try {
  checkMachine();
  await installPackages();
  await run(process.execPath, ['scripts/node24.mjs', 'scripts/package.mjs'], { cwd: root });
  makeWorkspace();
  const desktop = process.argv.includes('--browser') ? undefined : which('code');
  if (desktop) await openDesktop(desktop);
  else await openBrowser();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}

/** A copy of the examples, made once, so that trying things out changes nothing in the project. */
function makeWorkspace() {
  if (!fs.existsSync(workspace)) fs.cpSync(path.join(root, 'examples'), workspace, { recursive: true });
}

async function openDesktop(code) {
  await run(code, ['--new-window', `--extensionDevelopmentPath=${root}`, workspace, firstExperiment], { cwd: root });
  console.log('\nVS Code is opening. Press “▶ Train” above the first line of kaf-light.kaf.yaml.');
}

async function openBrowser() {
  if (process.platform === 'win32') {
    throw new SetupError(
      'No desktop VS Code was found: install it, and its command "code" on the PATH, then try again.',
    );
  }
  await installCodeServer();
  const { installExtension, serve } = await import('./codeServer.mjs');
  const state = path.join(root, 'scripts/codeServer/state');
  const vsix = newestVsix();
  installExtension(state, vsix);
  const port = argumentAfter('--port');
  const server = await serve(state, {
    folder: workspace,
    file: firstExperiment,
    password: true,
    ...(port ? { port: Number(port) } : {}),
  });
  console.log(`\nVS Code is open at  ${server.address}\n  password  ${server.password}\n`);
  console.log(
    'Press “▶ Train” above the first line of kaf-light.kaf.yaml. Ctrl+C ends it; training runs that go on end with a checkpoint.',
  );
  openInBrowser(server.address);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void server.close().then(() => process.exit(0)));
}

function newestVsix() {
  const files = fs.readdirSync(path.join(root, 'dist')).filter((file) => file.endsWith('.vsix'));
  const [newest] = files
    .map((file) => path.join(root, 'dist', file))
    .sort((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs);
  if (!newest) throw new SetupError('The extension was not packaged: dist/ holds no .vsix file.');
  return newest;
}

/** Shows the address where there is a desktop; a machine without one has printed it. */
function openInBrowser(address) {
  const opener = process.platform === 'darwin' ? 'open' : which('xdg-open');
  if (!opener || (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY)) return;
  spawn(opener, [address], { stdio: 'ignore', detached: true }).unref();
}

function argumentAfter(flag) {
  const index = process.argv.indexOf(flag);
  return index < 0 ? undefined : process.argv[index + 1];
}
