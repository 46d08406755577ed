// The extension's composition root: makes the parts and wires them. What each does is in its own file.
import './plainSchemas.ts';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { commandTable } from './commands/commandTable.ts';
import { openAsExperiment } from './commands/newExperiment.ts';
import { MarkCommands } from './commands/markCommands.ts';
import { RunCommands } from './commands/runCommands.ts';
import { keepTrustKey, whenTrusted } from './commands/workspaceTrust.ts';
import { isVersionMismatch, ServerConnection } from './connection/serverConnection.ts';
import { readServerLock } from './connection/serverLock.ts';
import { followServerLog } from './connection/serverLog.ts';
import { libraryPlaces } from './connection/pythonEnvironments.ts';
import { endServer } from './connection/endServer.ts';
import { startServerProcess } from './connection/serverProcess.ts';
import { libraryEnvironment } from './connection/libraryPlaces.ts';
import { userSlurm } from './sweeps/slurmSettings.ts';
import { cacheLimitVariable, schedulerVariable } from '../server/protocol/userData.ts';
import type { SettingKey } from './contributions.ts';
import { checkpointViewType, compareViewType, dashboardViewType, experimentGlob, viewIds } from './contributions.ts';
import { startLanguageClient } from './experiments/experimentLanguage.ts';
import { EstimateLens } from './experiments/estimateLens.ts';
import { ResultLens } from './experiments/resultLens.ts';
import { ExperimentsTree } from './experiments/experimentsTree.ts';
import { CheckpointEditor } from './panels/checkpointEditor.ts';
import { ComparePanels } from './panels/comparePanel.ts';
import { Dashboards } from './panels/dashboardPanel.ts';
import { DatasetPanels } from './panels/datasetPanel.ts';
import { LearningRatePanels } from './panels/learningRatePanel.ts';
import { KeptViews } from './panels/keptViews.ts';
import { MonitorView } from './panels/monitorView.ts';
import { panelIntents } from './panels/panelIntents.ts';
import { LocalMarks, withLocalMark } from './runs/localMarks.ts';
import { keepContextKeys } from './runs/runContext.ts';
import { chooseRunsFolder, prepareRunsFolder } from './runs/runsFolder.ts';
import { createRunStatusBar } from './runs/runStatusBar.ts';
import { RunStore } from './runs/runStore.ts';
import { tellEnds } from './runs/tellEnds.ts';
import { RunsTree, showRunsTree } from './runs/runsTree.ts';
import { RunsView } from './runs/runsView.ts';
import { SweepCommands } from './sweeps/sweepCommands.ts';
import { SweepStore } from './sweeps/sweepStore.ts';
import { RuntimeStatusBar } from './runtimes/runtimeStatusBar.ts';
import { attempt, showFailure } from './showFailure.ts';
import { tellSlow } from './tellSlow.ts';

const handshakeTimeoutMs = 30_000;
/** A server that is started answers within a second or two where nothing is slow. */
const slowMs = 10_000;
const retryDelaysMs = [250, 500, 1000, 2000, 4000, 8000, 15_000, 30_000];

