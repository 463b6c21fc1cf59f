import { EncoreError } from '../../contracts/errors.ts';
import { resolveSchedule } from '../../contracts/plan.ts';
import { schedulers, type SchedulerName } from '../../contracts/schedulers.ts';
import { denoise, guidanceRows, type DenoiseHooks } from '../propagation/loop.ts';
import { spansOf } from '../propagation/plan.ts';
import { createScheduler, type Scheduler } from '../schedulers/index.ts';
import { concatRows, rows } from '../tensor/arithmetic.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { batchSize, clipSize, decodeWidth } from './call-size.ts';
import { conditioning, type Conditioning } from './conditioning.ts';
import { Guidance } from './control.ts';
import type { Batch, Course, Start, Task } from './course.ts';
import type { Drawing, Leg, TaskContext } from './drawing.ts';
import { noiseOfStack, PictureNoise } from './picture-noise.ts';
import { picturesOf } from './pictures.ts';
import { PreviewBudget, unscale } from './previewer.ts';
import { receiptOf } from './receipt.ts';
import { RunMeter } from './run-meter.ts';
import type { GenerateInput, Picture, TaskHooks, TaskResult } from './task.ts';

type Float32 = Tensor<'float32'>;

/** Share of the training schedule, from its end, in which prior noise is injected (Faster Diffusion, section 3.3). */
const injectionTau = 0.5;

/**
 * What every task is: words, the loop once for each of its courses, the autoencoder, a receipt. Throws
 * `invalid_parameter` and `invalid_tensor` for what does not fit the model, `weights_invalid` where the network gives
 * NaN, `cancelled`.
 */
export async function run(
  context: TaskContext,
  task: Task,
  request: GenerateInput,
  hooks: TaskHooks = {},
): Promise<TaskResult> {
  const input = task.part?.(request) ?? request;
  const guidance = await Guidance.open(context.model, input);
  const drawing = prepareDrawing(context, task, input, guidance, hooks);
  const { meter, count } = drawing;
  context.useMeter(meter);
  drawing.checkpoint();
  drawing.report('text');
  const text = await meter.call('textEncoder', 1, 0, () => conditioning(context.model, input, count));

  const noise = new PictureNoise(input.noiseKind ?? 'philox', input.seed, count);
  let latents: Float32 | undefined;
  for (const [i, leg] of drawing.legs.entries()) {
    meter.leg = i;
    latents = await walk(drawing, leg, text, noise, latents);
  }
  const drawn = await develop(drawing, latents!);
  const pictures = drawn.map((picture) => task.finish?.(picture, request) ?? picture);
  return {
    pictures,
    latents: latents!,
    receipt: receiptOf(context, drawing, text, pictures[0]!),
  };
}

function prepareDrawing(
  context: TaskContext,
  task: Task,
  input: GenerateInput,
  guidance: Guidance,
  hooks: TaskHooks,
): Drawing {
  const { model, started } = context;
  const count = input.latents?.shape[0] ?? input.count;
  const courses = task.courses(model, input);
  const scheduler = createScheduler(model.schedulerConfig, input.scheduler);
  const legs = courses.map((course) => legOf(context, input, scheduler, course, count, guidance));
  const last = legs.at(-1)!;
  const pictureCost = model.autoencoder.decodeCost(last.course.height, last.course.width);
  const halves = guidanceRows(1, input.guidanceScale);
  const total = legs.reduce(
    (sum, { course, frames, keySteps, evaluations, stretch, cost, batch }) => {
      const control = guidance.cost(course, keySteps, stretch);
      const row = keySteps.length * cost.encoder + evaluations * cost.decoder + control.steps;
      const once = (count / batch) * control.prompt;
      return sum + count * (halves * frames * row + (course.cost ?? 0)) + once;
    },
    count * last.frames * pictureCost,
  );
  const meter = new RunMeter(total, () => performance.now(), started);
  const steps = legs.reduce((sum, { evaluations, batch }) => sum + evaluations * (count / batch), 0);
  const drawing: Drawing = {
    ...{ model, input, hooks, scheduler, guidance, legs, count, pictureCost, meter },
    previews: new PreviewBudget(),
    stepsDone: 0,
    denoising: 0,
    report(stage) {
      const { fraction, etaSeconds } = meter;
      hooks.onProgress?.({ stage, fraction, step: drawing.stepsDone, steps, etaSeconds });
    },
    checkpoint() {
      if (hooks.signal?.aborted)
        throw new EncoreError('cancelled', 'Cancelled', { cause: hooks.signal.reason });
    },
  };
  return drawing;
}

