import { EncoreError } from '../../contracts/errors.ts';
import { noiseScheduleSchema, parseSchedulerConfig } from './config.ts';
import type { NoiseScheduleConfig, TimestepSpacing } from './config.ts';
import { roundHalfEven } from '../tensor/rounding.ts';

/** Betas as the checkpoint was trained with, and what follows from them. float32 where torch has float32. */
export interface NoiseSchedule {
  readonly betas: Float32Array;
  /** a_t: the cumulative product of 1 - beta. */
  readonly alphasCumprod: Float32Array;
}

/** Throws `checkpoint_invalid` where a schedule is given in numbers and has another length than it says. */
export function noiseSchedule(config: NoiseScheduleConfig): NoiseSchedule {
  const betas = config.rescale_betas_zero_snr ? zeroTerminalSnr(betasOf(config)) : betasOf(config);
  return { betas, alphasCumprod: cumulativeProduct(betas.map((beta) => 1 - beta)) };
}

/** 1 - beta of every training step, of a scheduler_config.json. Throws `checkpoint_unsupported`. */
export function trainingAlphas(settings: Readonly<Record<string, unknown>>): Float32Array {
  return noiseSchedule(parseSchedulerConfig(noiseScheduleSchema, settings)).betas.map((beta) => 1 - beta);
}

function betasOf(config: NoiseScheduleConfig): Float32Array {
  const { num_train_timesteps: count, beta_start: start, beta_end: end, trained_betas: trained } = config;
  if (trained && trained.length !== count) {
    throw new EncoreError(
      'checkpoint_invalid',
      `scheduler_config.json: ${trained.length} trained_betas for ${count} num_train_timesteps`,
    );
  }
  if (trained) return Float32Array.from(trained);
  switch (config.beta_schedule) {
    case 'linear':
      return linspace(start, end, count);
    case 'scaled_linear':
      return linspace(start ** 0.5, end ** 0.5, count).map((root) => root * root);
    case 'squaredcos_cap_v2': {
      // Nichol and Dhariwal, 2021: betas of a squared cosine, at most 0.999.
      const bar = (t: number) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
      return Float32Array.from({ length: count }, (_, i) => {
        return Math.min(1 - bar((i + 1) / count) / bar(i / count), 0.999);
      });
    }
  }
}

/** torch.linspace in float32: counted from both ends so that both are exact. */
function linspace(start: number, end: number, count: number): Float32Array {
  const [from, to] = [Math.fround(start), Math.fround(end)];
  const step = count === 1 ? 0 : Math.fround(Math.fround(to - from) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < count / 2 ? from + step * i : to - step * (count - 1 - i),
  );
}

function cumulativeProduct(values: Float32Array): Float32Array {
  let product = 1;
  return values.map((value) => (product *= value));
}

/** Lin et al., 2023 (Common Diffusion Noise Schedules and Sample Steps are Flawed), algorithm 1: sqrt(a_T) = 0. */
function zeroTerminalSnr(betas: Float32Array): Float32Array {
  const roots = cumulativeProduct(betas.map((beta) => 1 - beta)).map(Math.sqrt);
  const [first, last] = [roots[0]!, roots.at(-1)!];
  const stretch = Math.fround(first / Math.fround(first - last));
  const bar = roots.map((root) => Math.fround(root - last) * stretch).map((root) => root * root);
  return bar.map((value, i) => 1 - (i === 0 ? value : Math.fround(value / bar[i - 1]!)));
}

/**
 * Timesteps of DDIM, PNDM and DDPM, noisiest first (Lin et al., 2023, table 2). Where numpy's arange gives one entry too
 * many for `trailing` (61 steps of 1000, for one), the superfluous timestep -1 is left out.
 */
export function spacedTimesteps(
  spacing: TimestepSpacing,
  trainSteps: number,
  steps: number,
  offset: number,
): number[] {
  switch (spacing) {
    case 'linspace': {
      const step = steps === 1 ? 0 : (trainSteps - 1) / (steps - 1);
      const ascending = Array.from({ length: steps }, (_, i) => roundHalfEven(i * step));
      return ascending.reverse();
    }
    case 'leading': {
      const ratio = Math.floor(trainSteps / steps);
      return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * ratio + offset);
    }
    case 'trailing':
      return arange(trainSteps, steps).map((t) => roundHalfEven(t) - 1);
  }
}

/** numpy.arange(from, 0, -from / count): it multiplies the difference of its first two values, rounding and all. */
export function arange(from: number, count: number): number[] {
  const delta = from - from / count - from;
  return Array.from({ length: count }, (_, i) => from + i * delta);
}
