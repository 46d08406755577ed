// Lengths of time on an axis.

/** For a time axis: `45 s`, `2:30`, `1:05:00`. */
export function formatClock(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds.toString()} s`;
  const pad = (value: number): string => value.toString().padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = `${hours > 0 ? pad(minutes) : minutes.toString()}:${pad(seconds % 60)}`;
  return hours > 0 ? `${hours.toString()}:${rest}` : rest;
}
