/** A line of a result, to stdout. Progress and errors go to stderr. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The one JSON object of `--json`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** 1234567 -> `1.2 MB`. */
export function showBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}
