import { EncoreError } from '../../contracts/errors.ts';
import {
  type GenerationParams,
  generationParamsSchema,
  type GenerationRequest,
} from '../../contracts/generation.ts';
import type { Model } from '../../contracts/models.ts';
import { defaultInjection, firstStep, resolveSchedule } from '../../contracts/plan.ts';
import { borderedSize, naturalSize, upscaledSize } from '../../contracts/sizes.ts';
import { defaultStrength, upscaleSchema } from '../../contracts/task-inputs.ts';

/**
 * The request with everything filled in that it left to the model and to chance.
 * @param picture what is drawn from: without a size in the request, the picture's is kept, unless only a part is drawn
 * @throws EncoreError `invalid_parameter` when its plan names steps that the run does not have, or its size does not fit
 */
export function fillDefaults(
  request: GenerationRequest,
  model: Model,
  randomSeed: () => number,
  picture?: { width: number; height: number },
): GenerationParams {
  const { defaults } = model;
  const { injection } = request;
  const { steps = defaults.steps, plan = defaults.plan } = request;
  const skipped = firstStep(steps, strengthOf(request));
  resolveSchedule(plan, steps);
  const isWhole = picture !== undefined && request.paddingMaskCrop === undefined;
  const own = isWhole ? naturalSize(picture, defaults, model.sideMultiple) : defaults;
  const { width = own.width, height = own.height } = request;
  expectMultiple({ width, height }, model);
  expectLarger(request, { steps, width, height }, model);
  return generationParamsSchema.parse({
    ...request,
    steps,
    plan,
    model: model.id,
    width,
    height,
    guidanceScale: request.guidanceScale ?? defaults.guidanceScale,
    scheduler: request.scheduler ?? defaults.scheduler,
    seed: request.seed ?? randomSeed(),
    injection:
      injection === 'off' ? 0 : (injection ?? defaultInjection(plan, steps, skipped, request.task)),
  });
}

/** Part of the run that is walked. */
function strengthOf({ task, strength }: GenerationRequest): number {
  return strength ?? (task in defaultStrength ? defaultStrength[task as keyof typeof defaultStrength] : 1);
}

/** What a border and a second pass make of the picture has to be possible too, and not only when it is drawn. */
function expectLarger(
  { task, outpaint, upscale }: GenerationRequest,
  { steps, ...size }: { steps: number; width: number; height: number },
  { sideMultiple }: Model,
): void {
  if (outpaint !== undefined) borderedSize(size, outpaint);
  const larger = upscale ?? (task === 'upscale' ? upscaleSchema.parse({}) : undefined);
  if (larger === undefined) return;
  upscaledSize(size, larger.factor, sideMultiple);
  firstStep(steps, larger.strength);
}

function expectMultiple(sides: { width: number; height: number }, { id, sideMultiple }: Model): void {
  const errors = Object.entries(sides)
    .filter(([, side]) => side % sideMultiple !== 0)
    .map(([path, side]) => ({ path, message: `must be a multiple of ${sideMultiple} for ${id}, got ${side}` }));
  if (errors.length === 0) return;
  const message = errors.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new EncoreError('invalid_parameter', message, { errors });
}
