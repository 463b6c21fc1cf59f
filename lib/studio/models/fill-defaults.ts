import { EncoreError } from '../../contracts/errors.ts';
import {
  type GenerationParams,
  generationParamsSchema,
  type GenerationRequest,
} from '../../contracts/generation.ts';
import type { Model } from '../../contracts/models.ts';
import { naturalSize } from '../../media/fit.ts';
import { defaultInjection, resolveSchedule, skippedSteps } from '../../contracts/plan.ts';
import { defaultStrength } from '../../contracts/task-inputs.ts';

/**
 * The request with everything filled in that it left to the model and to chance.
 * @param picture what is drawn from: without a size in the request, the picture's is kept
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
  const steps = request.steps ?? defaults.steps;
  const skipped = skippedSteps(steps, strengthOf(request));
  resolveSchedule(request.plan, steps);
  const own = picture === undefined ? defaults : naturalSize(picture, defaults, model.sideMultiple);
  const { width = own.width, height = own.height } = request;
  expectMultiple({ width, height }, model);
  return generationParamsSchema.parse({
    ...request,
    steps,
    model: model.id,
    width,
    height,
    guidanceScale: request.guidanceScale ?? defaults.guidanceScale,
    scheduler: request.scheduler ?? defaults.scheduler,
    seed: request.seed ?? randomSeed(),
    injection:
      injection === 'off' ? 0 : (injection ?? defaultInjection(request.plan, steps, skipped, request.task)),
  });
}

/** Part of the run that is walked. */
function strengthOf({ task, strength }: GenerationRequest): number {
  return strength ?? (task in defaultStrength ? defaultStrength[task as keyof typeof defaultStrength] : 1);
}

function expectMultiple(sides: { width: number; height: number }, { id, sideMultiple }: Model): void {
  const errors = Object.entries(sides)
    .filter(([, side]) => side % sideMultiple !== 0)
    .map(([path, side]) => ({ path, message: `must be a multiple of ${sideMultiple} for ${id}, got ${side}` }));
  if (errors.length === 0) return;
  const message = errors.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new EncoreError('invalid_parameter', message, { errors });
}
