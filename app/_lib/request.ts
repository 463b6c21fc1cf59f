import type { GenerationInput } from '../../lib/contracts/generation.ts';
import type { Adapter, Model } from '../../lib/contracts/models.ts';
import { applyTemplate } from '../../lib/contracts/presets.ts';
import {
  defaultStrength,
  type Control,
  type preprocessors,
  type TaskName,
} from '../../lib/contracts/task-inputs.ts';
import type { Draft, Reference, Start, StartUse } from './draft.ts';
import { fitPlan } from './plan.ts';
import { isBlank } from './sketch/sketch.ts';

type Preprocessor = (typeof preprocessors)[number];

const taskOfUse: Record<StartUse, TaskName> = {
  redraw: 'image-to-image',
  paint: 'inpaint',
  extend: 'inpaint',
  enlarge: 'upscale',
};

/** The task that a draft asks for: it follows from what the draft was given. */
export function taskOf({ start, references, video }: Draft): TaskName {
  if (video !== undefined) return 'text-to-video';
  if (start !== undefined) return taskOfUse[start.use];
  return references.length > 0 ? 'reference' : 'text-to-image';
}

/** How much of a picture is drawn anew where nobody says. */
export function defaultStrengthOf(use: StartUse): number {
  return defaultStrength[use === 'redraw' ? 'image-to-image' : 'inpaint'];
}

/** Whether references and LoRAs change what this task draws. */
export function takesReferences(task: TaskName): boolean {
  return task !== 'upscale';
}

export function isOutpainted({ outpaint }: Start): boolean {
  return outpaint.left + outpaint.top + outpaint.right + outpaint.bottom > 0;
}

/** ControlNets that the model can use. */
export function suitableControlNets(controlNets: readonly Adapter[], model: Model | undefined): Adapter[] {
  return controlNets.filter((each) => fits(each, model));
}

/** Things fit together where they read the same text states. */
export function fits(adapter: Adapter, model: Model | undefined): boolean {
  return (
    model === undefined ||
    adapter.contextSize === null ||
    model.contextSize === null ||
    adapter.contextSize === model.contextSize
  );
}

/** The ControlNet a reference uses: the chosen one while it is there, else the first that reads such pictures. */
export function controlNetOf(
  { model, source }: Reference,
  suitable: readonly Adapter[],
): Adapter | undefined {
  const wanted = source.kind === 'drawing' ? 'scribble' : source.preprocessor;
  return (
    suitable.find((each) => each.id === model) ??
    suitable.find((each) => each.preprocessor === wanted) ??
    suitable[0]
  );
}

/** What makes the control picture of a reference. */
export function preprocessorOf({ source }: Reference, controlNet: Adapter | undefined): Preprocessor {
  if (source.kind === 'drawing') return 'none';
  return source.preprocessor ?? controlNet?.preprocessor ?? 'canny';
}

/** What keeps this draft from being made, as sentences; the prompt is not among them, for everyone knows that. */
export function obstacles(draft: Draft, controlNets: readonly Adapter[]): string[] {
  const task = taskOf(draft);
  const { start, references } = draft;
  const found: string[] = [];
  if (start !== undefined && task === 'inpaint') {
    if (start.use === 'paint' && isBlank(start.mask)) found.push('Paint over what is to be drawn anew.');
    if (start.use === 'extend' && !isOutpainted(start)) found.push('Pull an edge of the picture outwards.');
  }
  if (takesReferences(task)) {
    for (const reference of references) {
      if (controlNetOf(reference, controlNets) === undefined) {
        found.push('A reference needs a ControlNet that fits the model.');
      }
      if (reference.source.kind === 'drawing' && isBlank(reference.source.sketch)) {
        found.push('The drawing is still empty.');
      }
      if (reference.end <= reference.start) found.push('A reference must end after it starts.');
    }
  }
  return [...new Set(found)];
}

/** Ids of what was drawn in the page, once the studio has it. */
export interface SentPictures {
  mask?: string;
  /** By the reference's key. */
  drawings: Readonly<Record<string, string>>;
}

export const nothingSent: SentPictures = { drawings: {} };

/**
 * The request for a draft without obstacles.
 * @param defaultSteps steps of a run that the draft leaves to the model
 */
export function toRequest(
  draft: Draft,
  defaultSteps: number,
  sent: SentPictures = nothingSent,
  controlNets: readonly Adapter[] = [],
): GenerationInput {
  const { start, references, loras, video, upscale, promptTemplate, ...settings } = draft;
  const task = taskOf(draft);
  const control = takesReferences(task)
    ? references.map((reference) => controlOf(reference, sent, controlNets))
    : [];
  return {
    task,
    ...settings,
    prompt: applyTemplate(promptTemplate, draft.prompt.trim()),
    ...(draft.plan !== undefined && { plan: fitPlan(draft.plan, draft.steps ?? defaultSteps) }),
    ...(start !== undefined && task !== 'text-to-video' && startFields(start, sent)),
    ...(control.length > 0 && { control }),
    ...(loras.length > 0 && { loras }),
    ...(video !== undefined && { video }),
    ...(upscale !== undefined && allowsSecondPass(task) && { upscale }),
  };
}

export function allowsSecondPass(task: TaskName): boolean {
  return task === 'text-to-image' || task === 'image-to-image' || task === 'reference';
}

function startFields(start: Start, sent: SentPictures): Partial<GenerationInput> {
  const { picture, use, maskBlur, maskedContent, outpaint, larger } = start;
  const paddingMaskCrop = use === 'paint' ? start.paddingMaskCrop : undefined;
  // A picture of which only a part is drawn keeps its size.
  const resize = paddingMaskCrop === undefined ? start.resize : undefined;
  const image = picture.id;
  if (use === 'enlarge') return { image, upscale: larger };
  const strength = start.strength ?? defaultStrengthOf(use);
  if (use === 'redraw') return { image, strength, ...(resize !== undefined && { resize }) };
  return {
    image,
    strength,
    ...(resize !== undefined && { resize }),
    ...(maskBlur !== undefined && { maskBlur }),
    ...(maskedContent !== undefined && { maskedContent }),
    ...(paddingMaskCrop !== undefined && { paddingMaskCrop }),
    ...(use === 'paint' ? { mask: sent.mask } : { outpaint }),
  };
}

function controlOf(reference: Reference, sent: SentPictures, controlNets: readonly Adapter[]): Control {
  const { key, source, scale, start, end, mode } = reference;
  const net = controlNetOf(reference, controlNets);
  const model = net?.id ?? reference.model ?? '';
  const image = source.kind === 'drawing' ? (sent.drawings[key] ?? '') : source.picture.id;
  return {
    model,
    image,
    preprocessor: preprocessorOf(reference, net),
    scale,
    start,
    end,
    ...(mode && { mode }),
  };
}
