import type { SchedulerName } from '../../contracts/generation.ts';
import type { Tensor } from '../tensor/tensor.ts';

type Float32 = Tensor<'float32'>;

/**
 * One sampling algorithm with its checkpoint's settings: pure arithmetic, immutable, shared by any number of runs.
 *
 * Notation of Song et al., 2021 (DDIM): x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) eps, a_t = `alphas_cumprod[t]`. Algorithms
 * in sigma (Karras et al., 2022) keep x = x_0 + sigma eps with sigma = sqrt((1 - a) / a).
 */
export interface Scheduler {
  readonly name: SchedulerName;
  /** As parsed: every setting the algorithm reads, named as in scheduler_config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Timesteps of the training schedule (`num_train_timesteps`). */
  readonly trainSteps: number;
  /** Starts a run. Throws `invalid_parameter` for a number of steps the schedule cannot be cut into. */
  begin(options: RunOptions): SchedulerRun;
}

export interface RunOptions {
  /** Steps of a whole run, noise to picture. */
  steps: number;
  /** Steps left out at the noisy end (image-to-image); the run then starts at step `first`. Default 0. */
  first?: number;
  /** DDIM only: 0 is deterministic, 1 is DDPM's variance. Default 0. */
  eta?: number;
}

/** The state of one run: multistep history lives here and nowhere else. `step` is called once per timestep, in order. */
export interface SchedulerRun {
  /** What the network is asked at, noisiest first; whole numbers or fractions. One entry per network evaluation. */
  readonly timesteps: readonly number[];
  /** Standard normal noise times this is where a whole run starts. */
  readonly initNoiseSigma: number;
  /** Whether steps draw noise. */
  readonly stochastic: boolean;
  /** The network's input at evaluation `index`. */
  scaleModelInput(sample: Float32, index: number): Float32;
  /**
   * The sample after evaluation `index`. `prediction` is what the checkpoint was trained to give (`prediction_type`);
   * `noise` draws one standard normal tensor of the sample's shape and is called at most once.
   */
  step(prediction: Float32, index: number, sample: Float32, noise: () => Float32): Float32;
  /** The x_0 that a prediction at evaluation `index` points to, before any clipping: what a preview shows. */
  predictOriginal(prediction: Float32, index: number, sample: Float32): Float32;
  /** x_0 with the noise that samples have before evaluation `index`; default 0, where the run starts (image-to-image). */
  addNoise(original: Float32, noise: Float32, index?: number): Float32;
  /**
   * Factor for prior noise injection after evaluation `index`, on top of alpha: 1 where samples keep unit variance,
   * sqrt(1 + sigma^2) / initNoiseSigma with the sigma just reached where they do not.
   */
  priorScale(index: number): number;
}
