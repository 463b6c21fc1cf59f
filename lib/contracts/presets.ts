import { z } from 'zod';
import { generationRequestSchema, limits } from './generation.ts';

const { shape } = generationRequestSchema;

/** Stands for what the person typed. */
const PROMPT_PLACE = '{prompt}';

/** The part of a request that a preset fixes. Everything is optional; what is missing is left as it is. */
export const presetValuesSchema = z
  .object({
    /** Text around the prompt, for example `{prompt}, soft light`. */
    promptTemplate: z
      .string()
      .trim()
      .max(limits.promptLength)
      .refine((text) => text.includes(PROMPT_PLACE), `must contain ${PROMPT_PLACE}`),
    negativePrompt: z.string().max(limits.promptLength),
    model: shape.model.unwrap(),
    width: shape.width.unwrap(),
    height: shape.height.unwrap(),
    steps: shape.steps.unwrap(),
    guidanceScale: shape.guidanceScale.unwrap(),
    scheduler: shape.scheduler.unwrap(),
    plan: shape.plan.unwrap(),
    injection: shape.injection.unwrap(),
    clipSkip: shape.clipSkip.unwrap(),
    count: shape.count.unwrap(),
    seed: shape.seed.unwrap(),
    strength: shape.strength.unwrap(),
    loras: shape.loras.unwrap(),
    upscale: shape.upscale.unwrap(),
    video: shape.video.unwrap(),
  })
  .partial()
  .strict();
export type PresetValues = z.infer<typeof presetValuesSchema>;

const name = z.string().trim().min(1).max(100);

export const presetSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** Came with Encore: it cannot be changed, only copied. */
  builtIn: z.boolean(),
  values: presetValuesSchema,
  /** Null for those that came with Encore. */
  updatedAt: z.iso.datetime().nullable(),
});
export type Preset = z.infer<typeof presetSchema>;

export const presetListSchema = z.object({ items: z.array(presetSchema) });

/** Body of POST /api/v1/presets. */
export const presetInputSchema = z.object({ name, values: presetValuesSchema }).strict();
export type PresetInput = z.infer<typeof presetInputSchema>;

/** Body of PATCH /api/v1/presets/ID: `values` replaces all of them. */
export const presetPatchSchema = presetInputSchema.partial().strict();
export type PresetPatch = z.infer<typeof presetPatchSchema>;

/** The prompt as a preset with this template has it. */
export function applyTemplate(template: string | undefined, prompt: string): string {
  return template === undefined ? prompt : template.replaceAll(PROMPT_PLACE, () => prompt);
}
