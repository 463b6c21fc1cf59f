import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { openSafetensors, type SafetensorsFile } from './safetensors.ts';

const sampleBytes = 4096;
const samplesPerFile = 64;

/**
 * Names a model in receipts and file metadata: sha256 over names, sizes and headers of its weight files and over 64
 * blocks of 4 KB spread evenly through each, first 16 hex digits. The blocks tell two trainings of one architecture
 * apart; reading every byte of a large checkpoint would take longer than opening it.
 */
export async function weightsHash(files: readonly SafetensorsFile[]): Promise<string> {
  const hash = createHash('sha256');
  // The networks of a single-file checkpoint all name the same file.
  const each = [...new Map(files.map((file) => [file.file, file])).values()];
  each.sort((a, b) => (basename(a.file) < basename(b.file) ? -1 : 1));
  for (const { file, size, header } of each) {
    hash.update(`${basename(file)}\0${size}\0`).update(header);
    const block = Buffer.alloc(sampleBytes);
    const handle = await open(file, 'r');
    try {
      const first = 8 + header.length;
      const stride = Math.max(sampleBytes, Math.floor((size - first) / samplesPerFile));
      for (let position = first; position < size; position += stride) {
        const { bytesRead } = await handle.read(block, 0, sampleBytes, position);
        hash.update(block.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * What a packed graph remembers of a weight file, wherever the file lies: its size, the time it was last changed and its
 * header. A file edited in place gets a new time; a copy without the old time is packed again.
 */
export async function fileIdentity(path: string): Promise<string> {
  const { size, modifiedMs, header } = await openSafetensors(path);
  return createHash('sha256').update(`${size}\0${modifiedMs}\0`).update(header).digest('hex');
}
