import type { Plan } from '../../contracts/generation.ts';
import type { DenoiseInput } from '../propagation/loop.ts';
import type { SchedulerRun } from '../schedulers/index.ts';
import type { Shape, Tensor } from '../tensor/tensor.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { RunMeter } from './run-meter.ts';
import type { GenerateInput, Picture } from './task.ts';

type Float32 = Tensor<'float32'>;

/**
 * One way through the denoising loop: what a task adds to what every run shares (run.ts). A task is a list of courses;
 * each starts from what the one before it left.
 */
export interface Course {
  /** Of the latents. */
  readonly height: number;
  readonly width: number;
  /** Steps left out at the noisy end. Default 0. */
  readonly first?: number;
  /** Steps of the whole run before which it ends, `first` included. Default: it goes to the end. */
  readonly end?: number;
  /** Of a video: latents of one picture that are denoised together, each looking at the first. */
  readonly frames?: number;
  /** Where a plan's first step is: the run's (default), or the first of this course. */
  readonly planFrom?: 'run' | 'course';
  /** Instead of the request's. */
  readonly plan?: Plan;
  readonly injection?: number;
  /** Multiply-accumulates of one picture outside the loop, for the progress: what `start` will do. Default 0. */
  readonly cost?: number;
  /** Before the first step of every batch. */
  start(batch: Batch): Promise<Start>;
}

/** What the loop starts from, and what this course does to it under way. Latents are [count * frames, C, h, w]. */
export type Start = Pick<DenoiseInput, 'latents' | 'augment' | 'amend'>;

/** Some of a request's pictures, drawn together. */
export interface Batch {
  readonly model: LoadedModel;
  readonly run: SchedulerRun;
  /** Pictures `first` to `first + count` of the request. */
  readonly first: number;
  readonly count: number;
  /** What the course before left of these pictures [count * frames, C, h, w]; undefined in the first course. */
  readonly previous: Float32 | undefined;
  /** Text states [R, L, D], the unconditional half first. */
  readonly states: Float32;
  /** The next normals of each picture's own generator, [count, ...shape]. */
  readonly noise: (shape: Shape) => Float32;
  /** For calls of networks: `meter.call('vae', 1, cost, work)`. */
  readonly meter: RunMeter;
  /** Throws `cancelled` once that is asked for; between two calls. */
  readonly checkpoint: () => void;
}

/** What a task file exports. Checks what it needs: throws `invalid_parameter`, `invalid_tensor`, `unsupported_task`. */
export interface Task {
  courses(model: LoadedModel, input: GenerateInput): readonly Course[];
  /** What is drawn of a request where that is a part of its picture. Default: the whole. */
  part?(request: GenerateInput): GenerateInput;
  /** What becomes of each picture in the end. Default: nothing. */
  finish?(picture: Picture, request: GenerateInput): Picture;
}
