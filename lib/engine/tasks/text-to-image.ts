import { EncoreError } from '../../contracts/errors.ts';
import type { Receipt } from '../../contracts/generation.ts';
import { resolveSchedule } from '../../contracts/plan.ts';
import { schedulers, type SchedulerName } from '../../contracts/schedulers.ts';
import { denoise, guidanceRows, type DenoiseHooks } from '../propagation/loop.ts';
import { spansOf, type Span } from '../propagation/plan.ts';
import type { DeviceName } from '../runtime/session.ts';
import { createScheduler, type Scheduler } from '../schedulers/index.ts';
import { concatRows, rows, scaled } from '../tensor/arithmetic.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { batchSize, decodeWidth } from './call-size.ts';
import { conditioning, type Conditioning } from './conditioning.ts';
import { latentSize, type LatentSize } from './latent-size.ts';
import type { LoadedModel } from './loaded-model.ts';
import { noiseOfStack, PictureNoise } from './picture-noise.ts';
import { picturesOf } from './pictures.ts';
import { PreviewBudget, unscale } from './previewer.ts';
import { RunMeter } from './run-meter.ts';
import type { Picture, Progress, TaskHooks, TaskResult, TextToImageInput } from './task.ts';

type Float32 = Tensor<'float32'>;

export interface TaskContext {
  readonly model: LoadedModel;
  readonly device: DeviceName;
  readonly versions: Readonly<Record<string, string>>;
  /** When the task was taken up, by performance.now(). */
  readonly started: number;
  /** The engine books the opening of graphs here. */
  readonly useMeter: (meter: RunMeter) => void;
}

/** Share of the training schedule, from its end, in which prior noise is injected (Faster Diffusion, section 3.3). */
const injectionTau = 0.5;

/**
 * Pictures from a sentence. Throws `invalid_parameter` and `invalid_tensor` for what does not fit the model,
 * `weights_invalid` where the network gives NaN, `cancelled`.
 */
export async function textToImage(
  context: TaskContext,
  input: TextToImageInput,
  hooks: TaskHooks = {},
): Promise<TaskResult> {
  const drawing = prepareDrawing(context, input, hooks);
  const { meter, count, batch } = drawing;
  context.useMeter(meter);
  drawing.checkpoint();
  drawing.report('text', 0);
  const text = await meter.call('textEncoder', 1, 0, () => conditioning(context.model, input, count));

  const previews = new PreviewBudget();
  const finished: Float32[] = [];
  let denoisingSeconds = 0;
  for (let first = 0; first < count; first += batch) {
    const { result, seconds } = await drawBatch(drawing, text, first, previews);
    finished.push(result);
    denoisingSeconds += seconds;
  }
  const latents = concatRows(finished);
  const pictures = await develop(drawing, latents);
  return { pictures, latents, receipt: receiptOf(context, drawing, text, pictures[0]!, denoisingSeconds) };
}

/** Everything that is known before the first call. */
interface Drawing extends LatentSize {
  readonly model: LoadedModel;
  readonly input: TextToImageInput;
  readonly hooks: TaskHooks;
  readonly scheduler: Scheduler;
  /** Network evaluations of one batch. */
  readonly evaluations: number;
  readonly keySteps: readonly number[];
  readonly spans: readonly Span[];
  readonly notices: readonly string[];
  /** Pictures drawn together; divides count. */
  readonly batch: number;
  /** Multiply-accumulates of one row, and of decoding one picture. */
  readonly cost: { encoder: number; decoder: number; picture: number };
  readonly meter: RunMeter;
  readonly report: (stage: Progress['stage'], step: number) => void;
  /** Throws `cancelled` once that is asked for. */
  readonly checkpoint: () => void;
}

function prepareDrawing(
  { model, device, started }: TaskContext,
  input: TextToImageInput,
  hooks: TaskHooks,
): Drawing {
  const size = latentSize(model, input);
  const { height, width, count } = size;
  const scheduler = createScheduler(model.schedulerConfig, input.scheduler);
  const { timesteps, stochastic } = begin(scheduler, input);
  const evaluations = timesteps.length;
  const { keySteps, notice } = resolveSchedule(input.plan, evaluations);
  const grainy = stochastic && keySteps.length < evaluations;

  const cost = {
    ...model.denoiser.cost(height, width),
    picture: model.autoencoder.decodeCost(height, width),
  };
  const halves = guidanceRows(1, input.guidanceScale);
  const batch = batchSize(count, halves * Math.max(cost.encoder, cost.decoder), device);
  const callWidth = decodeWidth(input.decodeWidth, halves * batch * cost.decoder, device);
  const pictureCost = halves * (keySteps.length * cost.encoder + evaluations * cost.decoder) + cost.picture;
  const meter = new RunMeter(count * pictureCost, () => performance.now(), started);
  return {
    ...{ ...size, model, input, hooks, scheduler, evaluations, keySteps, batch, cost, meter },
    spans: spansOf(keySteps, evaluations, callWidth),
    notices: [...(notice === null ? [] : [notice]), ...(grainy ? [noiseUnseen(scheduler.name)] : [])],
    report(stage, step) {
      const { fraction, etaSeconds } = meter;
      hooks.onProgress?.({ stage, fraction, step, steps: evaluations * (count / batch), etaSeconds });
    },
    checkpoint() {
      if (hooks.signal?.aborted)
        throw new EncoreError('cancelled', 'Cancelled', { cause: hooks.signal.reason });
    },
  };
}

