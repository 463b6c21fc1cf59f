import { stat } from 'node:fs/promises';
import type { SafetensorsFile } from './safetensors.ts';

/** Sizes and times of change of weight files; a missing file is a change. */
export async function fingerprint(files: readonly SafetensorsFile[]): Promise<string> {
  const marks = files.map(async ({ file }) => {
    const found = await stat(file).catch(() => undefined);
    return `${file} ${found?.size} ${found?.mtimeMs}`;
  });
  return (await Promise.all(marks)).join('\n');
}
