import { z } from 'zod';
import { errorCodes } from './errors.ts';
import { generationInputSchema } from './pictures.ts';
import { schedulerNames } from './schedulers.ts';
import { planSchema } from './plan.ts';
import { controlModes, fieldFaults, taskFields, taskInputs, type TaskName } from './task-inputs.ts';

/** Tasks of the product, in the order the pages show them. One denoising loop serves all of them. */
export const tasks = Object.keys(taskFields) as [TaskName, ...TaskName[]];
export const taskSchema = z.enum(tasks);

export { planSchema, schedulerNames };
export type { Plan } from './plan.ts';
export const schedulerSchema = z.enum(schedulerNames);

export const limits = {
  promptLength: 4000,
  minSide: 64,
  maxSide: 2048,
  sideMultiple: 8,
  maxSteps: 1000,
  maxCount: 16,
  maxSeed: 0xffff_ffff,
} as const;

const side = z.int().min(limits.minSide).max(limits.maxSide).multipleOf(limits.sideMultiple);

const clipSkip = z.int().min(0).max(11).optional();

const fields = z
  .object({
    task: taskSchema,
    prompt: z.string().trim().min(1).max(limits.promptLength),
    negativePrompt: z.string().max(limits.promptLength).default(''),
    model: z.string().min(1).max(200).optional(),
    width: side.optional(),
    height: side.optional(),
    steps: z.int().min(1).max(limits.maxSteps).optional(),
    guidanceScale: z.number().min(0).max(50).optional(),
    seed: z.int().min(0).max(limits.maxSeed).optional(),
    count: z.int().min(1).max(limits.maxCount).default(1),
    scheduler: schedulerSchema.optional(),
    plan: planSchema.optional(),
    /** Prior noise injection alpha (Faster Diffusion, section 3.3); `off` or 0 switches it off. */
    injection: z.union([z.number().min(0).max(1), z.literal('off')]).optional(),
    /** Layers of the text encoder left out at its end; none where it is missing. A1111's "Clip skip" is one more. */
    clipSkip,
    ...taskInputs,
  })
  .strict();

/** Body of POST /api/v1/generations. What is left out comes from the model's own defaults. */
export const generationRequestSchema = fields.superRefine((request, context) => {
  for (const { path, message } of fieldFaults(request.task, request)) {
    context.addIssue({ code: 'custom', path: [path], message });
  }
});

export type GenerationRequest = z.infer<typeof generationRequestSchema>;
export type GenerationInput = z.input<typeof generationRequestSchema>;
export type SchedulerName = z.infer<typeof schedulerSchema>;

/** The request with every default filled in: what a row stores and what the engine runs. */
export const generationParamsSchema = fields.required().extend({
  injection: z.number().min(0).max(1),
  clipSkip,
  ...taskInputs,
});
export type GenerationParams = z.infer<typeof generationParamsSchema>;

/** The request without what it only names: pictures, ControlNets and LoRAs have to be looked up and opened. */
export function withoutReferences(
  params: GenerationParams,
): Omit<GenerationParams, (typeof references)[number]> {
  const own = { ...params };
  for (const name of references) delete own[name];
  return own;
}

const references = ['image', 'mask', 'control', 'loras'] as const;

