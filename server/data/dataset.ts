// Opening a data set by its plan: the readers, one line each, and the splits that the plan cuts. What a data set is called, and
// what else is known of it beforehand, is in protocol/datasets.ts.
import type { DatasetPlan } from '../protocol/plan.ts';
import { openArrays } from './arrays.ts';
import { BatchThread } from './batchThread.ts';
import { openCifar } from './cifar.ts';
import { columnFigures } from './columnFigures.ts';
import { DataError } from './dataError.ts';
import { openFolder } from './folder.ts';
import { openIdx } from './idx.ts';
import type { OpenedData, ReaderSurroundings } from './opened.ts';
import { someRows, splitOf, type Rows } from './rows.ts';
import { makeShapes } from './shapes.ts';
import { openPublishedTable } from './publishedTable.ts';
import { openTable } from './table.ts';
import type { Dataset, Split } from './split.ts';

async function read(plan: DatasetPlan, around: ReaderSurroundings): Promise<OpenedData> {
  switch (plan.name) {
    case 'shapes':
      return makeShapes(plan);
    case 'cifar10':
    case 'cifar100':
      return openCifar(plan);
    case 'folder':
      return openFolder(plan, around);
    case 'table':
      return openTable(plan, around);
    case 'sensorless':
    case 'susy':
      return openPublishedTable(plan, around);
    case 'arrays':
      return openArrays(plan, around);
    default:
      return openIdx(plan);
  }
}

/**
 * Reads or makes what the plan asks for, and starts the thread that reads batches ahead.
 * @throws DataError where files are missing, short or not what they should be; the signal's reason on abort
 */
export async function openDataset(plan: DatasetPlan, around: ReaderSurroundings): Promise<Dataset> {
  const opened = await read(plan, around);
  const thread = new BatchThread(around.assetsFolder);
  return cutSplits(
    plan,
    opened,
    (rows) => thread.split(rows),
    () => thread.close(),
  );
}

/** The same without a thread: batches are read when they are asked for. */
export function datasetHere(plan: Pick<DatasetPlan, 'name' | 'validationSamples'>, opened: OpenedData): Dataset {
  return cutSplits(
    plan,
    opened,
    (rows) => splitOf(rows),
    () => Promise.resolve(),
  );
}

function cutSplits(
  { name, validationSamples = 0 }: Pick<DatasetPlan, 'name' | 'validationSamples'>,
  { classes, sampleShape, train, test, isTable, columnNames }: OpenedData,
  split: (rows: Rows) => Split,
  close: () => Promise<void>,
): Dataset {
  const nTrain = train.nSamples - validationSamples;
  if (nTrain < 1) {
    throw new DataError(
      `Of the ${train.nSamples} training samples ${validationSamples} are kept back, which leaves none to train on. Lower dataset.validationSamples.`,
    );
  }
  const kept = someRows(train, 0, nTrain);
  return {
    ...{ name, classes, sampleShape, close },
    columns: isTable ? columnFigures(kept) : null,
    ...(columnNames ? { columnNames } : {}),
    train: split(kept),
    validation: validationSamples > 0 ? split(someRows(train, nTrain, validationSamples)) : null,
    test: split(test),
  };
}
