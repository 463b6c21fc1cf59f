import { EncoreError } from '../../contracts/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NoiseScheduleConfig } from './config.ts';
import { denoised, noised, type Denoised } from './prediction.ts';
import type { SchedulerRun } from './scheduler.ts';

type Float32 = Tensor<'float32'>;

/** A run of the algorithms in a_t (DDIM, DDPM, PLMS, LCM): everything but its steps. */
export interface AlphaRun extends Omit<SchedulerRun, 'step' | 'stochastic'> {
  /** x_0 and eps of a prediction at evaluation `index`. */
  interpret(prediction: Float32, index: number, sample: Float32): Denoised;
}

/**
 * Samples keep unit variance: x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) eps. `alphaAt` gives a_t. Throws `checkpoint_unsupported`
 * for noise that is predicted from noise alone, which says nothing of x_0 (Lin et al., 2023, section 3.2).
 */
export function alphaRun(
  { prediction_type: type }: Pick<NoiseScheduleConfig, 'prediction_type'>,
  timesteps: readonly number[],
  alphaAt: (t: number) => number,
): AlphaRun {
  const silent = type === 'epsilon' ? timesteps.find((t) => alphaAt(t) === 0) : undefined;
  if (silent !== undefined) {
    throw new EncoreError(
      'checkpoint_unsupported',
      `scheduler_config.json: prediction_type epsilon with zero terminal SNR (rescale_betas_zero_snr): nothing of a picture is left at timestep ${silent}`,
      { remedy: 'Such models predict v: correct prediction_type, or switch rescale_betas_zero_snr off.' },
    );
  }
  const scalesAt = (index: number) => {
    const a = alphaAt(timesteps[index]!);
    return [Math.sqrt(a), Math.sqrt(1 - a)] as const;
  };
  const interpret = (prediction: Float32, index: number, sample: Float32) =>
    denoised(type, prediction, sample, ...scalesAt(index));
  return {
    timesteps,
    initNoiseSigma: 1,
    scaleModelInput: (sample) => sample,
    interpret,
    predictOriginal: (prediction, index, sample) => interpret(prediction, index, sample).original,
    addNoise: (original, noise, index = 0) => noised(original, noise, ...scalesAt(index)),
    priorScale: () => 1,
  };
}

/** a_t of a timestep; `final` before the first, where a run ends. */
export function alphaLookup(alphasCumprod: Float32Array, final: number): (t: number) => number {
  return (t) => (t >= 0 ? alphasCumprod[Math.min(t, alphasCumprod.length - 1)]! : final);
}
