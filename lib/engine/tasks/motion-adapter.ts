import { basename } from 'node:path';
import { EncoreError } from '../../contracts/errors.ts';
import { openModel } from '../checkpoint/model-source.ts';
import type { SafetensorsFile } from '../checkpoint/safetensors.ts';
import type { WeightSource } from '../checkpoint/weight-source.ts';
import type { UnetConfig } from '../networks/unet/config.ts';
import { parseMotionConfig, type MotionConfig } from '../networks/unet/motion.ts';

/** A motion adapter on disk that fits a UNet. */
export interface MotionAdapter {
  /** Folder, symlinks resolved. */
  readonly path: string;
  readonly name: string;
  readonly config: MotionConfig;
  readonly weights: WeightSource;
  readonly files: readonly SafetensorsFile[];
}

/**
 * The noise schedule that AnimateDiff's adapters were trained with, in place of the model's own (Guo et al., 2023,
 * appendix; diffusers' documentation of AnimateDiffPipeline).
 */
export const motionSchedule = {
  beta_schedule: 'linear',
  timestep_spacing: 'linspace',
  steps_offset: 1,
  clip_sample: false,
} as const;

/**
 * Opens a folder in diffusers' layout of MotionAdapter. Throws `checkpoint_not_found`, `checkpoint_invalid`, and
 * `checkpoint_unsupported` for another kind of model or for another family's adapter.
 */
export async function openMotionAdapter(folder: string, unet: UnetConfig): Promise<MotionAdapter> {
  const source = await openModel(folder);
  if (source.layout !== 'component' || source.className !== 'MotionAdapter') {
    throw new EncoreError(
      'checkpoint_unsupported',
      `${folder} is a ${source.className}, not a MotionAdapter`,
      {
        remedy: 'Name the folder of a motion adapter in the layout of diffusers.',
      },
    );
  }
  const name = basename(source.path);
  const { config, weights, files } = await source.network(name);
  return { path: source.path, name, config: parseMotionConfig(config, unet), weights, files };
}
