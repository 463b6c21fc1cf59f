import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const documents = [
  'README.md',
  ...['docs', 'models', 'training'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
];
const read = (path: string) => readFileSync(path, 'utf8');
const withoutCode = (text: string) => text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');

/** Headings as the addresses that GitHub gives them. */
function anchors(text: string): string[] {
  const headings = [...text.replace(/```[\s\S]*?```/g, '').matchAll(/^#+ +(.+)$/gm)];
  return headings.map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

describe.each(documents)('%s', (path) => {
  const text = read(path);

  test('leads nowhere that is not there', () => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)];
    const broken = links
      .map(([, link, attribute]) => link ?? attribute ?? '')
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const found = file === '' ? path : join(dirname(path), file);
        if (!existsSync(found)) return true;
        return anchor !== undefined && !anchors(read(found)).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  test('names files and scripts of this repository that are there', () => {
    const code = [...text.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].map(([found]) => found).join('\n');
    const paths =
      code.match(/(?<![\w./-])(app|lib|workers|test|bench|scripts|training)\/\w[\w./[\]-]*/g) ?? [];
    expect(paths.filter((named) => !existsSync(named) && !existsSync(`${named}.test.ts`))).toEqual([]);
    const scripts = [...code.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name);
    expect(Object.keys(packageJson.scripts)).toEqual(expect.arrayContaining(scripts));
  });
});

test('every setting is written down, and none that is not read', () => {
  const variables = (text: string) => [...new Set(text.match(/\bENCORE_[A-Z_]+[A-Z]\b/g))].sort();
  const code = ['lib/studio/env.ts', 'lib/cli/environment.ts'].map(read).join('\n');
  const [, settings = ''] = /^## Settings$([\s\S]*?)^## /m.exec(read('docs/studio.md')) ?? [];
  expect(variables(settings)).toEqual(variables(code));
});

test('the figures of the readme are those of the benchmarks', () => {
  const cells = (line: string) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1);
  const sections = read('docs/benchmarks.md')
    .split(/^## /m)
    .map((text) => ({ title: text.split('\n', 1)[0] ?? '', rows: text.split('\n').map(cells) }));
  /** Measured whole where it was, which stands below what was projected. */
  const figure = (title: string, label: string) =>
    sections
      .find((section) => section.title.startsWith(title))
      ?.rows.findLast(([name = '']) => name.startsWith(label))?.[1];

  const [, shown = ''] = /^## What it saves$([\s\S]*?)^## /m.exec(read('README.md')) ?? [];
  const [header = [], , ...rows] = shown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map(cells);
  const models = header.slice(1);
  expect([rows.length, models.length]).toEqual([2, 2]);
  for (const [what = '', ...figures] of rows) {
    expect(figures, what).toEqual(models.map((model) => figure(model, `${what}, exact / faster`)));
  }
  expect(shown).toContain(`${figure('Stable Diffusion', 'plain exact / ours, faster')} times as long`);
});