export const generationStatuses = [
  'queued',
  'running',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export const generationStatusSchema = z.enum(generationStatuses);
export type GenerationStatus = z.infer<typeof generationStatusSchema>;
export const terminalStatuses = ['succeeded', 'failed', 'cancelled'] as const satisfies GenerationStatus[];

const seconds = z.number().min(0);

/** What a run did, as measured. Printed by `encore generate --json` and stored with every generation. */
export const receiptSchema = z.object({
  model: z.string(),
  /** sha256 over the names, sizes and headers of the weight files, first 16 hex digits. */
  modelHash: z.string(),
  device: z.string(),
  versions: z.record(z.string(), z.string()),
  scheduler: z.string(),
  steps: z.int(),
  plan: planSchema,
  /** Steps left out at the noisy end (strength); absent where there are none. */
  skippedSteps: z.int().min(1).optional(),
  /** Step indices at which the encoder ran; 0 is the first step that was not left out. */
  keySteps: z.array(z.int()),
  encoderRuns: z.int(),
  /** Of a video; absent for pictures. */
  frames: z.int().min(1).optional(),
  fps: z.number().min(0).optional(),
  /** Of AnimateDiff; absent where Text2Video-Zero drew the video. */
  motionAdapter: z.string().optional(),
  /** Steps decoded, one per step and picture batch. */
  decoderRuns: z.int(),
  encoderRunsSaved: z.int(),
  /** What guided; absent where nothing did, as the two counts. */
  control: z
    .array(
      z.object({
        model: z.string(),
        /** As `modelHash`. */
        hash: z.string(),
        scale: z.number(),
        start: z.number(),
        end: z.number(),
        mode: z.enum(controlModes).optional(),
      }),
    )
    .optional(),
  /** ControlNets run at key steps only: how often they ran, and how much oftener an exact run would have. */
  controlRuns: z.int().min(0).optional(),
  controlRunsSaved: z.int().min(0).optional(),
  /**
   * Runs of several legs (a second, larger one) have each here; passes and seconds elsewhere are sums, and `keySteps`
   * and `skippedSteps` the longest leg's.
   */
  legs: z
    .array(
      z.object({
        width: z.int(),
        height: z.int(),
        skippedSteps: z.int().min(0),
        /** Network evaluations. */
        steps: z.int(),
        keySteps: z.array(z.int()),
      }),
    )
    .optional(),
  /** How many steps were decoded in one call at most. */
  decodeWidth: z.int(),
  injection: z.number(),
  guidanceScale: z.number(),
  seed: z.int(),
  width: z.int(),
  height: z.int(),
  seconds: z.object({
    load: seconds,
    textEncoder: seconds,
    encoder: seconds,
    decoder: seconds,
    /** Of ControlNets at key steps; absent where there are none. What they read once per run counts as text encoder. */
    control: seconds.optional(),
    scheduler: seconds,
    vae: seconds,
    /** Of video files; absent where there are none. */
    ffmpeg: seconds.optional(),
    total: seconds,
  }),
  /** What an exact run's encoder, decoder and ControlNets would have taken, and how that was obtained. */
  exactEstimate: z.object({ unetSeconds: seconds, method: z.string() }).nullable(),
  peakMemoryBytes: z.int().min(0),
  /** Tokens of the prompt, start and end left out; absent where embeds were given. */
  promptTokens: z.int().min(0).optional(),
  /** LoRAs that were given; tensors of each file that the model had a place for, and that it had not. */
  loras: z
    .array(
      z.object({
        name: z.string(),
        /** First 12 hex digits of the sha256 of its data, as AUTOMATIC1111 writes it. */
        hash: z.string(),
        weight: z.number(),
        matched: z.int(),
        unmatched: z.int(),
      }),
    )
    .optional(),
  /** Textual inversions that the prompts call. */
  embeddings: z.array(z.object({ name: z.string(), hash: z.string(), vectors: z.int() })).optional(),
  /** Sentences for the person: fallbacks taken, prompt truncated, ... */
  notices: z.array(z.string()),
});
export type Receipt = z.infer<typeof receiptSchema>;

export const assetSchema = z.object({
  id: z.string(),
  /** Media type, for example image/png. */
  type: z.string(),
  width: z.int(),
  height: z.int(),
  /** Seed that draws this one picture alone. */
  seed: z.int().min(0).max(limits.maxSeed),
  bytes: z.int(),
  url: z.string(),
  /** Of a video: a picture of it, how many frames it has, and how they are shown. Null for a picture. */
  posterUrl: z.string().nullable().default(null),
  frames: z.int().nullable().default(null),
  fps: z.number().nullable().default(null),
  durationSeconds: seconds.nullable().default(null),
});
export type Asset = z.infer<typeof assetSchema>;

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(errorCodes),
  detail: z.string(),
  remedy: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
});
/** RFC 9457 body of every refusal, and the error of a failed generation. */
export type Problem = z.infer<typeof problemSchema>;

const differenceSchema = z.object({
  /** Peak signal-to-noise ratio in dB; null when every pixel is the same. */
  psnr: z.number().nullable(),
  meanDifference: z.number().min(0),
  maxDifference: z.number().min(0),
});

/** How far two runs of one seed are apart, over all pixels and channels of 0 to 255. */
const comparisonSchema = differenceSchema.extend({
  /** Of videos: of each frame as it plays, one video after the other. */
  frames: z.array(differenceSchema).optional(),
});
export type Comparison = z.infer<typeof comparisonSchema>;

export const generationSchema = z.object({
  id: z.string(),
  task: taskSchema,
  status: generationStatusSchema,
  /** 0 to 1, counted in cost. */
  progress: z.number().min(0).max(1),
  step: z.int().nullable(),
  etaSeconds: seconds.nullable(),
  /** 0 is the next to run; null when not queued. */
  queuePosition: z.int().nullable(),
  attempt: z.int(),
  params: generationParamsSchema,
  seed: z.int(),
  starred: z.boolean(),
  boardId: z.string().nullable(),
  /** The generation that this one repeats exactly, and the one that repeats this. */
  verifies: z.string().nullable(),
  verifiedBy: z.string().nullable(),
  /** Of a verification that is done: how far its pictures are from those it verifies. */
  comparison: comparisonSchema.nullable(),
  /** Pictures it was made from; they stay, whatever is deleted elsewhere. */
  inputs: z.array(generationInputSchema).default([]),
  assets: z.array(assetSchema),
  receipt: receiptSchema.nullable(),
  error: problemSchema.nullable(),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
});
export type Generation = z.infer<typeof generationSchema>;
