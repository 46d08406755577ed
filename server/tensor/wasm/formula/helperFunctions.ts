// The functions that every module of a formula has beside its own: vectors of fewer than four floats, and wide angles lane by lane.
import { FunctionWriter } from './moduleWriter.ts';

/** Indices of what every module has: two imports, four helpers. */
export const helpers = { sin: 0, cos: 1, loadFirst: 2, storeFirst: 3, slowSin: 4, slowCos: 5 } as const;

/** (address, count): the first `count` floats, others 0. */
export function loadFirst(): FunctionWriter {
  const writer = new FunctionWriter(2);
  const lanes = writer.local('v128');
  for (let lane = 0; lane < 4; lane++) {
    writer.get(1).int(lane).op('i32.gt_s');
    writer.when(() => writer.get(0).get(lanes).loadLane(lane).set(lanes));
  }
  return writer.get(lanes);
}

/** (address, vector, count). */
export function storeFirst(): FunctionWriter {
  const writer = new FunctionWriter(3);
  for (let lane = 0; lane < 4; lane++) {
    writer.get(2).int(lane).op('i32.gt_s');
    writer.when(() => writer.get(0).get(1).storeLane(lane));
  }
  return writer;
}

/** An imported function of float64 for each lane of (vector). */
export function laneByLane(index: number): FunctionWriter {
  const writer = new FunctionWriter(1);
  for (let lane = 0; lane < 4; lane++) {
    writer
      .get(0)
      .get(0)
      .extractLane(lane)
      .op('f64.promote_f32')
      .call(index)
      .op('f32.demote_f64')
      .replaceLane(lane)
      .set(0);
  }
  return writer.get(0);
}
