import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openSafetensors,
  readSafetensors,
  writeSafetensors,
} from '../../../lib/engine/checkpoint/safetensors.ts';
import { weightsOf } from '../../../lib/engine/checkpoint/weight-map.ts';
import { createRuntime } from '../../../lib/engine/runtime/runtime.ts';
import { toFloat32 } from '../../../lib/engine/tensor/arithmetic.ts';
import { float32ToBfloat16, float32ToFloat16 } from '../../../lib/engine/tensor/half.ts';
import { tensor, type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { input, maxDifference, network, writeWeights } from './support.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'encore-half-'));
  await writeWeights(folder);
});
afterAll(() => rm(folder, { recursive: true }));

async function run(path: string, tensors: Record<string, Tensor>, packed: boolean) {
  await writeSafetensors(path, tensors);
  const runtime = await createRuntime({
    device: 'cpu',
    threads: 1,
    cache: packed ? { directory: join(folder, 'cache'), budgetBytes: 1e9 } : undefined,
  });
  const session = await runtime.open(network(weightsOf(path, [await openSafetensors(path)])));
  const { y } = await session.run(input());
  await session.dispose();
  await runtime.dispose();
  return y;
}

describe.each(['float16', 'bfloat16'] as const)('%s weights', (dtype) => {
  it('compute what their values in float32 compute, mapped directly and packed', async () => {
    const narrow = dtype === 'float16' ? float32ToFloat16 : float32ToBfloat16;
    const original = await readSafetensors(join(folder, 'weights.safetensors'));
    const halves = Object.fromEntries(
      [...original].map(([name, { shape, data }]) => [
        name,
        tensor(dtype, shape, narrow(data as Float32Array)),
      ]),
    );
    const widened = Object.fromEntries(Object.entries(halves).map(([name, half]) => [name, toFloat32(half)]));
    const expected = await run(join(folder, 'wide.safetensors'), widened, false);
    const rounded = await run(join(folder, 'full.safetensors'), Object.fromEntries(original), false);
    // The types differ enough for a mix-up to show.
    expect(maxDifference(expected, rounded)).toBeGreaterThan(1e-6);
    for (const packed of [false, true]) {
      expect(maxDifference(expected, await run(join(folder, 'half.safetensors'), halves, packed))).toBe(0);
    }
  });
});
