import { EncoreError } from '../../contracts/errors.ts';
import { limits, type Receipt } from '../../contracts/generation.ts';
import { resolveSchedule } from '../../contracts/plan.ts';
import { denoise, guidanceRows } from '../propagation/loop.ts';
import { spansOf } from '../propagation/plan.ts';
import type { DeviceName } from '../runtime/session.ts';
import { createScheduler } from '../schedulers/index.ts';
import { concatRows, rows, scaled } from '../tensor/arithmetic.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { batchSize, decodeWidth } from './call-size.ts';
import type { LoadedModel } from './loaded-model.ts';
import { noiseOfStack, PictureNoise } from './picture-noise.ts';
import { picturesOf, repeatRow } from './pictures.ts';
import { PreviewBudget, unscale } from './previewer.ts';
import { encodePrompts } from './prompt.ts';
import { RunMeter } from './run-meter.ts';
import type { Picture, TaskHooks, TaskResult, TextToImageInput } from './task.ts';

type Float32 = Tensor<'float32'>;

export interface TaskContext {
  readonly model: LoadedModel;
  readonly device: DeviceName;
  readonly versions: Readonly<Record<string, string>>;
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
  const { model, device } = context;
  const { denoiser, autoencoder } = model;
  const { height, width, count } = latentSize(model, input);
  const shape = [denoiser.inChannels, height, width];

  const scheduler = createScheduler(model.schedulerConfig, input.scheduler);
  const begin = () => scheduler.begin({ steps: input.steps, eta: input.eta ?? 0 });
  const evaluations = begin().timesteps.length;
  const { keySteps, notice } = resolveSchedule(input.plan, evaluations);

  const cost = denoiser.cost(height, width);
  const pictureCost = autoencoder.decodeCost(height, width);
  const halves = guidanceRows(1, input.guidanceScale);
  const batch = batchSize(count, halves * Math.max(cost.encoder, cost.decoder), device);
  const spans = spansOf(
    keySteps,
    evaluations,
    decodeWidth(input.decodeWidth, halves * batch * cost.decoder, device),
  );
  const meter = new RunMeter(
    count * (halves * (keySteps.length * cost.encoder + evaluations * cost.decoder) + pictureCost),
  );
  context.useMeter(meter);
  const steps = evaluations * (count / batch);
  const report = (stage: 'load' | 'text' | 'denoise' | 'vae', step: number) => {
    hooks.onProgress?.({ stage, fraction: meter.fraction, step, steps, etaSeconds: meter.etaSeconds });
  };
  const checkpoint = () => throwIfCancelled(hooks.signal);

  checkpoint();
  report('text', 0);
  const text = await meter.call('textEncoder', 1, 0, () => conditioning(model, input, count));
  const notices = [...(notice === null ? [] : [notice]), ...text.notices];

  const finished: Float32[] = [];
  const previews = new PreviewBudget();
  let denoisingSeconds = 0;
  for (let first = 0; first < count; first += batch) {
    const done = (first / batch) * evaluations;
    const run = begin();
    const noise = new PictureNoise(input.noiseKind ?? 'philox', input.seed, first, batch, shape);
    const latents =
      input.latents === undefined
        ? scaled(run.initNoiseSigma, noise.draw())
        : rows(input.latents, first, first + batch);
    const states = text.halves.map((half) => rows(half, first, first + batch));
    checkpoint();
    const prepared = await meter.call('textEncoder', 1, 0, () =>
      denoiser.prepare({ encoderHiddenStates: concatRows(states) }),
    );
    const { onPreview } = hooks;
    const { result, seconds } = await meter.timed(() =>
      denoise(
        {
          denoiser,
          prepared,
          run,
          spans,
          latents,
          guidanceScale: input.guidanceScale,
          injection: { alpha: input.injection, tau: injectionTau, trainSteps: scheduler.trainSteps },
          noise: (index) =>
            input.noise === undefined ? noise.draw() : noiseOfStack(input.noise, index, first, batch),
        },
        {
          beforeCall: checkpoint,
          call: async (part, steps, work) => {
            const result = await meter.call(part, steps, halves * batch * steps * cost[part], work);
            return result;
          },
          onStep: (index, x) => {
            expectFinite(x, index);
            report('denoise', done + index + 1);
          },
          onKeyStep:
            onPreview === undefined || first > 0
              ? undefined
              : (index, original) =>
                  previews.spend(async () => {
                    const picture = await meter.call('preview', 1, 0, () => model.previewer.draw(original));
                    onPreview(index, picture);
                  }),
        },
      ),
    );
    denoisingSeconds += seconds;
    finished.push(result);
  }

  const latents = concatRows(finished);
  const pictures: Picture[] = [];
  for (let i = 0; i < count; i++) {
    checkpoint();
    report('vae', steps);
    const one = unscale(rows(latents, i, i + 1), autoencoder);
    pictures.push(...picturesOf(await meter.call('vae', 1, pictureCost, () => autoencoder.decode(one))));
  }
  report('vae', steps);

