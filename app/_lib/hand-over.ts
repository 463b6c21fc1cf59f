import type { Asset, Generation, GenerationParams } from '../../lib/contracts/generation.ts';
import type { Model } from '../../lib/contracts/models.ts';
import { tasks } from '../../lib/contracts/generation.ts';
import type { TaskName } from '../../lib/contracts/task-inputs.ts';
import type { Draft, PictureRef, Reference, Start } from './draft.ts';
import { newReference, newStart, noBorders, withStart, withVideo } from './inputs.ts';
import { emptySketch } from './sketch/sketch.ts';

/** Which part of an older picture is taken over. `remix` is everything but the seed. */
export type Reuse = 'all' | 'remix' | 'prompt' | 'seed' | 'size';

export function reuse(part: Reuse, generation: Generation, seed: number): Partial<Draft> {
  const { params } = generation;
  const size = { width: params.width, height: params.height };
  // What a preset had put around the words is among them by now.
  const prompt = {
    prompt: params.prompt,
    negativePrompt: params.negativePrompt,
    promptTemplate: undefined,
  };
  if (part === 'prompt') return prompt;
  if (part === 'size') return size;
  if (part === 'seed') return { seed };
  return {
    ...prompt,
    ...size,
    model: params.model,
    steps: params.steps,
    guidanceScale: params.guidanceScale,
    count: part === 'all' ? 1 : params.count,
    scheduler: params.scheduler,
    plan: params.plan,
    injection: params.injection,
    clipSkip: params.clipSkip,
    seed: part === 'all' ? seed : undefined,
    start: startOf(generation),
    references: referencesOf(generation),
    loras: params.loras ?? [],
    video: params.video,
    upscale: isTask(params.task, 'upscale') ? undefined : params.upscale,
  };
}

// Wider than the request's own type, which names only the tasks on offer.
function isTask(task: TaskName, name: TaskName): boolean {
  return task === name;
}

function startOf(generation: Generation): Start | undefined {
  const { params } = generation;
  const picture = inputOf(generation, 'image');
  if (picture === undefined) return undefined;
  const mask = inputOf(generation, 'mask');
  const start = newStart(picture, purposeOf(params));
  return {
    ...start,
    strength: params.strength,
    resize: params.resize,
    mask: mask === undefined ? emptySketch : { ...emptySketch, base: mask.id },
    maskBlur: params.maskBlur,
    maskedContent: params.maskedContent,
    paddingMaskCrop: params.paddingMaskCrop,
    outpaint: params.outpaint ?? { ...noBorders },
    larger: isTask(params.task, 'upscale') && params.upscale !== undefined ? params.upscale : start.larger,
  };
}

function purposeOf({ task, mask }: Pick<GenerationParams, 'mask'> & { task: TaskName }): Start['use'] {
  if (task === 'upscale') return 'enlarge';
  if (task === 'inpaint') return mask === undefined ? 'extend' : 'paint';
  return 'redraw';
}

function referencesOf(generation: Generation): Reference[] {
  return (generation.params.control ?? []).flatMap((control, index) => {
    const picture = inputOf(generation, `control.${index}.image`);
    if (picture === undefined) return [];
    const reference = newReference({ kind: 'picture', picture, preprocessor: control.preprocessor });
    const { model, scale, start, end, mode } = control;
    return [{ ...reference, model, scale, start, end, mode }];
  });
}

function inputOf({ inputs }: Generation, field: string): PictureRef | undefined {
  const input = inputs.find((each) => each.field === field);
  return input && refOf(input);
}

export function refOf({ id, width, height, url, thumbnailUrl }: PictureRef): PictureRef {
  return { id, width, height, url, thumbnailUrl };
}

/** A picture of the history as an input. */
export function assetRef({ id, width, height, url }: Asset): PictureRef {
  return { id, width, height, url, thumbnailUrl: `/api/v1/assets/${id}/thumbnail?side=256` };
}

/** The seed that draws exactly the picture in focus: each picture of a batch has its own. */
export function seedOf(generation: Generation, picture: number): number {
  return generation.assets[picture]?.seed ?? generation.seed;
}

/** What can be made next from a finished picture. */
export const nextSteps = ['redraw', 'paint', 'extend', 'enlarge', 'reference', 'video'] as const;
export type NextStep = (typeof nextSteps)[number];

const taskOfStep: Record<NextStep, TaskName> = {
  redraw: 'image-to-image',
  paint: 'inpaint',
  extend: 'inpaint',
  enlarge: 'upscale',
  reference: 'reference',
  video: 'text-to-video',
};

/** Whether this installation and this model know how. */
export function canDo(step: NextStep, model: Model | undefined): boolean {
  const offered: readonly TaskName[] = tasks;
  const task = taskOfStep[step];
  const known: readonly TaskName[] = model?.tasks ?? [];
  return offered.includes(task) && known.includes(task);
}

/**
 * The draft for going on from a picture: the words and the size stay, and the picture becomes what the step needs. A
 * video keeps the seed too, so that its first frame is this picture.
 */
export function startFrom(
  step: NextStep,
  { generation, picture }: { generation: Generation; picture: number },
): Partial<Draft> {
  const asset = generation.assets[picture];
  if (asset === undefined) return {};
  const { params } = generation;
  const words = {
    prompt: params.prompt,
    negativePrompt: params.negativePrompt,
    promptTemplate: undefined,
    model: params.model,
    width: params.width,
    height: params.height,
  };
  if (step === 'video') return { ...words, ...withVideo(), references: [], seed: asset.seed };
  const source = assetRef(asset);
  if (step === 'reference') {
    return {
      ...words,
      start: undefined,
      references: [newReference({ kind: 'picture', picture: source })],
    };
  }
  return { ...words, ...withStart(newStart(source, step)) };
}
