import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Bytes of a safetensors file with tensors of zeros, F16, of these shapes. */
export function safetensorsBytes(
  tensors: Readonly<Record<string, readonly number[]>>,
  metadata?: Readonly<Record<string, string>>,
): Buffer {
  let at = 0;
  const entries = Object.entries(tensors).map(([name, shape]) => {
    const begin = at;
    at += 2 * shape.reduce((product, n) => product * n, 1);
    return [name, { dtype: 'F16', shape, data_offsets: [begin, at] }] as const;
  });
  const header = Buffer.from(
    JSON.stringify({
      ...(metadata === undefined ? {} : { __metadata__: metadata }),
      ...Object.fromEntries(entries),
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(at)]);
}

export async function safetensors(
  path: string,
  ...content: Parameters<typeof safetensorsBytes>
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, safetensorsBytes(...content));
}
