// Shapes that are alike: k-means (Lloyd 1982) from starts that are far from one another, so that the same shapes give the same clusters.

/** Rounds after which it is content. */
const mostRounds = 20;

/**
 * @param shapes values on one grid @param count at most so many clusters
 * @returns the cluster of each, 0 that with most members; what is not finite is in one of its own
 */
export function clusterShapes(shapes: readonly Float64Array[], count: number): number[] {
  const usable = shapes.flatMap((shape, index) => (shape.every((value) => Number.isFinite(value)) ? [index] : []));
  let centres = farApart(
    usable.map((index) => shapes[index]!),
    count,
  );
  let of: number[] = [];
  for (let round = 0; round < mostRounds; round++) {
    const next = shapes.map((shape, index) => (usable.includes(index) ? nearest(shape, centres) : centres.length));
    if (next.every((cluster, index) => cluster === of[index])) break;
    of = next;
    centres = centres.map((centre, cluster) => {
      const members = shapes.filter((_, index) => of[index] === cluster);
      return members.length === 0
        ? centre
        : centre.map((_, at) => members.reduce((sum, shape) => sum + shape[at]!, 0) / members.length);
    });
  }
  const sizes = new Map<number, number>();
  for (const cluster of of) sizes.set(cluster, (sizes.get(cluster) ?? 0) + 1);
  const order = [...sizes.keys()].sort((a, b) => sizes.get(b)! - sizes.get(a)! || a - b);
  return of.map((cluster) => order.indexOf(cluster));
}

/** The first, then ever the one farthest from those chosen; fewer where shapes are equal. */
function farApart(shapes: readonly Float64Array[], count: number): Float64Array[] {
  const chosen = shapes.slice(0, 1);
  while (chosen.length > 0 && chosen.length < count) {
    const distances = shapes.map((shape) => Math.min(...chosen.map((centre) => distance(shape, centre))));
    const most = Math.max(...distances);
    if (!(most > 0)) break;
    chosen.push(shapes[distances.indexOf(most)]!);
  }
  return chosen;
}

function nearest(shape: Float64Array, centres: readonly Float64Array[]): number {
  const distances = centres.map((centre) => distance(shape, centre));
  return distances.indexOf(Math.min(...distances));
}

function distance(f: Float64Array, g: Float64Array): number {
  return f.reduce((sum, value, index) => sum + (value - g[index]!) ** 2, 0);
}