function legOf(
  { model, device, memoryBudgetBytes }: TaskContext,
  input: GenerateInput,
  scheduler: Scheduler,
  course: Course,
  count: number,
  guidance: Guidance,
): Leg {
  const { first = 0, end = Infinity, frames = 1, plan = input.plan, planFrom = 'run' } = course;
  const { steps, eta = 0 } = input;
  const begin = () => scheduler.begin({ steps, first, eta });
  const { timesteps, stochastic } = begin();
  const skipped = planFrom === 'run' ? first : 0;
  const schedule = resolveSchedule(plan, skipped + timesteps.length, skipped);
  const evaluations = Math.min(timesteps.length, end - first);
  // Courses of one run count its steps through; a run that begins late, as in image to image, counts its own.
  const isPart = course.end !== undefined || planFrom === 'course';
  const whole = isPart ? { from: first, of: first + timesteps.length } : { from: 0, of: evaluations };
  const stretch = { ...whole, evaluations };
  const { keySteps, notices } = guidance.keySteps(schedule.keySteps, stretch);
  const cost = model.denoiser.cost(course.height, course.width);
  const halves = guidanceRows(1, input.guidanceScale);
  const rowMacs = halves * Math.max(cost.encoder, cost.decoder);
  const batch = batchSize(count, frames * rowMacs, device);
  const clip =
    course.frames === undefined
      ? undefined
      : clipSize(frames, halves * batch, cost, device, memoryBudgetBytes);
  const stepMacs = (clip?.perCall ?? 1) * batch * halves * cost.decoder;
  const width = decodeWidth(input.decodeWidth, stepMacs, device, clip?.steps);
  const grainy = stochastic && keySteps.length < evaluations;
  return {
    ...{ course, frames, clip, evaluations, keySteps, batch, begin, cost },
    spans: spansOf(keySteps, evaluations, width),
    injection: course.injection ?? input.injection,
    stretch,
    controlRuns: guidance.runs(keySteps, stretch),
    notices: [
      ...(schedule.notice === null ? [] : [schedule.notice]),
      ...notices,
      ...(grainy ? [noiseUnseen(scheduler.name)] : []),
    ],
  };
}

/** Measured on the bundled model: long spans leave what was drawn in them in the picture; spans of two do not. */
function noiseUnseen(name: SchedulerName): string {
  const { label } = schedulers[name];
  return `${label} draws new noise at every step, and steps without the encoder do not see it: if the picture is grainy, choose the plan exact, or a key step every 2.`;
}

/** All pictures once through the loop, batch by batch: latents [count * frames, C, h, w]. */
async function walk(
  drawing: Drawing,
  leg: Leg,
  text: Conditioning,
  noise: PictureNoise,
  previous: Float32 | undefined,
): Promise<Float32> {
  const { model, meter, checkpoint } = drawing;
  const finished: Float32[] = [];
  for (let first = 0; first < drawing.count; first += leg.batch) {
    const batch: Batch = {
      ...{ model, meter, checkpoint, first, count: leg.batch, run: leg.begin() },
      previous: previous && rowsOfPictures(previous, drawing.count, first, leg.batch),
      states: concatRows(text.halves.map((half) => rows(half, first, first + leg.batch))),
      noise: (shape) => noise.draw(first, leg.batch, shape),
    };
    checkpoint();
    const start = await leg.course.start(batch);
    finished.push(await walkBatch(drawing, leg, batch, start));
  }
  return concatRows(finished);
}

