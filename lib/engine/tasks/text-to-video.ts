import { EncoreError } from '../../contracts/errors.ts';
import { videoSchema } from '../../contracts/task-inputs.ts';
import type { SchedulerRun } from '../schedulers/index.ts';
import { trainingAlphas } from '../schedulers/noise-schedule.ts';
import { concatRows, reshaped, rows, scaled, weightedSum } from '../tensor/arithmetic.ts';
import { float32, sizeOf, type Tensor } from '../tensor/tensor.ts';
import type { Batch, Course, Task } from './course.ts';
import { expectLatentsAlone, latentSize } from './latent-size.ts';
import { viewOf, warp, type Warped } from './motion-field.ts';

type Float32 = Tensor<'float32'>;

/**
 * t1 and t0 as parts of a run, and how latents are moved. The paper's 47 and 44 of 50, counted from the end (section 4.1),
 * in whole positions; where one position stands for 16 pixels these would jump, and a network of so few positions still
 * decides at this noise where things are: the motion comes later. Tried on the bundled model, docs/tasks.md.
 */
const motionOf = {
  fine: { t1: 0.04, t0: 0.1, sampling: 'nearest' },
  coarse: { t1: 0.24, t0: 0.32, sampling: 'linear' },
} as const;

/**
 * Text2Video-Zero (Khachatryan et al., 2023, arXiv 2303.13439): one picture is denoised to t0, its latents are moved on for
 * each further frame and brought back to the noise of t1, and from there all frames are denoised together, each looking
 * at the first. diffusers: pipelines/deprecated/text_to_video_synthesis/pipeline_text_to_video_zero.py
 */
const text2VideoZero: Task = {
  courses(model, input) {
    expectLatentsAlone(model);
    const { height, width } = latentSize(model, input);
    const { frames, motion } = input.video ?? videoSchema.parse({});
    const { steps } = input;
    if (steps < 2) {
      throw new EncoreError('invalid_parameter', `a video takes at least 2 steps, got ${steps}`, {
        errors: [{ path: 'steps', message: 'must be at least 2 for a video' }],
      });
    }
    const { sampling, ...parts } = motionOf[model.autoencoder.config.scale > 8 ? 'coarse' : 'fine'];
    const t1 = Math.round(parts.t1 * steps);
    const t0 = Math.max(Math.round(parts.t0 * steps), t1 + 1);
    const shape = [model.denoiser.outChannels, height, width];
    const alphas = trainingAlphas(model.schedulerConfig);
    /** The first frame of each video at t1. */
    const started = new Map<number, Float32>();

    const initial = ({ run, noise, first, count }: Batch): Float32 =>
      input.latents === undefined
        ? scaled(run.initNoiseSigma, noise(shape))
        : rows(input.latents, first, first + count);
    const toT1: Course = {
      ...{ height, width, frames: 1, end: t1, plan: 'exact', injection: 0 },
      start: (batch) => Promise.resolve({ latents: initial(batch) }),
    };
    const toT0: Course = {
      ...{ height, width, frames: 1, first: t1, end: t0, plan: 'exact', injection: 0 },
      start(batch) {
        const latents = batch.previous ?? initial(batch);
        for (let i = 0; i < batch.count; i++) started.set(batch.first + i, rows(latents, i, i + 1));
        return Promise.resolve({ latents });
      },
    };
    const together: Course = {
      ...{ height, width, frames, first: t1, planFrom: 'course' },
      start({ run, noise, first, count, previous }) {
        const others = count * (frames - 1);
        const fresh = reshaped(noise([frames - 1, ...shape]), [others, ...shape]);
        const back = forward(run, t0 - t1, alphas);
        const latents: Float32[] = [];
        for (let i = 0; i < count; i++) {
          latents.push(started.get(first + i)!);
          for (let k = 1; k < frames; k++) {
            const row = i * (frames - 1) + k - 1;
            const moved = warp(rows(previous!, i, i + 1), viewOf(motion, k, frames), sampling);
            latents.push(back(moved, rows(fresh, row, row + 1)));
          }
        }
        return Promise.resolve({ latents: concatRows(latents) });
      },
    };
    return [...(t1 > 0 ? [toT1] : []), toT0, together];
  },
};

/**
 * AnimateDiff (Guo et al., 2023, arXiv 2307.04725): a motion adapter lets all frames see each other; they are denoised from
 * noise together. diffusers: pipelines/animatediff/pipeline_animatediff.py
 */
const animateDiff: Task = {
  courses(model, input) {
    expectLatentsAlone(model);
    const { height, width } = latentSize(model, input);
    const { frames } = input.video ?? videoSchema.parse({});
    const { name, config } = model.motion!;
    if (frames > config.maxFrames) {
      throw new EncoreError(
        'invalid_parameter',
        `${name} knows ${config.maxFrames} frames at most, got ${frames}`,
        { errors: [{ path: 'video.frames', message: `must be at most ${config.maxFrames}` }] },
      );
    }
    if (input.latents !== undefined) {
      throw new EncoreError('invalid_tensor', 'latents cannot be given to a video with a motion adapter', {
        remedy: 'Leave them out: they are one picture for each video, and here every frame has its own.',
      });
    }
    const shape = [model.denoiser.outChannels, frames, height, width];
    return [
      {
        ...{ height, width, frames },
        start: ({ run, noise }) =>
          Promise.resolve({ latents: scaled(run.initNoiseSigma, framesFirst(noise(shape))) }),
      },
    ];
  },
};

export const textToVideo: Task = {
  courses: (model, input) =>
    (model.motion === undefined ? text2VideoZero : animateDiff).courses(model, input),
};

/** [B, C, F, h, w], as diffusers draws the noise of a video, to [B F, C, h, w]. */
function framesFirst(noise: Float32): Float32 {
  const [videos = 0, channels = 0, frames = 0, ...space] = noise.shape;
  const area = sizeOf(space);
  const out = new Float32Array(noise.data.length);
  for (let i = 0; i < videos * channels * frames; i++) {
    const [v, c, f] = [Math.floor(i / (channels * frames)), Math.floor(i / frames) % channels, i % frames];
    out.set(noise.data.subarray(i * area, (i + 1) * area), ((v * frames + f) * channels + c) * area);
  }
  return float32([videos * frames, channels, ...space], out);
}

/**
 * The DDPM forward process from the noise before evaluation `from` of a run to that before its first. Schedulers in sigma
 * (Euler) keep samples c times as large as DDPM; where interpolation took noise away, the fresh noise makes up for it.
 */
function forward(
  run: SchedulerRun,
  from: number,
  alphas: Float32Array,
): (moved: Warped, noise: Float32) => Float32 {
  const [t1, t0] = [Math.round(run.timesteps[0]!), Math.round(run.timesteps[from]!)];
  const product = (start: number, end: number) => alphas.subarray(start, end).reduce((a, b) => a * b, 1);
  const step = product(t0, t1);
  const noiseAtT0 = 1 - product(0, t0 + 1);
  const scaleAt = (index: number, t: number): number => {
    const one = float32([1], Float32Array.of(1));
    const signal = run.addNoise(one, float32([1]), index).data[0]!;
    const ddpm = Math.sqrt(product(0, t + 1));
    return Math.abs(signal - ddpm) < 1e-3 ? 1 : signal / ddpm;
  };
  const [c1, c0] = [scaleAt(0, t1), scaleAt(from, t0)];
  return ({ latents, variance }, noise) => {
    const missing = step * (1 - variance) * noiseAtT0;
    return weightedSum([(c1 / c0) * Math.sqrt(step), latents], [c1 * Math.sqrt(1 - step + missing), noise]);
  };
}