  const batches = count / batch;
  const receipt: Receipt = {
    model: model.name,
    modelHash: model.hash,
    device,
    versions: { ...context.versions },
    scheduler: scheduler.name,
    steps: input.steps,
    plan: input.plan,
    keySteps,
    encoderRuns: batches * keySteps.length,
    decoderRuns: batches * evaluations,
    encoderRunsSaved: batches * (evaluations - keySteps.length),
    decodeWidth: Math.max(...spans.flatMap(({ calls }) => calls.map((call) => call.length))),
    injection: input.injection,
    guidanceScale: input.guidanceScale,
    seed: input.seed,
    width: pictures[0]!.width,
    height: pictures[0]!.height,
    seconds: meter.seconds(denoisingSeconds),
    exactEstimate: meter.exactEstimate(batches * evaluations),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    promptTokens: text.tokens,
    notices,
  };
  return { pictures, latents, receipt };
}

/** Latent height and width, and the number of pictures: from the given latents where there are any. */
function latentSize(
  { denoiser, autoencoder }: LoadedModel,
  input: TextToImageInput,
): { height: number; width: number; count: number } {
  const { latents, noise } = input;
  if (latents !== undefined) {
    const [count = 0, channels = 0, height = 0, width = 0] = latents.shape;
    if (latents.shape.length !== 4 || channels !== denoiser.inChannels || count * height * width === 0) {
      throw new EncoreError(
        'invalid_tensor',
        `latents must be [B, ${denoiser.inChannels}, h, w], got [${latents.shape.join(', ')}]`,
      );
    }
    checkNoise(noise, latents.shape);
    return { height, width, count };
  }
  const { scale } = autoencoder.config;
  const multiple = lcm(limits.sideMultiple, scale);
  for (const [name, side] of [
    ['width', input.width],
    ['height', input.height],
  ] as const) {
    if (Number.isInteger(side) && side >= multiple && side % multiple === 0) continue;
    const nearest = Math.max(Math.round(side / multiple), 1) * multiple;
    throw new EncoreError('invalid_parameter', `${name} must be a multiple of ${multiple}, got ${side}`, {
      remedy: `The nearest is ${nearest}.`,
      errors: [{ path: name, message: `must be a multiple of ${multiple}` }],
    });
  }
  const size = { height: input.height / scale, width: input.width / scale, count: input.count };
  checkNoise(noise, [size.count, denoiser.inChannels, size.height, size.width]);
  return size;
}

function checkNoise(noise: Float32 | undefined, shape: readonly number[]): void {
  if (noise === undefined) return;
  if (noise.shape.slice(1).join() === shape.join()) return;
  throw new EncoreError(
    'invalid_tensor',
    `noise must be [steps, ${shape.join(', ')}], got [${noise.shape.join(', ')}]`,
  );
}

interface Conditioning {
  /** Text states [count, L, D] of each guidance half, unconditional first. */
  readonly halves: readonly Float32[];
  /** Tokens of the prompt; undefined where embeds were given. */
  readonly tokens: number | undefined;
  readonly notices: readonly string[];
}

async function conditioning(
  model: LoadedModel,
  input: TextToImageInput,
  count: number,
): Promise<Conditioning> {
  const guided = guidanceRows(1, input.guidanceScale) > 1;
  const { promptEmbeds, negativePromptEmbeds, prompt, negativePrompt, clipSkip = 0 } = input;
  const texts = [
    ...(promptEmbeds === undefined ? [prompt] : []),
    ...(guided && negativePromptEmbeds === undefined ? [negativePrompt] : []),
  ];
  const { states, tokens, notices } = await encodePrompts(model, texts, clipSkip);
  const encoded = states.map((row) => repeatRow(row, count));
  const positive = promptEmbeds === undefined ? encoded.shift()! : rowsOf(promptEmbeds, count);
  const spoken = promptEmbeds === undefined;
  const known = { tokens: spoken ? tokens[0] : undefined, notices: spoken ? notices : [] };
  if (!guided) return { halves: [positive], ...known };
  const negative =
    negativePromptEmbeds === undefined ? encoded.shift()! : rowsOf(negativePromptEmbeds, count);
  const [a, b] = [negative.shape, positive.shape];
  if (a.join() !== b.join()) {
    throw new EncoreError(
      'invalid_tensor',
      `prompt and negative prompt must have one shape, got [${b.join(', ')}] and [${a.join(', ')}]`,
    );
  }
  return { halves: [negative, positive], ...known };
}

/** Given embeds [1 or count, L, D], as [count, L, D]. */
function rowsOf(embeds: Float32, count: number): Float32 {
  const [given = 0] = embeds.shape;
  if (embeds.shape.length === 3 && given === count) return embeds;
  if (embeds.shape.length === 3 && given === 1) return repeatRow(embeds, count);
  throw new EncoreError(
    'invalid_tensor',
    `prompt embeds must be [1 or ${count}, L, D], got [${embeds.shape.join(', ')}]`,
  );
}

/** Inputs are finite, so what is not comes from the weights. */
function expectFinite({ data }: Float32, step: number): void {
  if (data.every(Number.isFinite)) return;
  throw new EncoreError('weights_invalid', `the network gave NaN or infinity at step ${step}`, {
    remedy: 'The weights are damaged, or were saved in float16 although their values do not fit.',
  });
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EncoreError('cancelled', 'Cancelled', { cause: signal.reason });
}

function lcm(a: number, b: number): number {
  const gcd = (x: number, y: number): number => (y === 0 ? x : gcd(y, x % y));
  return (a * b) / gcd(a, b);
}