/** Measured on the bundled model: long spans leave what was drawn in them in the picture; spans of two do not. */
function noiseUnseen(name: SchedulerName): string {
  const { label } = schedulers[name];
  return `${label} draws new noise at every step, and steps without the encoder do not see it: if the picture is grainy, choose the plan exact, or a key step every 2.`;
}

function begin(scheduler: Scheduler, { steps, eta = 0 }: TextToImageInput) {
  return scheduler.begin({ steps, eta });
}

/** Pictures `first` to `first + batch`, as latents [batch, C, h, w]. */
async function drawBatch(
  drawing: Drawing,
  text: Conditioning,
  first: number,
  previews: PreviewBudget,
): Promise<{ result: Float32; seconds: number }> {
  const { model, input, scheduler, spans, batch, meter } = drawing;
  const { denoiser } = model;
  const run = begin(scheduler, input);
  const shape = [denoiser.inChannels, drawing.height, drawing.width];
  const noise = new PictureNoise(input.noiseKind ?? 'philox', input.seed, first, batch, shape);
  const latents =
    input.latents === undefined
      ? scaled(run.initNoiseSigma, noise.draw())
      : rows(input.latents, first, first + batch);
  const states = concatRows(text.halves.map((half) => rows(half, first, first + batch)));
  drawing.checkpoint();
  const prepared = await meter.call('textEncoder', 1, 0, () =>
    denoiser.prepare({ encoderHiddenStates: states }),
  );
  const injection = { alpha: input.injection, tau: injectionTau, trainSteps: scheduler.trainSteps };
  return meter.timed(() =>
    denoise(
      {
        ...{ denoiser, prepared, run, spans, latents, injection },
        guidanceScale: input.guidanceScale,
        noise: (index) => (input.noise ? noiseOfStack(input.noise, index, first, batch) : noise.draw()),
      },
      loopHooks(drawing, first, previews),
    ),
  );
}

function loopHooks(drawing: Drawing, first: number, previews: PreviewBudget): DenoiseHooks {
  const { model, input, hooks, batch, cost, meter, evaluations } = drawing;
  const callRows = guidanceRows(batch, input.guidanceScale);
  const { onPreview } = hooks;
  return {
    beforeCall: drawing.checkpoint,
    call: (part, steps, work) => meter.call(part, steps, callRows * steps * cost[part], work),
    onStep(index, x) {
      expectFinite(x, index);
      drawing.report('denoise', (first / batch) * evaluations + index + 1);
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
  const { model, count, batch, cost, meter, evaluations } = drawing;
  const { autoencoder } = model;
  const pictures: Picture[] = [];
  const report = () => drawing.report('vae', evaluations * (count / batch));
  report();
  for (let i = 0; i < count; i++) {
    drawing.checkpoint();
    const one = unscale(rows(latents, i, i + 1), autoencoder);
    pictures.push(...picturesOf(await meter.call('vae', 1, cost.picture, () => autoencoder.decode(one))));
    report();
  }
  return pictures;
}

function receiptOf(
  { device, versions }: TaskContext,
  drawing: Drawing,
  text: Conditioning,
  { width, height }: Picture,
  denoisingSeconds: number,
): Receipt {
  const { model, input, scheduler, evaluations, keySteps, spans, meter } = drawing;
  const { steps, plan, injection, guidanceScale, seed } = input;
  const batches = drawing.count / drawing.batch;
  return {
    model: model.name,
    modelHash: model.hash,
    device,
    versions: { ...versions },
    scheduler: scheduler.name,
    ...{ steps, plan, injection, guidanceScale, seed, width, height },
    keySteps: [...keySteps],
    encoderRuns: batches * keySteps.length,
    decoderRuns: batches * evaluations,
    encoderRunsSaved: batches * (evaluations - keySteps.length),
    decodeWidth: Math.max(...spans.flatMap(({ calls }) => calls.map((call) => call.length))),
    seconds: meter.seconds(denoisingSeconds),
    exactEstimate: meter.exactEstimate(batches * evaluations),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    promptTokens: text.tokens,
    notices: [...drawing.notices, ...text.notices],
  };
}

/** Inputs are finite, so what is not comes from the weights. */
function expectFinite({ data }: Float32, step: number): void {
  if (data.every(Number.isFinite)) return;
  throw new EncoreError('weights_invalid', `the network gave NaN or infinity at step ${step}`, {
    remedy: 'The weights are damaged, or were saved in float16 although their values do not fit.',
  });
}
