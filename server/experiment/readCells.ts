// An experiment with the values of each cell of its matrix in their places: read, checked and planned; without a matrix once, as it is.
import { isAlias, isMap, isNode, isScalar, visit, type Document, type Pair } from 'yaml';
import type { Plan } from '../protocol/plan.ts';
import { nCellsOf } from '../protocol/sweep.ts';
import { placeNode } from './applyOverrides.ts';
import { CellIssues, inCells } from './cellIssues.ts';
import { cellNames, valueText } from './cellNames.ts';
import { checkPlan } from './checkPlan.ts';
import { emptyRange } from './experimentText.ts';
import type { ExperimentText, FoundIssue } from './experimentText.ts';
import { experimentName, experimentSeeds, makePlan } from './makePlan.ts';
import type { PlanPlace } from './makePlan.ts';
import { parentNames } from './parentNames.ts';
import { planIdentity } from './planIdentity.ts';
import { maxCells } from './matrixSetting.ts';
import type { Combination, Matrix } from './readMatrix.ts';
import { readSettings } from './readSettings.ts';
import type { SettingsReading } from './readSettings.ts';
import { experimentSettings, type ExperimentValues } from './settings.ts';
import { pathNames } from './settingAt.ts';
import { applyPreset } from './trainingPresets.ts';
import type { Turns } from './turns.ts';

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
}

export interface Cells {
  readonly cells: readonly Cell[];
  readonly issues: readonly FoundIssue[];
  readonly name: string;
}

/**
 * Characters of all plans together, as JSON: a thousand usual ones have a million, a hundred of 600 layers four. What is planned is
 * written down, and read at each look at a sweep.
 */
const maxPlanCharacters = 8_000_000;

/** Of a matrix with a mistake of its own, the experiment without it is read. A cell at a time. */
export function* readCells(text: ExperimentText, matrix: Matrix | null, place: PlanPlace): Turns<Cells> {
  const isSweep = matrix !== null && matrix.combinations.length > 0;
  const combinations = isSweep ? matrix.combinations : [[]];
  const names = cellNames(combinations, text.document);
  const parents = parentNames();
  const plain = isSweep ? { ...text, document: withoutMatrix(text.document) } : text;
  const readings: Reading[] = [];
  const found = new CellIssues(text);
  const planned = new PlannedCells(text, place);
  for (const [index, values] of combinations.entries()) {
    const { issues, ...reading } = read(values, names[index]!, plain, place, parents);
    readings.push(reading);
    found.add(reading, issues);
    yield;
    yield* planned.add(reading);
    if (planned.isTooLong) break;
  }
  const issues = yield* found.all();
  const isWrong = issues.some(({ severity }) => severity === 'error');
  planned.tellParts();
  const name = experimentName(readings[0]!.settings, place);
  return { cells: planned.cells, issues: isWrong ? issues : [...issues, ...planned.issues], name };
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
): Reading & { readonly issues: readonly FoundIssue[] } {
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

/** The cells of one reading after another, and what is wrong with them together. */
class PlannedCells {
  readonly cells: Cell[] = [];
  readonly issues: FoundIssue[] = [];
  readonly #text: ExperimentText;
  readonly #place: PlanPlace;
  readonly #known = new Map<string, Reading>();
  #nCharacters = 0;

  constructor(text: ExperimentText, place: PlanPlace) {
    this.#text = text;
    this.#place = place;
  }

  /** No more are wanted. */
  get isTooLong(): boolean {
    return this.#nCharacters > maxPlanCharacters;
  }

  *add(reading: Reading): Turns<void> {
    const { name, values, settings } = reading;
    const { document } = this.#text;
    const seeds = experimentSeeds(settings);
    const given = Object.fromEntries(values.map(({ path, node }) => [path, valueText(document, node)] as const));
    for (const [index, seed] of seeds.entries()) {
      const isOfList = settings.seeds !== undefined;
      const parts = [name, isOfList ? `seed ${String(seed)}` : ''].filter((part) => part !== '');
      const plan = freeze(makePlan(settings, seed, this.#place));
      const own = isOfList ? { ...given, seed: String(seed) } : given;
      this.cells.push({ name: parts.join(' · ') || plan.name, values: own, plan });
      if (index === 0) this.#compare(reading, plan);
      this.#nCharacters += JSON.stringify(plan).length;
      if (this.isTooLong) {
        this.#tellLength();
        return;
      }
      yield;
    }
  }

  /** Two cells of one plan would be the same run. */
  #compare(reading: Reading, plan: Plan): void {
    const identity = planIdentity(plan);
    const other = this.#known.get(identity);
    if (!other) {
      this.#known.set(identity, reading);
      return;
    }
    const differing = reading.values.findLast(({ path, node }) =>
      other.values.every((value) => value.path !== path || value.node !== node),
    );
    const value = differing ?? reading.values[0];
    const range = this.#text.firstLineOf(this.#text.rangeOf(value?.node));
    const got = `the plan of ${other.name} again, ${inCells([reading])}`;
    const told = { expected: 'cells of different plans', got, remedy: 'Remove one of the two.' };
    this.issues.push({ path: `matrix.${value?.path ?? ''}`, range, severity: 'error', ...told });
  }

  /** Parts are cells, too. */
  tellParts(): void {
    const nCells = this.cells.reduce((sum, { plan }) => sum + nCellsOf(plan), 0);
    if (nCells <= maxCells || this.cells.length <= 1) return;
    const expected = `at most ${String(maxCells)} cells, parts among them`;
    const told = { expected, got: String(nCells), remedy: 'Cut into fewer parts, or make two experiments.' };
    this.issues.push({ path: 'parts', range: this.#text.rangeOf(this.#keyOf(['parts'])), severity: 'error', ...told });
  }

  /** The first of these that the experiment has. */
  #keyOf(names: readonly string[]): unknown {
    const { contents } = this.#text.document;
    const keys = isMap(contents) ? contents.items.map(({ key }) => key) : [];
    return names.flatMap((name) => keys.filter((one) => isScalar(one) && one.value === name))[0];
  }

  #tellLength(): void {
    const key = this.#keyOf(['matrix', 'seeds']);
    const path = isScalar(key) ? String(key.value) : '';
    const expected = `plans of at most ${String(maxPlanCharacters / 1e6)} million characters for all runs together`;
    const remedy = 'Make two experiments of it, or write layers that come again with repeat.';
    const told = { expected, got: `more, from ${this.cells.at(-1)!.name} on`, remedy };
    this.issues.push({ path, range: this.#text.rangeOf(key), severity: 'error', ...told });
  }
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