/** Of latents with several rows for each of `pictures`. */
function rowsOfPictures(latents: Float32, pictures: number, first: number, count: number): Float32 {
  const each = latents.shape[0]! / pictures;
  return rows(latents, first * each, (first + count) * each);
}

async function walkBatch(drawing: Drawing, leg: Leg, batch: Batch, start: Start): Promise<Float32> {
  const { model, input, scheduler, meter } = drawing;
  const { denoiser } = model;
  const { run, first, count, states } = batch;
  const { frames } = leg;
  const { checkpoint, legs } = drawing;
  // A step of a long video takes minutes.
  const between = (part: number) => {
    checkpoint();
    meter.within(part);
    drawing.report('denoise');
  };
  // Given noise has the size of the first leg.
  const stack = leg === legs[0] ? input.noise : undefined;
  checkpoint();
  const prepared = await meter.call('textEncoder', 1, 0, () =>
    denoiser.prepare({
      encoderHiddenStates: states,
      frames: leg.clip && { ...leg.clip, count: frames, between },
    }),
  );
  const control = await drawing.guidance.guide(batch, leg);
  const { result, seconds } = await meter.timed(() =>
    denoise(
      {
        ...{ denoiser, prepared, run, ...start, spans: leg.spans, control },
        injection: { alpha: leg.injection, tau: injectionTau, trainSteps: scheduler.trainSteps },
        guidanceScale: input.guidanceScale,
        noise: (index) =>
          stack === undefined
            ? drawnLike(start.latents, batch, frames)
            : noiseOfStack(stack, index, first, count),
      },
      loopHooks(drawing, leg, first),
    ),
  );
  drawing.denoising += seconds;
  return result;
}

/** Noise of the latents' shape, from each picture's own generator. */
function drawnLike({ shape }: Float32, { noise }: Batch, frames: number): Float32 {
  const drawn = noise(frames === 1 ? shape.slice(1) : [frames, ...shape.slice(1)]);
  return { ...drawn, shape };
}

function loopHooks(drawing: Drawing, { batch, frames, cost }: Leg, first: number): DenoiseHooks {
  const { model, input, hooks, meter, previews } = drawing;
  const callRows = guidanceRows(batch * frames, input.guidanceScale);
  const { onPreview } = hooks;
  return {
    beforeCall: drawing.checkpoint,
    // Guidance books each of its ControlNets by itself.
    call: (part, steps, work) =>
      part === 'control' ? work() : meter.call(part, steps, callRows * steps * cost[part], work),
    onStep(index, x) {
      expectFinite(x, index);
      drawing.stepsDone++;
      drawing.report('denoise');
    },
    // Of the first picture only.
    onKeyStep:
      onPreview === undefined || first > 0
        ? undefined
        : (index, original) =>
            previews.spend(async () => {
              onPreview(index, await meter.call('preview', 1, 0, () => model.previewer.draw(original)));
            }),
  };
}

/** Latents to pictures, one by one: a decoder needs far more memory than a step of the denoiser. */
async function develop(drawing: Drawing, latents: Float32): Promise<Picture[]> {
  const { model, pictureCost, meter } = drawing;
  const { autoencoder } = model;
  const pictures: Picture[] = [];
  drawing.report('vae');
  for (let i = 0; i < latents.shape[0]!; i++) {
    drawing.checkpoint();
    const one = unscale(rows(latents, i, i + 1), autoencoder);
    pictures.push(...picturesOf(await meter.call('vae', 1, pictureCost, () => autoencoder.decode(one))));
    drawing.report('vae');
  }
  return pictures;
}

/** Inputs are finite, so what is not comes from the weights. */
function expectFinite({ data }: Float32, step: number): void {
  if (data.every(Number.isFinite)) return;
  throw new EncoreError('weights_invalid', `the network gave NaN or infinity at step ${step}`, {
    remedy: 'The weights are damaged, or were saved in float16 although their values do not fit.',
  });
}
