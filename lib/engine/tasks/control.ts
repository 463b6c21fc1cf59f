import { EncoreError } from '../../contracts/errors.ts';
import type { Receipt } from '../../contracts/generation.ts';
import type { ControlNet, PreparedControl } from '../networks/controlnet/controlnet.ts';
import type { ControlResiduals } from '../propagation/denoiser.ts';
import type { Guide } from '../propagation/loop.ts';
import { concatRows, mapped, rows, scaled, weightedSum } from '../tensor/arithmetic.ts';
import { resampled } from '../tensor/resample.ts';
import { float32, type Tensor } from '../tensor/tensor.ts';
import type { LoadedControlNet } from './control-nets.ts';
import type { Batch } from './course.ts';
import type { LoadedModel } from './loaded-model.ts';
import { expectSize, pixelsOf } from './original.ts';
import { repeatRow } from './pictures.ts';
import type { ControlInput, GenerateInput, Picture } from './task.ts';

type Float32 = Tensor<'float32'>;

/** A part of a run in which a ControlNet guides, as fractions of its steps. */
export type Share = Pick<ControlInput, 'start' | 'end'>;

/** Evaluations of a leg, and which steps of how many they are where shares are counted. */
export interface Stretch {
  readonly evaluations: number;
  readonly from: number;
  readonly of: number;
}

interface Control extends LoadedControlNet {
  readonly input: ControlInput;
  /** It reads the words of the conditional half alone, and says nothing to the other (`guess_mode` of diffusers). */
  readonly halved: boolean;
}

/** The ControlNets of a request, opened. Their residuals are added to each other. */
export class Guidance {
  private readonly controls: readonly Control[];

  private constructor(controls: readonly Control[]) {
    this.controls = controls;
  }

  /**
   * Throws `invalid_parameter` for a part of the run that is none and for a picture of another size than the request,
   * and what {@link ControlNets.open} throws.
   */
  static async open(model: LoadedModel, request: GenerateInput): Promise<Guidance> {
    const controls: Control[] = [];
    for (const [i, input] of (request.control ?? []).entries()) {
      expectShare(input, i);
      expectSize(`control.${i}.image`, input.image, request);
      const halved = input.mode === 'control' && request.guidanceScale > 1;
      controls.push({ ...(await model.controlNets.open(input.model)), input, halved });
    }
    return new Guidance(controls);
  }

  get present(): boolean {
    return this.controls.length > 0;
  }

  /** What the receipt says of each. */
  get facts(): NonNullable<Receipt['control']> {
    return this.controls.map(({ name, hash, input }) => {
      const { scale, start, end, mode } = input;
      return { model: name, hash, scale, start, end, ...(mode && { mode }) };
    });
  }

  /**
   * A plan's key steps, and those at which a ControlNet begins or ceases to guide: features from before know nothing of
   * that.
   */
  keySteps(planned: readonly number[], stretch: Stretch): { keySteps: number[]; notices: string[] } {
    const shares = this.controls.map(({ input }) => input);
    const kept = planned.filter((step) => step < stretch.evaluations);
    const added = switchesOf(shares, stretch).filter((step) => !kept.includes(step));
    return {
      keySteps: [...kept, ...added].sort((a, b) => a - b),
      notices:
        added.length === 0
          ? []
          : [`A ControlNet begins or ends at ${steps(added)}, which the plan now runs in full.`],
    };
  }

  /** Runs of all ControlNets in one batch, and what an exact run would make. */
  runs(keySteps: readonly number[], stretch: Stretch): { made: number; exact: number } {
    const all = stepsOf(stretch);
    const sum = (steps: readonly number[]) =>
      this.controls.reduce((total, { input }) => total + active(steps, stretch, input).length, 0);
    return { made: sum(keySteps), exact: sum(all) };
  }

  /** Multiply-accumulates: `prompt` once per batch, `steps` of one row at all of these key steps together. */
  cost({ height, width }: Size, keySteps: readonly number[], stretch: Stretch): ControlCost {
    const costs = this.controls.map(({ net, input, halved }) => {
      const { prompt, step } = net.cost(height, width);
      return { prompt, steps: (halved ? 0.5 : 1) * step * active(keySteps, stretch, input).length };
    });
    const sum = (key: keyof ControlCost) => costs.reduce((total, cost) => total + cost[key], 0);
    return { prompt: sum('prompt'), steps: sum('steps') };
  }

