// The names that package.json declares and the code registers, in one place; a test holds the two equal.

export const commandIds = [
  'kafscope.train',
  'kafscope.trainOneEpoch',
  'kafscope.startSweep',
  'kafscope.pauseSweep',
  'kafscope.resumeSweep',
  'kafscope.stopSweep',
  'kafscope.repeatSweep',
  'kafscope.showSweep',
  'kafscope.pauseRun',
  'kafscope.resumeRun',
  'kafscope.stopRun',
  'kafscope.deleteRun',
  'kafscope.emptyTrash',
  'kafscope.trashRun',
  'kafscope.restoreRun',
  'kafscope.renameRun',
  'kafscope.tagRun',
  'kafscope.noteRun',
  'kafscope.pinRun',
  'kafscope.unpinRun',
  'kafscope.hideRun',
  'kafscope.showRun',
  'kafscope.filterRuns',
  'kafscope.sortRuns',
  'kafscope.showHiddenRuns',
  'kafscope.leaveOutHiddenRuns',
  'kafscope.copyPlan',
  'kafscope.forkRun',
  'kafscope.openRunFolder',
  'kafscope.openDashboard',
  'kafscope.compareRuns',
  'kafscope.showTickBoxes',
  'kafscope.hideTickBoxes',
  'kafscope.evaluateRun',
  'kafscope.newExperiment',
  'kafscope.inspectCheckpoint',
  'kafscope.downloadDataset',
  'kafscope.chooseData',
  'kafscope.showDataset',
  'kafscope.findLearningRate',
  'kafscope.selectRuntime',
  'kafscope.installTensorflow',
  'kafscope.showLog',
  'kafscope.restartServer',
  'kafscope.refreshRuns',
  'kafscope.openWalkthrough',
] as const;

export type CommandId = (typeof commandIds)[number];

export const viewIds = {
  monitor: 'kafscope.monitor',
  runs: 'kafscope.runs',
  experiments: 'kafscope.experiments',
} as const;

export const checkpointViewType = 'kafscope.checkpoint';
/** Panels, not editors: package.json does not declare them. */
export const dashboardViewType = 'kafscope.dashboard';
export const compareViewType = 'kafscope.compare';
export const datasetViewType = 'kafscope.dataset';
export const learningRateViewType = 'kafscope.learningRate';

export const settingKeys = [
  'kafscope.runtime',
  'kafscope.threads',
  'kafscope.tensorflow.path',
  'kafscope.torch.path',
  'kafscope.cacheSize',
  'kafscope.slurm',
  'kafscope.runsFolder',
  'kafscope.openDashboardOnTrain',
  'kafscope.tellEnds',
] as const;

export type SettingKey = (typeof settingKeys)[number];

/** Keys that `when` clauses in package.json read. */
export const contextKeys = {
  hasRuns: 'kafscope.hasRuns',
  hasPausableRun: 'kafscope.hasPausableRun',
  hasResumableRun: 'kafscope.hasResumableRun',
  hasLiveRun: 'kafscope.hasLiveRun',
  hasEndedRun: 'kafscope.hasEndedRun',
  hasEvaluableRun: 'kafscope.hasEvaluableRun',
  hasTrash: 'kafscope.hasTrash',
  hasHiddenRun: 'kafscope.hasHiddenRun',
  /** The Runs view shows hidden runs too. */
  showsHidden: 'kafscope.showsHidden',
  /** The Runs view has boxes to tick. */
  showsBoxes: 'kafscope.showsBoxes',
  /** The workspace is not trusted. VS Code's own key says so too while it does not know yet. */
  isRestricted: 'kafscope.isRestricted',
} as const;

export const walkthroughId = 'kafscope.kafscope#kafscope.firstSteps';

export const experimentGlob = '**/*.kaf.yaml';
export const experimentSuffix = '.kaf.yaml';
