// An experiment with the values of each cell of its matrix in their places: read, checked and planned; without a matrix once, as it is.
import { isAlias, isMap, isNode, isScalar, visit, type Document, type Pair } from 'yaml';
import type { Plan } from '../protocol/plan.ts';
import { placeNode } from './applyOverrides.ts';
import { cellIssues, inCells } from './cellIssues.ts';
import { cellNames, valueText } from './cellNames.ts';
import { checkPlan } from './checkPlan.ts';
import { emptyRange } from './experimentText.ts';
import type { ExperimentText, FoundIssue } from './experimentText.ts';
import { experimentName, experimentSeeds, makePlan } from './makePlan.ts';
import type { PlanPlace } from './makePlan.ts';
import { parentNames } from './parentNames.ts';
import { planIdentity } from './planIdentity.ts';
import type { Combination, Matrix } from './readMatrix.ts';
import { readSettings } from './readSettings.ts';
import type { SettingsReading } from './readSettings.ts';
import { experimentSettings, type ExperimentValues } from './settings.ts';
import { pathNames } from './settingAt.ts';
import { applyPreset } from './trainingPresets.ts';

/** A run of an experiment: its plan, and what tells it from the others. */
export interface Cell {
  /** Its values, as they are written: `relu · seed 0`; of an experiment of one run its name. */
  readonly name: string;
  /** Those values by the paths of their keys, in order. */
  readonly values: Readonly<Record<string, string>>;
  readonly plan: Plan;
}

interface Reading {
  readonly name: string;
  readonly values: Combination;
  readonly settings: ExperimentValues;
  readonly issues: readonly FoundIssue[];
}

export interface Cells {
  readonly cells: readonly Cell[];
  readonly issues: readonly FoundIssue[];
  readonly name: string;
}

/** Of a matrix with a mistake of its own, the experiment without it is read. */
export function readCells(text: ExperimentText, matrix: Matrix | null, place: PlanPlace): Cells {
  const isSweep = matrix !== null && matrix.combinations.length > 0;
  const combinations = isSweep ? matrix.combinations : [[]];
  const names = cellNames(combinations, text.document);
  const parents = parentNames();
  const plain = isSweep ? { ...text, document: withoutMatrix(text.document) } : text;
  const readings = combinations.map((values, index) => read(values, names[index]!, plain, place, parents));
  const name = experimentName(readings[0]!.settings, place);
  const cells = readings.flatMap((reading) => cellsOf(reading, text, place));
  const known = cellIssues(readings, text);
  const isWrong = known.some(({ severity }) => severity === 'error');
  return { cells, issues: isWrong ? known : [...known, ...repetitions(cells, readings, text)], name };
}

/** What each cell has of its own is copied for each: the matrix, as long as there are cells, would be once more for each of them. */
function withoutMatrix(document: Document): Document {
  const { contents } = document;
  if (!isMap(contents)) return document;
  const matrix = contents.items.find(({ key }) => isScalar(key) && key.value === 'matrix');
  if (!matrix || hasAnchor(matrix)) return document;
  const copy = document.clone();
  copy.delete('matrix');
  return copy;
}

/** Which aliases elsewhere may stand for. */
function hasAnchor({ value }: Pair): boolean {
  let found = false;
  if (!isNode(value)) return false;
  visit(value, {
    Node: (_, node) => {
      if (isAlias(node) || !node.anchor) return undefined;
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

function read(
  values: Combination,
  name: string,
  text: ExperimentText,
  place: PlanPlace,
  parents: ReturnType<typeof parentNames>,
): Reading {
  const document = values.length > 0 ? text.document.clone() : text.document;
  // What replaces a whole mapping goes before what is set within it.
  const ordered = values.toSorted((a, b) => pathNames(a.path).length - pathNames(b.path).length);
  const placed = ordered.flatMap(({ path, node }) => {
    const issue = isNode(node) ? placeNode(document, path, node, experimentSettings) : null;
    return issue ? [{ ...issue, range: text.rangeOf(node) }] : [];
  });
  applyPreset(document);
  const reading = readSettings(experimentSettings, { ...text, document }, parents);
  const [seed = 0] = experimentSeeds(reading.values);
  const plan = makePlan(reading.values, seed, place);
  const issues = [...placed, ...reading.issues, ...contradictions(reading, plan, text)];
  return { name, values, settings: reading.values, issues };
}

function cellsOf({ name, values, settings }: Reading, { document }: ExperimentText, place: PlanPlace): Cell[] {
  const seeds = experimentSeeds(settings);
  const given = Object.fromEntries(values.map(({ path, node }) => [path, valueText(document, node)] as const));
  return seeds.map((seed) => {
    const isOfList = settings.seeds !== undefined;
    const parts = [name, isOfList ? `seed ${String(seed)}` : ''].filter((part) => part !== '');
    const plan = freeze(makePlan(settings, seed, place));
    const own = isOfList ? { ...given, seed: String(seed) } : given;
    return { name: parts.join(' · ') || plan.name, values: own, plan };
  });
}

/** Two cells of one plan would be the same run. */
function repetitions(cells: readonly Cell[], readings: readonly Reading[], text: ExperimentText): FoundIssue[] {
  if (readings.length === 1) return [];
  const nSeeds = cells.length / readings.length;
  const known = new Map<string, number>();
  return cells.flatMap(({ plan }, index) => {
    if (index % nSeeds !== 0) return [];
    const identity = planIdentity(plan);
    const first = known.get(identity);
    known.set(identity, first ?? index);
    if (first === undefined) return [];
    const [mine, other] = [index, first].map((at) => readings[at / nSeeds]!) as [Reading, Reading];
    const differing = mine.values.findLast(({ path, node }) =>
      other.values.every((value) => value.path !== path || value.node !== node),
    );
    const range = text.firstLineOf(text.rangeOf((differing ?? mine.values[0])?.node));
    const path = `matrix.${differing?.path ?? mine.values[0]?.path ?? ''}`;
    const got = `the plan of ${other.name} again, ${inCells([mine])}`;
    const remedy = 'Remove one of the two.';
    return [{ path, range, severity: 'error' as const, expected: 'cells of different plans', got, remedy }];
  });
}

/** What checkPlan finds, less what only follows from a key that is wrong by itself. */
function contradictions(reading: SettingsReading<ExperimentValues>, plan: Plan, text: ExperimentText): FoundIssue[] {
  if (text.issues.length > 0) return [];
  const wrong = reading.issues.map((issue) => issue.path);
  const isAffected = (path: string) => wrong.some((other) => sharesGroup(path, other));
  return checkPlan(reading.values, plan)
    .filter((issue) => !isAffected(issue.path))
    .map(({ within, ...issue }) => {
      const range = text.firstLineOf(nearestRange(reading, issue.path));
      return { ...issue, range: within ? text.partOf(range, within.start, within.end) : range };
    });
}

/** Whether a mistake at `other` may be why there is one at `path`: the same section, or the data set that both count on. */
function sharesGroup(path: string, other: string): boolean {
  const section = (name: string) => name.split(/[.[]/)[0];
  return section(path) === section(other) || section(other) === 'dataset';
}

/** The range of a path or, where it has none (its value is a default), of the nearest group around it that has. */
export function nearestRange({ ranges }: Pick<SettingsReading<unknown>, 'ranges'>, path: string): FoundIssue['range'] {
  for (let name = path; name; name = name.replace(/(^|\.|\[)[^.[]*$/, '')) {
    const range = ranges.get(name);
    if (range) return range;
  }
  return emptyRange;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
