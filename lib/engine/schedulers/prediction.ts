import { mapped, weightedSum } from '../tensor/arithmetic.ts';
import { float32, sizeOf, type Tensor } from '../tensor/tensor.ts';
import type { ClippingConfig, PredictionType } from './config.ts';

type Float32 = Tensor<'float32'>;

/** x_0 and eps that a prediction stands for, at x = alpha x_0 + sigma eps. */
export interface Denoised {
  readonly original: Float32;
  readonly epsilon: Float32;
}

/** Salimans and Ho, 2022: v = alpha eps - sigma x_0, so x_0 = alpha x - sigma v and eps = alpha v + sigma x. */
export function denoised(
  type: PredictionType,
  prediction: Float32,
  sample: Float32,
  alpha: number,
  sigma: number,
): Denoised {
  switch (type) {
    case 'epsilon':
      return {
        original: weightedSum([1 / alpha, sample], [-sigma / alpha, prediction]),
        epsilon: prediction,
      };
    case 'sample':
      return {
        original: prediction,
        epsilon: weightedSum([1 / sigma, sample], [-alpha / sigma, prediction]),
      };
    case 'v_prediction':
      return {
        original: weightedSum([alpha, sample], [-sigma, prediction]),
        epsilon: weightedSum([alpha, prediction], [sigma, sample]),
      };
  }
}

/** alpha x_0 + sigma eps. */
export function noised(original: Float32, noise: Float32, alpha: number, sigma: number): Float32 {
  return weightedSum([alpha, original], [sigma, noise]);
}

/** Dynamic thresholding where it is on (it then replaces clipping), otherwise clipping where that is on. */
export function clipped(original: Float32, config: ClippingConfig): Float32 {
  if (config.thresholding) return thresholded(original, config);
  if (!config.clip_sample) return original;
  const range = config.clip_sample_range;
  return mapped(original, (value) => Math.min(Math.max(value, -range), range));
}

/**
 * Dynamic thresholding (Saharia et al., 2022, section 2.3): each sample [C, h, w] is clipped to the chosen percentile
 * of its absolute values, within 1 and `sample_max_value`, and divided by it.
 */
export function thresholded(
  original: Float32,
  config: Pick<ClippingConfig, 'dynamic_thresholding_ratio' | 'sample_max_value'>,
): Float32 {
  const size = sizeOf(original.shape.slice(1));
  const out = new Float32Array(original.data.length);
  for (let start = 0; start < out.length; start += size) {
    const row = original.data.subarray(start, start + size);
    const s = Math.min(
      Math.max(quantile(row.map(Math.abs), config.dynamic_thresholding_ratio), 1),
      config.sample_max_value,
    );
    row.forEach((value, i) => (out[start + i] = Math.min(Math.max(value, -s), s) / s));
  }
  return float32(original.shape, out);
}

/** torch.quantile: linear between the two nearest. */
function quantile(values: Float32Array, q: number): number {
  const sorted = values.sort();
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below]! + (at - below) * (sorted[Math.min(below + 1, sorted.length - 1)]! - sorted[below]!);
}
