import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '../../lib/engine/checkpoint/safetensors.ts';
import type { ControlMode } from '../../lib/contracts/task-inputs.ts';
import type { Picture } from '../../lib/engine/tasks/task.ts';
import { float32, type Shape } from '../../lib/engine/tensor/tensor.ts';
import { seededWeight, uniform } from './seeded-weights.ts';

export interface ControlCase {
  case: string;
  steps: number;
  /** Absent: every step. */
  keySteps?: number[];
  alpha?: number;
  control: { seed: number; scale: number; start: number; end: number; mode?: ControlMode }[];
}

interface Reference {
  cases: ControlCase[];
  config: Record<string, unknown>;
  shapes: Record<string, Shape>;
}

/** Runs of tiny-sd under ControlNets; made by training/golden/controlnet.py. */
export async function controlReference(): Promise<Reference> {
  return JSON.parse(await readFile('test/golden/tiny-sd/reference/control.json', 'utf8')) as Reference;
}

/** A ControlNet of tiny-sd's shape, filled as the reference's was, in a folder of its own. */
export async function writeControlNet(parent: string, seed: number): Promise<string> {
  const { config, shapes } = await controlReference();
  const folder = join(parent, `control-${seed}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify({ _class_name: 'ControlNetModel', ...config }));
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, float32(shape, seededWeight(name, shape, seed))]),
  );
  await writeSafetensors(join(folder, 'diffusion_pytorch_model.safetensors'), tensors);
  return folder;
}

/** The picture that guided: `control_picture` of controlnet.py. */
export function controlPicture(seed: number, width: number, height: number): Picture {
  const values = uniform('control', 3 * height * width, seed);
  const data = new Uint8Array(3 * height * width);
  values.forEach((value, i) => {
    const level = Math.floor((Math.fround(value) / Math.sqrt(3) / 2 + 0.5) * 256);
    data[3 * (i % (height * width)) + Math.floor(i / (height * width))] = Math.min(Math.max(level, 0), 255);
  });
  return { width, height, data };
}
