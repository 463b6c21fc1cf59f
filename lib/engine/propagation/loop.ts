import { EncoreError } from '../../contracts/errors.ts';
import type { SchedulerRun } from '../schedulers/scheduler.ts';
import { weightedSum } from '../tensor/arithmetic.ts';
import { float32, sizeOf, type Tensor } from '../tensor/tensor.ts';
import type { ControlResiduals, Denoiser, Features, Prepared } from './denoiser.ts';
import type { Span } from './plan.ts';

type Float32 = Tensor<'float32'>;

export interface DenoiseInput {
  readonly denoiser: Denoiser;
  /** The run's conditioning, for 2B rows where guidance is on and B where it is off. */
  readonly prepared: Prepared;
  readonly run: SchedulerRun;
  /** Cover the evaluations of the run once each, in order, from the first; a run may end early. */
  readonly spans: readonly Span[];
  /** x_T [B, C, h, w], scaled by the scheduler's initNoiseSigma. */
  readonly latents: Float32;
  /** Classifier-free guidance g; at 1 or below the unconditional half does not exist. */
  readonly guidanceScale: number;
  readonly injection: Injection;
  /** One standard normal tensor [B, C, h, w] for evaluation `index`; asked for by stochastic schedulers only. */
  readonly noise: (index: number) => Float32;
  /** What the network reads beside the scaled sample: [B, C, h, w] to [B, C + n, h, w] (inpainting checkpoints). */
  readonly augment?: (sample: Float32) => Float32;
  /** The latents after evaluation `index` once more: what is not to be drawn is put back (inpainting). */
  readonly amend?: (latents: Float32, index: number) => Float32;
  /** ControlNet, asked at key steps only: its residuals become part of the features that are propagated. */
  readonly control?: Guide;
}

/** Residuals for a scaled sample [B, C, h, w] at evaluation `index`; undefined where it does not guide. */
export type Guide = (sample: Float32, index: number) => Promise<ControlResiduals | undefined>;

/** What the loop calls, for those who time and count. */
export type Part = 'encoder' | 'decoder' | 'control';

/** Prior noise injection (Li et al., section 3.3): x_t <- x_t + alpha x_T wherever t / trainSteps < tau. */
export interface Injection {
  /** 0 is off. */
  readonly alpha: number;
  readonly tau: number;
  readonly trainSteps: number;
}

/** What the loop tells while it runs. Each call may throw or wait; the loop ends or waits with it. */
export interface DenoiseHooks {
  /** Before every call of the network. */
  beforeCall?: () => void | Promise<void>;
  /** Wraps every call of the network, so that it can be timed and counted. `steps` is S of a decoder call. */
  call?: <T>(part: Part, steps: number, work: () => Promise<T>) => Promise<T>;
  /** After every step, with the latents it left. */
  onStep?: (index: number, latents: Float32) => void | Promise<void>;
  /** At every key step, with the x_0 its prediction points to: what a preview is made of. */
  onKeyStep?: (index: number, original: Float32) => void | Promise<void>;
}

/**
 * Denoising with encoder propagation (Faster Diffusion, Li et al., NeurIPS 2024, arXiv 2312.09608): the encoder runs at
 * key steps only; its features are decoded for every step up to the next key step, each with its own time embedding,
 * several steps to a call, and the scheduler then walks through the predictions in order. The latents are the same
 * however many steps a call decodes, up to the rounding of the network's batches.
 *
 * Returns x_0 [B, C, h, w].
 */
export async function denoise(input: DenoiseInput, hooks: DenoiseHooks = {}): Promise<Float32> {
  const { denoiser, prepared, run, spans, guidanceScale, control } = input;
  const { augment = (sample) => sample, amend = (latents) => latents } = input;
  checkRows(input);
  const prior = input.latents;
  let x = prior;
  for (const span of spans) {
    const features = await encode(x, span.key);
    for (const steps of span.calls) {
      const predictions = await decode(features, steps);
      for (const [s, index] of steps.entries()) {
        const prediction = guided(predictions, s, x.shape, guidanceScale);
        if (index === span.key) await hooks.onKeyStep?.(index, run.predictOriginal(prediction, index, x));
        x = run.step(prediction, index, x, () => input.noise(index));
        x = amend(injected(x, prior, index, input), index);
        await hooks.onStep?.(index, x);
      }
    }
  }
  return x;

  async function encode(latents: Float32, key: number): Promise<Features> {
    const sample = run.scaleModelInput(latents, key);
    const residuals =
      control === undefined ? undefined : await call('control', 1, () => control(sample, key));
    const timestep = run.timesteps[key]!;
    return call('encoder', 1, () => denoiser.encode(augment(sample), timestep, prepared, residuals));
  }

  async function decode(features: Features, steps: readonly number[]): Promise<Float32> {
    const timesteps = steps.map((index) => run.timesteps[index]!);
    return call('decoder', steps.length, () => denoiser.decode(features, timesteps, prepared));
  }

  async function call<T>(part: Part, steps: number, work: () => Promise<T>): Promise<T> {
    await hooks.beforeCall?.();
    return hooks.call === undefined ? work() : hooks.call(part, steps, work);
  }
}

/** Guidance doubles the rows: [unconditional B, conditional B]. */
export function guidanceRows(batch: number, guidanceScale: number): number {
  return guidanceScale > 1 ? 2 * batch : batch;
}

/**
 * Prediction of step s out of [S, R, C, h, w]: e = uncond + g (cond - uncond) where rows are doubled, row
 * s R + half B + b, and the rows themselves where they are not.
 */
function guided(predictions: Float32, s: number, shape: readonly number[], guidanceScale: number): Float32 {
  const size = sizeOf(shape);
  const half = (h: number, halves: number) => {
    const start = (s * halves + h) * size;
    return float32(shape, predictions.data.subarray(start, start + size));
  };
  if (guidanceScale <= 1) return half(0, 1);
  return weightedSum([1 - guidanceScale, half(0, 2)], [guidanceScale, half(1, 2)]);
}

/** The one place of prior noise injection: after the step, serial and parallel alike. */
function injected(x: Float32, prior: Float32, index: number, { run, injection }: DenoiseInput): Float32 {
  const { alpha, tau, trainSteps } = injection;
  if (alpha === 0 || run.timesteps[index]! / trainSteps >= tau) return x;
  return weightedSum([1, x], [alpha * run.priorScale(index), prior]);
}

function checkRows({ latents, prepared, guidanceScale }: DenoiseInput): void {
  const [batch = 0] = latents.shape;
  const rows = guidanceRows(batch, guidanceScale);
  if (latents.shape.length !== 4 || prepared.rows !== rows) {
    throw new EncoreError(
      'internal',
      `latents [${latents.shape.join(', ')}] at guidance ${guidanceScale} need ${rows} rows, prepared were ${prepared.rows}`,
    );
  }
}
