import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '../../lib/engine/checkpoint/safetensors.ts';
import { float32 } from '../../lib/engine/tensor/tensor.ts';
import reference from '../golden/tiny-sd/reference/motion.json' with { type: 'json' };
import { seededWeight } from './seeded-weights.ts';

/** The motion adapter that training/golden/motion.py made its references with, written as diffusers would. */
export async function writeMotionAdapter(
  folder: string,
  change: Record<string, unknown> = {},
): Promise<string> {
  const { weights, seed, config } = reference;
  const tensors = Object.entries(weights).map(
    ([name, shape]) => [name, float32(shape, seededWeight(name, shape, seed))] as const,
  );
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, 'diffusion_pytorch_model.safetensors'), Object.fromEntries(tensors));
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({ _class_name: 'MotionAdapter', ...config, ...change }),
  );
  return folder;
}
