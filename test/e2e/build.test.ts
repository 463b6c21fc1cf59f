import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Every file that the built routes were found to read, relative to the checkout. */
function tracedFiles(): string[] {
  const server = '.next/server/app';
  return readdirSync(server, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.nft.json'))
    .map((name) => join(server, name))
    .flatMap((path) => {
      const { files } = JSON.parse(readFileSync(path, 'utf8')) as { files: string[] };
      return files.map((file) => relative('.', resolve(dirname(path), file)));
    });
}

describe('the built pages', () => {
  it('were bundled without reading models, training data or the engine', () => {
    const files = tracedFiles();
    expect(files.length).toBeGreaterThan(100);
    const outsiders = files.filter((file) =>
      /^(models|training|bench|data|lib\/engine|workers|\.git)\//.test(file),
    );
    expect(
      [...new Set(outsiders)],
      'a path known only at run time must go through lib/studio/disk.ts',
    ).toEqual([]);
  });
});
