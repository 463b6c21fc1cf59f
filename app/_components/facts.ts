import type { Generation, Receipt } from '../../lib/contracts/generation.ts';
import { schedulers } from '../../lib/contracts/schedulers.ts';
import type { ControlMode, Motion } from '../../lib/contracts/task-inputs.ts';
import { deviceName } from './device-names.ts';
import { planSteps } from './plan-words.ts';

/** A name and what it was; lists have one line each. */
export type Fact = [name: string, value: string];

const maskedContentNames = {
  original: 'what was there',
  fill: 'colours around it',
  'latent-noise': 'noise',
  'latent-nothing': 'nothing',
} as const;

/** What was asked for. Only what the task has. `model` is its name. */
export function requestFacts({ params, receipt, assets }: Generation, seed: number, model: string): Fact[] {
  const { video, upscale, outpaint, control = [], loras = [] } = params;
  const movie = assets.find(({ frames }) => frames !== null);
  const facts: (Fact | null)[] = [
    ['Seed', String(seed)],
    ['Size', `${params.width} × ${params.height}`],
    ['Steps', `${params.steps} ${schedulers[params.scheduler].label}`],
    receipt?.skippedSteps === undefined || params.video !== undefined
      ? null
      : ['Left out', `the first ${receipt.skippedSteps} steps`],
    ['Plan', planSteps(params.plan)],
    ['Guidance', String(params.guidanceScale)],
    params.strength === undefined ? null : ['Strength', String(params.strength)],
    params.resize === undefined ? null : ['Fitted by', params.resize],
    params.maskedContent === undefined ? null : ['Began with', maskedContentNames[params.maskedContent]],
    params.maskBlur === undefined ? null : ['Mask’s edge', `${params.maskBlur} px`],
    params.paddingMaskCrop === undefined
      ? null
      : ['Drawn', `what is masked, with ${params.paddingMaskCrop} px around`],
    outpaint === undefined ? null : ['Added around', sides(outpaint)],
    upscale === undefined
      ? null
      : ['Enlarged', `${upscale.factor} times, ${upscale.method}, strength ${upscale.strength}`],
    video === undefined
      ? null
      : ['Video', `${movie?.frames ?? video.frames} frames at ${movie?.fps ?? video.fps} a second`],
    video === undefined || video.adapter !== undefined ? null : ['Motion', motionWords(video.motion)],
    params.clipSkip === undefined ? null : ['Text layers left out', String(params.clipSkip)],
    ['Model', model],
    ...control.map(({ model, scale, start, end, mode }): Fact => [
      'Guided by',
      [
        `${model} × ${scale}`,
        ...(start === 0 && end === 1 ? [] : [`${share(start)} to ${share(end)} of the run`]),
        ...(mode === undefined ? [] : [modeWords[mode]]),
      ].join(', '),
    ]),
    ...(receipt?.loras === undefined
      ? loras.map(({ id, weight }): Fact => ['LoRA', `${id} × ${weight}`])
      : receipt.loras.map(({ name, weight, matched, unmatched }): Fact => [
          'LoRA',
          `${name} × ${weight}, ${matched} tensors used${unmatched === 0 ? '' : `, ${unmatched} without a place`}`,
        ])),
    ...(receipt?.embeddings ?? []).map(({ name, vectors }): Fact => [
      'Embedding',
      `${name}, ${vectors} ${vectors === 1 ? 'vector' : 'vectors'}`,
    ]),
    receipt === null ? null : ['Device', deviceName(receipt.device)],
  ];
  return facts.filter((fact) => fact !== null);
}

/** What one looks up once in a while: hashes, versions, how the steps were grouped. */
export function furtherFacts(receipt: Receipt): Fact[] {
  return [
    ['Model hash', receipt.modelHash],
    ['Noise injection', String(receipt.injection)],
    ['Steps decoded at once', String(receipt.decodeWidth)],
    ...(receipt.promptTokens === undefined
      ? []
      : [['Words as tokens', String(receipt.promptTokens)] as Fact]),
    ...(receipt.legs ?? []).map(({ width, height, steps, keySteps }, index): Fact => [
      `Leg ${index + 1}`,
      `${width} × ${height}, ${steps} evaluations, ${keySteps.length} in full`,
    ]),
    ...(receipt.control ?? []).map(({ model, hash }): Fact => [model, hash]),
    ...(receipt.loras ?? []).map(({ name, hash }): Fact => [name, hash]),
    ...Object.entries(receipt.versions),
  ];
}

const modeWords: Record<ControlMode, string> = {
  balanced: 'as much as the words',
  prompt: 'less than the words',
  control: 'more than the words',
};

function motionWords({ x, y, zoom, path }: Motion): string {
  const way = path === undefined ? `${x}, ${y} a frame` : `along a path of ${path.length}`;
  return zoom === undefined ? way : `${way}, × ${zoom} a frame`;
}

function share(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}

function sides(border: Record<string, number>): string {
  return Object.entries(border)
    .filter(([, pixels]) => pixels > 0)
    .map(([side, pixels]) => `${pixels} px ${side}`)
    .join(', ');
}