  /** Embeds pictures and prompt; undefined where there are no ControlNets. */
  async guide(batch: GuidedBatch, { frames, stretch, course }: GuidedLeg): Promise<Guide | undefined> {
    if (!this.present) return undefined;
    const { meter, checkpoint, run, states } = batch;
    const { height, width } = course;
    const samples = batch.count * frames;
    const text = repeatEach(states, frames);
    const prepared: { net: ControlNet; input: ControlInput; ready: PreparedControl }[] = [];
    for (const { net, input, halved } of this.controls) {
      checkpoint();
      const heard = halved ? rows(text, samples, 2 * samples) : text;
      const picture = conditionOf(input.image, height * net.config.scale, width * net.config.scale);
      const ready = await meter.call('textEncoder', 1, net.cost(height, width).prompt, () =>
        net.prepare({ encoderHiddenStates: heard }, picture, samples),
      );
      prepared.push({ net, input, ready });
    }
    const size = { rows: text.shape[0]!, height, width };
    return async (sample, index) => {
      let sum: ControlResiduals | undefined;
      for (const { net, input, ready } of prepared) {
        if (!guides(index, stretch, input)) continue;
        checkpoint();
        const cost = ready.rows * net.cost(height, width).step;
        const residuals = await meter.call('control', 1, cost, () =>
          net.residuals(sample, run.timesteps[index]!, ready, input.scale),
        );
        const heard = forRows(size.rows, softened(residuals, input.mode));
        sum = sum === undefined ? heard : added(sum, heard);
      }
      // Nothing, as numbers: the encoder's graph stays the same throughout the run.
      return sum ?? prepared[0]!.net.silence(size);
    };
  }
}

interface Size {
  readonly height: number;
  readonly width: number;
}

interface ControlCost {
  prompt: number;
  steps: number;
}

/** What guidance has to know of a batch, and of its leg (run.ts). */
type GuidedBatch = Pick<Batch, 'meter' | 'checkpoint' | 'run' | 'states' | 'count'>;
interface GuidedLeg {
  /** Of the latents. */
  readonly course: Size;
  readonly frames: number;
  readonly stretch: Stretch;
}

/** Whether it guides at evaluation `index`, as in diffusers' StableDiffusionControlNetPipeline. */
export function guides(index: number, { from, of }: Stretch, { start, end }: Share): boolean {
  const position = from + index;
  return !(position / of < start || (position + 1) / of > end);
}

function stepsOf({ evaluations }: Stretch): number[] {
  return Array.from({ length: evaluations }, (_, step) => step);
}

function steps(list: readonly number[]): string {
  return `${list.length === 1 ? 'step' : 'steps'} ${list.join(', ')}`;
}

function active(steps: readonly number[], stretch: Stretch, share: Share): number[] {
  return steps.filter((step) => guides(step, stretch, share));
}

/** Steps, the first left out, that some ControlNet guides and the one before does not, or the other way round. */
export function switchesOf(shares: readonly Share[], stretch: Stretch): number[] {
  return stepsOf(stretch)
    .slice(1)
    .filter((step) =>
      shares.some((share) => guides(step, stretch, share) !== guides(step - 1, stretch, share)),
    );
}

function added(a: ControlResiduals, b: ControlResiduals): ControlResiduals {
  const sum = (x: Float32, y: Float32) => weightedSum([1, x], [1, y]);
  return {
    downBlockResSamples: a.downBlockResSamples.map((x, i) => sum(x, b.downBlockResSamples[i]!)),
    midBlockResSample: sum(a.midBlockResSample, b.midBlockResSample),
  };
}

/**
 * Where words and ControlNet are not to count alike: the shallower the layer, the less it says, from a tenth to all in
 * equal ratios. diffusers: `guess_mode` of ControlNetModel; AUTOMATIC1111's extension has 0.825 to the power of 0 .. 12.
 */
function softened(residuals: ControlResiduals, mode: ControlInput['mode'] = 'balanced'): ControlResiduals {
  if (mode === 'balanced') return residuals;
  const { downBlockResSamples: down, midBlockResSample } = residuals;
  return {
    downBlockResSamples: down.map((x, i) => scaled(10 ** (i / down.length - 1), x)),
    midBlockResSample,
  };
}

/** Residuals of the conditional half alone, with nothing for the half before it. */
function forRows(count: number, residuals: ControlResiduals): ControlResiduals {
  if (residuals.midBlockResSample.shape[0] === count) return residuals;
  const whole = (x: Float32) => concatRows([float32(x.shape), x]);
  return {
    downBlockResSamples: residuals.downBlockResSamples.map(whole),
    midBlockResSample: whole(residuals.midBlockResSample),
  };
}

/** A control picture [1, 3, H, W] in 0 .. 1, resampled where a later, larger pass of the run needs it so. */
function conditionOf(picture: Picture, height: number, width: number): Float32 {
  const pixels = mapped(pixelsOf(picture), (value) => (value + 1) / 2);
  return picture.height === height && picture.width === width
    ? pixels
    : resampled(pixels, height, width, 'bilinear');
}

/** Each row [R, ...] `times` times in a row. */
function repeatEach(x: Float32, times: number): Float32 {
  return times === 1
    ? x
    : concatRows(Array.from({ length: x.shape[0]! }, (_, i) => repeatRow(rows(x, i, i + 1), times)));
}

function expectShare({ start, end, scale }: ControlInput, i: number): void {
  if (Number.isFinite(scale) && start >= 0 && end <= 1 && start < end) return;
  throw new EncoreError(
    'invalid_parameter',
    `control ${i + 1} guides from ${start} to ${end}, times ${scale}`,
    {
      remedy: 'Use fractions of the run from 0 to 1, the start before the end.',
      errors: [{ path: `control.${i}.start`, message: 'must be below end' }],
    },
  );
}
