import type { GenerationParams, Plan, Receipt } from '../contracts/generation.ts';
import { schedulers } from '../contracts/schedulers.ts';
import { writeInfotext } from './infotext.ts';

/** Everything that is needed to make one picture again. */
export interface PictureMetadata {
  params: GenerationParams;
  receipt: Receipt;
  /** Seed of this picture alone. */
  seed: number;
  /** Of Encore. */
  version: string;
}

/** Keyword of the chunk that holds {@link pictureJson}. */
export const JSON_KEYWORD = 'encore';

/** What goes into `parameters`. */
export function pictureInfotext({ params, receipt, seed, version }: PictureMetadata): string {
  const fields = new Map([
    ['Steps', String(receipt.steps)],
    ['Sampler', schedulers[params.scheduler].label],
    ['CFG scale', String(params.guidanceScale)],
    ['Seed', String(seed)],
    ['Size', `${receipt.width}x${receipt.height}`],
    ['Model hash', receipt.modelHash.slice(0, 10)],
    ['Model', params.model],
    ['Encoder propagation', `${planText(params.plan)} ${receipt.keySteps.length}/${receipt.steps}`],
  ]);
  if (params.clipSkip) fields.set('Clip skip', String(params.clipSkip + 1));
  if (params.injection > 0) fields.set('Prior noise injection', String(params.injection));
  fields.set('Version', `Encore ${version}`);
  return writeInfotext({ prompt: params.prompt, negativePrompt: params.negativePrompt, fields });
}

/**
 * The whole of it: a request that draws exactly this picture, and what the run did. What was measured (seconds, memory)
 * stays in the history: the same request draws the same file, byte by byte.
 */
export function pictureJson({ params, receipt, seed, version }: PictureMetadata): string {
  const {
    model,
    modelHash,
    device,
    versions,
    scheduler,
    steps,
    keySteps,
    encoderRuns,
    decoderRuns,
    ...rest
  } = receipt;
  const { width, height } = rest;
  return JSON.stringify({
    encore: version,
    params: { ...params, seed, count: 1 },
    receipt: {
      model,
      modelHash,
      device,
      versions,
      scheduler,
      steps,
      keySteps,
      encoderRuns,
      decoderRuns,
      width,
      height,
    },
  });
}

/** As the command line's `--plan` takes it. */
export function planText(plan: Plan): string {
  if (typeof plan === 'string') return plan;
  return 'every' in plan ? `uniform:${plan.every}` : plan.keySteps.join(' ');
}

/** Reads {@link planText} back, also with ` 9/50` behind it; undefined for anything else. */
export function planOfText(text: string): Plan | undefined {
  const words = text.trim().split(/\s+/);
  if (words.at(-1)?.includes('/')) words.pop();
  const [first = ''] = words;
  if (first === 'exact' || first === 'faster' || first === 'fastest') return first;
  const every = /^uniform:(\d+)$/.exec(first)?.[1];
  if (every !== undefined) return { every: Number(every) };
  return words.length > 0 && words.every((word) => /^\d+$/.test(word))
    ? { keySteps: words.map(Number) }
    : undefined;
}