let stopLanguageClient: (() => Promise<void>) | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const { extensionUri } = context;
  const log = vscode.window.createOutputChannel('Kafscope', { log: true });
  const logLine = (line: string): void => {
    log.info(line);
  };
  const runsFolder = chooseRunsFolder({
    setting: vscode.workspace.getConfiguration().get<string>('kafscope.runsFolder' satisfies SettingKey) ?? '',
    workspaceFolder: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? null,
    storageFolder: context.globalStorageUri.fsPath,
  });
  // Never in the workspace, whose files may be links to anywhere.
  const serverFolder = path.join(context.globalStorageUri.fsPath, 'server');
  const logFile = path.join(serverFolder, `${shortHash(runsFolder)}.log`);
  const { version } = context.extension.packageJSON as { version: string };

  const connection = new ServerConnection({
    client: `kafscope-vscode ${version}`,
    readLock: () => readServerLock(runsFolder, vscode.workspace),
    startServer: async (signal) => {
      if (vscode.workspace.isTrusted) prepareRunsFolder(runsFolder);
      const serverModule = vscode.Uri.joinPath(extensionUri, 'dist', 'server.cjs').fsPath;
      const cacheGb = vscode.workspace.getConfiguration().get<number>('kafscope.cacheSize' satisfies SettingKey);
      const variables = {
        ...libraryEnvironment(await libraryPlaces(logLine)),
        [cacheLimitVariable]: String(cacheGb ?? ''),
        [schedulerVariable]: JSON.stringify(userSlurm()),
      };
      return startServerProcess({
        ...{ serverModule, runsFolder, logFile, variables, workingFolder: serverFolder },
        signal,
        isTrusted: vscode.workspace.isTrusted,
      });
    },
    endServer,
    retryDelaysMs,
    handshakeTimeoutMs,
    patience: { slowMs, tellSlow },
    log: logLine,
  });
  const localMarks = new LocalMarks(context.globalState);
  const store = new RunStore(
    connection,
    (line) => {
      log.warn(line);
    },
    (run) => withLocalMark(run, localMarks),
  );
  const runsView = new RunsView(context.workspaceState);
  const openDashboard = (runId: string, tab?: 'robustness'): void => {
    dashboards.open(runId, tab);
  };
  const sweeps = new SweepStore(connection, (line) => {
    log.warn(line);
  });
  const runCommands = new RunCommands({ connection, store, openDashboard });
  const markCommands = new MarkCommands({ connection, store, localMarks, view: runsView });
  const openSweep = (sweepId: string): void => {
    comparePanels.open({ sweepId });
  };
  const sweepCommands = new SweepCommands({ connection, store, sweeps, open: openSweep });
  const languageClient = startLanguageClient(extensionUri, log);
  const intents = panelIntents({ runCommands, store, openDashboard, placeOf: languageClient.placeOf });
  const dashboards = new Dashboards({
    ...{ extensionUri, connection, store, onIntent: intents },
    views: new KeptViews(context.workspaceState, 'dashboard.views'),
  });
  const comparePanels = new ComparePanels({
    ...{ extensionUri, connection, store, sweeps, openDashboard },
    askSweep: (sweepId, ask) => sweepCommands.askOf(sweepId, ask),
    openExperiment: (file) => {
      intents({ type: 'openExperiment', file });
    },
    workspaceState: context.workspaceState,
  });
  const openComparison = (runIds: readonly string[]): void => {
    comparePanels.open({ runIds });
  };
  const monitorView = new MonitorView({
    extensionUri,
    connection,
    store,
    log: (line) => {
      log.warn(line);
    },
    onIntent: intents,
  });
  const checkpointEditor = new CheckpointEditor({
    ...{ extensionUri, connection, store },
    evaluate: (runId, file) => void runCommands.evaluate({ run: { id: runId }, checkpoint: { file } }),
    fork: (runId, file) => void runCommands.fork({ run: { id: runId }, checkpoint: { file } }),
    resume: (runId) => void runCommands.intend('resume', runId),
    openRun: openDashboard,
    openAsExperiment: (name, text) => void openAsExperiment(name, text),
  });
  const datasetPanels = new DatasetPanels({ extensionUri, connection });
  const learningRatePanels = new LearningRatePanels({
    extensionUri,
    variables: async () => libraryEnvironment(await libraryPlaces(logLine)),
    withRates: languageClient.withRates,
  });
  const resultLens = new ResultLens(store);
  const estimateLens = new EstimateLens(connection, sweeps, store, logLine);
  const runsTree = new RunsTree(store, runsView, sweeps);
  const runsTreeView = showRunsTree(runsTree);
  const experimentsTree = new ExperimentsTree();
  stopLanguageClient = () => languageClient.stop();

  const runtimeStatusBar = new RuntimeStatusBar(connection, (line) => {
    log.warn(line);
  });
  const commands = commandTable({
    ...{
      connection,
      store,
      openDashboard,
      openComparison,
      runCommands,
      markCommands,
      runsView,
      chosenRuns: () => runsTreeView.selection,
      sweepCommands,
      sweeps,
      datasetPanels,
      learningRatePanels,
      withDataPath: languageClient.withDataPath,
      log,
      extensionUri,
      runtimeStatusBar,
    },
  });
  context.subscriptions.push(
    log,
    connection,
    store,
    sweeps,
    dashboards,
    comparePanels,
    datasetPanels,
    learningRatePanels,
    runsTree,
    runsTreeView,
    runsView,
    experimentsTree,
    estimateLens,
    resultLens,
    languageClient,
    createRunStatusBar(store),
    tellEnds({
      ...{ store, sweeps, openDashboard, showSweep: openSweep },
      isShown: (runId) => dashboards.isShown(runId),
      halveLearningRate: (runId) => void runCommands.copyPlan(runId, 0.5),
    }),
    runtimeStatusBar,
    keepContextKeys(store, runsView),
    keepTrustKey(),
    // The one that only showed runs ends by itself; the one that trains looks for what the workspace has only now that it may.
    whenTrusted(() => {
      if (connection.state.status !== 'stopped') void attempt('connect to the server', () => connection.reconnect());
    }),
    followServerLog(logFile, (line) => {
      log.info(`[server] ${line}`);
    }),
    ...Object.entries(commands).map(([id, handler]) => vscode.commands.registerCommand(id, handler)),
    vscode.languages.registerCodeLensProvider({ pattern: experimentGlob }, estimateLens),
    vscode.languages.registerCodeLensProvider({ pattern: experimentGlob }, resultLens),
    vscode.window.registerTreeDataProvider(viewIds.experiments, experimentsTree),
    vscode.window.registerWebviewViewProvider(viewIds.monitor, monitorView),
    vscode.window.registerWebviewPanelSerializer(dashboardViewType, dashboards),
    vscode.window.registerWebviewPanelSerializer(compareViewType, comparePanels),
    vscode.window.registerCustomEditorProvider(checkpointViewType, checkpointEditor),
  );

  // Without a runs folder there is nothing to show yet, and the first request starts the server.
  if (fs.existsSync(runsFolder)) {
    connection.connect().catch((error: unknown) => {
      const doing = isVersionMismatch(error) ? 'use the server that is at work' : 'connect to the server';
      void showFailure(doing, error, async () => {
        await connection.connect();
      });
    });
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** The server and its runs go on. */
export async function deactivate(): Promise<void> {
  await stopLanguageClient?.();
}
