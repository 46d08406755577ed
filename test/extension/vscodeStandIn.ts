// Stands in for VS Code's API where a test loads a module that uses it: what is made is plain data, what is asked is answered by the test.
//   vi.mock('vscode', () => import('../vscodeStandIn.ts'));
import { CancellationTokenSource, Emitter } from 'vscode-jsonrpc/node';

export { CancellationTokenSource, Emitter as EventEmitter };

export class TreeItem {
  readonly label: string;
  readonly collapsibleState: number;

  constructor(label: string, collapsibleState: number) {
    this.label = label;
    this.collapsibleState = collapsibleState;
  }
}

export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };

export const TreeItemCheckboxState = { Unchecked: 0, Checked: 1 };

export const QuickPickItemKind = { Separator: -1, Default: 0 };

export class ThemeColor {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

export class ThemeIcon {
  readonly id: string;
  readonly color: ThemeColor | undefined;

  constructor(id: string, color?: ThemeColor) {
    this.id = id;
    this.color = color;
  }
}

export class MarkdownString {
  value = '';

  appendMarkdown(text: string): void {
    this.value += text;
  }
}

export class Range {
  readonly places: readonly number[];

  constructor(...places: number[]) {
    this.places = places;
  }
}

export class CodeLens {
  readonly range: Range;
  readonly command: unknown;

  constructor(range: Range, command: unknown) {
    this.range = range;
    this.command = command;
  }
}

export const Uri = {
  joinPath: (base: { fsPath: string }, ...parts: string[]) => Uri.file([base.fsPath, ...parts].join('/')),
  file: (fsPath: string) => ({ scheme: 'file', fsPath, path: fsPath }),
};

export class RelativePattern {
  readonly base: unknown;
  readonly pattern: string;

  constructor(base: unknown, pattern: string) {
    this.base = base;
    this.pattern = pattern;
  }
}

/** Tells of every file alike. */
export const fileChanged = new Emitter<void>();

/** The settings that the test gives, by name. */
export const settings: Record<string, unknown> = {};

export const workspace = {
  isTrusted: true,
  getConfiguration: () => ({ get: (key: string) => settings[key], inspect: () => undefined }),
  createFileSystemWatcher: () => ({
    onDidChange: fileChanged.event,
    onDidCreate: fileChanged.event,
    dispose: () => undefined,
  }),
};

/** What was asked of the person, and by which function; answers are taken from the front, undefined where none is left. */
export const asked: { how: string; args: unknown[] }[] = [];
export const answers: unknown[] = [];

function ask(how: string) {
  return (...args: unknown[]) => {
    asked.push({ how, args });
    return Promise.resolve(answers.shift());
  };
}

export const window = {
  showWarningMessage: ask('showWarningMessage'),
  showErrorMessage: ask('showErrorMessage'),
  showInformationMessage: ask('showInformationMessage'),
  showOpenDialog: ask('showOpenDialog'),
  showQuickPick: ask('showQuickPick'),
  showInputBox: ask('showInputBox'),
  withProgress: (_: unknown, work: (progress: unknown, token: unknown) => unknown) =>
    work({ report: () => undefined }, new CancellationTokenSource().token),
};

export const ProgressLocation = { Notification: 15 };

export const commands = { executeCommand: ask('executeCommand') };
