// Install TensorFlow…: the command line's installer in a terminal, where its progress shows and Ctrl+C stops it. Asks first.
import * as vscode from 'vscode';

interface Choice extends vscode.QuickPickItem {
  readonly flags: readonly string[];
}

const forCpu: Choice = { label: 'For the CPU', description: 'about 280 MB, 0.9 GB on the disk', flags: [] };
const forGpu: Choice = {
  label: 'For NVIDIA GPUs',
  description: 'with the CUDA libraries: 3.3 GB, 6 GB on the disk',
  flags: ['--gpu'],
};

export async function installTensorflow(extensionUri: vscode.Uri): Promise<void> {
  const hasGpuBuild = process.platform === 'linux' && process.arch === 'x64';
  const chosen = await vscode.window.showQuickPick(hasGpuBuild ? [forCpu, forGpu] : [forCpu], {
    title: "Install TensorFlow's library with pip",
    placeHolder: 'Which build? It goes into a folder of Kafscope, not into your Python.',
  });
  if (!chosen) return;
  const terminal = vscode.window.createTerminal({
    name: 'Install TensorFlow',
    shellPath: process.execPath,
    shellArgs: [
      vscode.Uri.joinPath(extensionUri, 'dist', 'cli.cjs').fsPath,
      ...['install', 'tensorflow', ...chosen.flags],
    ],
    env: { ELECTRON_RUN_AS_NODE: '1' },
  });
  terminal.show();
  // A terminal closes when its program ends well, and its last words with it.
  const closed = vscode.window.onDidCloseTerminal((one) => {
    if (one !== terminal) return;
    closed.dispose();
    if (terminal.exitStatus?.code !== 0) return;
    void vscode.window.showInformationMessage(
      'TensorFlow is installed. Train with it by "runtime: tensorflow" in an experiment, or by the setting kafscope.runtime.',
    );
  });
}
