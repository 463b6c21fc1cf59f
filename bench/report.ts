import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { machine } from './measure.ts';

const path = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));

/** Rows of one table: what, figure, and beside it a remark. */
export type Row = readonly [what: string, figure: string, remark?: string];

/** Prints a section and puts it into docs/benchmarks.md in place of the one of the same command. */
export function report(command: string, title: string, rows: readonly Row[]): Promise<void> {
  const cells = rows.map(([what, figure, remark = '']) => [what, figure, remark]);
  return reportTable(command, title, ['', '', ''], cells);
}

/** The same for a table of any columns, with Markdown below it. */
export async function reportTable(
  command: string,
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  below: readonly string[] = [],
): Promise<void> {
  const lines = [
    `## ${title}`,
    '',
    `\`${command}\`, ${new Date().toISOString().slice(0, 10)}, ${machine()}`,
    '',
    ...[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`),
    '',
    ...below.flatMap((line) => [line, '']),
  ];
  process.stdout.write(`\n${lines.join('\n')}\n`);
  const [begin, end] = [`<!-- ${command} -->`, '<!-- end -->'];
  const section = `${begin}\n${lines.join('\n')}${end}\n`;
  const text = await readFile(path, 'utf8').catch(
    () => '# Benchmarks\n\nEvery section is written by the command it names.\n',
  );
  const start = text.indexOf(begin);
  const stop = start < 0 ? -1 : text.indexOf(end, start);
  const updated =
    stop < 0
      ? `${text.trimEnd()}\n\n${section}`
      : text.slice(0, start) + section + text.slice(stop + end.length + 1);
  await writeFile(path, await format(updated, { ...(await resolveConfig(path)), filepath: path }));
}
