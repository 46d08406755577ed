// Lengths of time as people read them.

/** `48 s`, `12 min`, `1 h 12 min`, `3 d 4 h`; two units at most, rounded to the smaller. */
export function formatDuration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return 'unknown';
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 90) return `${seconds.toString()} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes.toString()} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return join(hours, 'h', minutes % 60, 'min');
  const wholeHours = Math.round(minutes / 60);
  return join(Math.floor(wholeHours / 24), 'd', wholeHours % 24, 'h');
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const head = `${large.toString()} ${largeUnit}`;
  return small === 0 ? head : `${head} ${small.toString()} ${smallUnit}`;
}
