import type { GenerationParams, Receipt } from '../contracts/generation.ts';
import { planText } from '../contracts/plan.ts';
import { schedulers } from '../contracts/schedulers.ts';
import { type Control, type ControlMode, defaultStrength, upscaleSchema } from '../contracts/task-inputs.ts';
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

/**
 * What goes into `parameters`, in the words and the order of A1111 and its ControlNet extension. LoRAs stand in the prompt
 * as they do there; nowhere else are prompts read for them.
 */
export function pictureInfotext({ params, receipt, seed, version }: PictureMetadata): string {
  const { task, prompt, negativePrompt, upscale, maskBlur, clipSkip, injection } = params;
  const { maskedContent, paddingMaskCrop } = params;
  // Where only a part was drawn, the size it was drawn at.
  const { width, height } = paddingMaskCrop === undefined ? receipt : params;
  const hires = upscale !== undefined && task !== 'upscale' ? upscale : undefined;
  const loras = receipt.loras ?? [];
  const strength = strengthOf(params);
  const fields = new Map([
    ['Steps', String(receipt.steps)],
    ['Sampler', schedulers[params.scheduler].label],
    ['CFG scale', String(params.guidanceScale)],
    ['Seed', String(seed)],
    ['Size', `${width}x${height}`],
    ['Model hash', receipt.modelHash.slice(0, 10)],
    ['Model', params.model],
  ]);
  if (strength !== undefined) fields.set('Denoising strength', String(strength));
  if (clipSkip) fields.set('Clip skip', String(clipSkip + 1));
  if (maskBlur !== undefined) fields.set('Mask blur', String(maskBlur));
  if (maskedContent !== undefined) fields.set('Masked content', maskedContent.replace('-', ' '));
  if (paddingMaskCrop !== undefined) {
    fields.set('Inpaint area', 'Only masked');
    fields.set('Masked area padding', String(paddingMaskCrop));
  }
  if (hires !== undefined) {
    fields.set('Hires upscale', String(hires.factor));
    fields.set('Hires upscaler', hires.method === 'latent' ? 'Latent' : 'Lanczos');
  }
  for (const [i, line] of controlLines(params, receipt).entries()) fields.set(`ControlNet ${i}`, line);
  if (loras.length > 0) fields.set('Lora hashes', hashList(loras));
  if (receipt.embeddings?.length) fields.set('TI hashes', hashList(receipt.embeddings));
  if (receipt.frames !== undefined) fields.set('Frames', String(receipt.frames));
  fields.set('Encoder propagation', `${planText(params.plan)} ${receipt.keySteps.length}/${receipt.steps}`);
  if (injection > 0) fields.set('Prior noise injection', String(injection));
  fields.set('Version', `Encore ${version}`);
  const tags = loras.map(({ name, weight }) => `<lora:${name}:${weight}>`);
  return writeInfotext({ prompt: [prompt, ...tags].join(' '), negativePrompt, fields });
}

/** Of the one pass from a picture, or of the second pass; A1111 has one word for both. */
function strengthOf({ task, strength, upscale }: GenerationParams): number | undefined {
  const { 'image-to-image': usual, inpaint } = defaultStrength;
  if (task === 'image-to-image') return strength ?? usual;
  if (task === 'inpaint') return strength ?? inpaint;
  return task === 'upscale' ? upscaleSchema.parse(upscale ?? {}).strength : upscale?.strength;
}

/** Names of the extension's modules that do what ours do. */
const modules = {
  none: 'none',
  canny: 'canny',
  scribble: 'scribble_xdog',
  lineart: 'lineart_standard',
} as const satisfies Record<Control['preprocessor'], string>;

const modes = {
  balanced: 'Balanced',
  prompt: 'My prompt is more important',
  control: 'ControlNet is more important',
} as const satisfies Record<ControlMode, string>;

function controlLines({ control = [], resize }: GenerationParams, receipt: Receipt): string[] {
  const fit = { crop: 'Crop and Resize', pad: 'Resize and Fill', stretch: 'Just Resize' };
  return control.map(({ model, preprocessor, scale, start, end, mode = 'balanced' }, i) => {
    const hash = receipt.control?.[i]?.hash.slice(0, 8);
    return [
      `Module: ${modules[preprocessor]}`,
      `Model: ${model}${hash === undefined ? '' : ` [${hash}]`}`,
      `Weight: ${scale}`,
      `Resize Mode: ${fit[resize ?? 'crop']}`,
      `Guidance Start: ${start}`,
      `Guidance End: ${end}`,
      `Control Mode: ${modes[mode]}`,
    ].join(', ');
  });
}

function hashList(files: readonly { name: string; hash: string }[]): string {
  return files.map(({ name, hash }) => `${name}: ${hash}`).join(', ');
}

/**
 * The whole of it: a request that draws exactly this picture, and what the run did. What was measured (seconds, memory)
 * stays in the history: the same request draws the same file, byte by byte.
 */
export function pictureJson({ params, receipt, seed, version }: PictureMetadata): string {
  const facts = Object.fromEntries(lasting.map((name) => [name, receipt[name]]));
  return JSON.stringify({ encore: version, params: { ...params, seed, count: 1 }, receipt: facts });
}

/** Of a receipt what a second run has in common with the first. */
const lasting = [
  'model',
  'modelHash',
  'device',
  'versions',
  'scheduler',
  'steps',
  'skippedSteps',
  'keySteps',
  'encoderRuns',
  'decoderRuns',
  'controlRuns',
  'width',
  'height',
  'frames',
  'fps',
  'legs',
  'control',
  'loras',
  'embeddings',
  'motionAdapter',
] as const satisfies (keyof Receipt)[];
