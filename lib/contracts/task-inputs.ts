import { z } from 'zod';

/** What the tasks beyond text to image are given. Every field is optional in a request; `taskFields` says whose it is. */

/** Id of an upload (POST /api/v1/uploads) or of a picture of the history. */
export const pictureIdSchema = z.string().min(1).max(100);

/** Content of the masked area before noise is added, as AUTOMATIC1111 names them. */
export const maskedContents = ['original', 'fill', 'latent-noise', 'latent-nothing'] as const;

/** How a picture of another shape is brought to the size that is drawn. */
export const resizeModes = ['crop', 'pad', 'stretch'] as const;

/** What makes a control picture out of any picture; `none` where it is one already. */
export const preprocessors = ['none', 'canny', 'scribble', 'lineart'] as const;

/**
 * What decides where a ControlNet and the words disagree, as AUTOMATIC1111 names them: neither, the words (`prompt`), or
 * the ControlNet (`control`; diffusers' `guess_mode`).
 */
export const controlModes = ['balanced', 'prompt', 'control'] as const;
export type ControlMode = (typeof controlModes)[number];

export const videoFormats = ['mp4', 'webm', 'gif', 'webp'] as const;

export const inputLimits = {
  maxControls: 3,
  maxLoras: 8,
  maxLoraWeight: 4,
  maxControlScale: 2,
  maxFrames: 64,
  maxFps: 60,
  maxMotion: 64,
  maxMaskBlur: 128,
  maxPaddingMaskCrop: 256,
  maxPath: 32,
  maxUpscale: 4,
} as const;

const fraction = z.number().min(0).max(1);
const border = z.int().min(0).max(1024).multipleOf(8).default(0);

export const outpaintSchema = z.object({ left: border, top: border, right: border, bottom: border }).strict();
export type Outpaint = z.infer<typeof outpaintSchema>;

/** Strength where the request has none. Inpainting starts from noise alone, as inpainting checkpoints were trained. */
export const defaultStrength = { 'image-to-image': 0.75, inpaint: 1 } as const;

export const controlSchema = z
  .object({
    /** Installed ControlNet. */
    model: z.string().min(1).max(200),
    image: pictureIdSchema,
    /** Its residuals are multiplied by this (`controlnet_conditioning_scale`). */
    scale: z.number().min(0).max(inputLimits.maxControlScale).default(1),
    /** Part of the run in which it guides, as fractions of all steps (`control_guidance_start`, `_end`). */
    start: fraction.default(0),
    end: fraction.default(1),
    preprocessor: z.enum(preprocessors).default('none'),
    /** `balanced` where it is missing. */
    mode: z.enum(controlModes).optional(),
  })
  .strict();
export type Control = z.infer<typeof controlSchema>;

export const loraSchema = z
  .object({
    /** Installed LoRA. */
    id: z.string().min(1).max(200),
    weight: z.number().min(-inputLimits.maxLoraWeight).max(inputLimits.maxLoraWeight).default(1),
  })
  .strict();
export type Lora = z.infer<typeof loraSchema>;

const motion = z.number().min(-inputLimits.maxMotion).max(inputLimits.maxMotion);
const place = z.number().min(-512).max(512);

export const motionSchema = z
  .object({
    /** Motion field per frame in x and y, in 512ths of the picture's width and height (Text2Video-Zero's lambda and direction). */
    x: motion,
    y: motion,
    /** How much nearer each frame is than the one before: 1.02 goes in, 0.98 out. */
    zoom: z.number().min(0.8).max(1.25).optional(),
    /**
     * Instead of x and y: where the view goes from where the first frame is, in the same unit, at one speed to the last
     * place in the last frame.
     */
    path: z
      .array(z.object({ x: place, y: place }).strict())
      .min(1)
      .max(inputLimits.maxPath)
      .optional(),
  })
  .strict();
export type Motion = z.infer<typeof motionSchema>;

export const videoSchema = z
  .object({
    frames: z.int().min(2).max(inputLimits.maxFrames).default(8),
    fps: z.int().min(1).max(inputLimits.maxFps).default(4),
    /** What moves the picture; not used with a motion adapter. */
    motion: motionSchema.default({ x: 12, y: 12 }),
    /** Installed motion adapter: AnimateDiff in place of Text2Video-Zero; it moves by itself, `motion` is not used. */
    adapter: z.string().min(1).max(200).optional(),
    format: z.enum(videoFormats).default('mp4'),
    /** Frames per second after interpolation; none where it is missing. */
    interpolateFps: z.int().min(1).max(inputLimits.maxFps).optional(),
  })
  .strict();
export type Video = z.infer<typeof videoSchema>;

export const upscaleSchema = z
  .object({
    factor: z.number().min(1).max(inputLimits.maxUpscale).default(2),
    /** What is enlarged before the second pass: the latents, or the picture (Lanczos). */
    method: z.enum(['latent', 'image']).default('image'),
    /** Denoising strength of the second pass. */
    strength: fraction.default(0.35),
  })
  .strict();
export type Upscale = z.infer<typeof upscaleSchema>;

/** Fields of a request beyond those of text to image. */
export const taskInputs = {
  image: pictureIdSchema.optional(),
  resize: z.enum(resizeModes).optional(),
  /** Part of the run that is drawn anew: 0 keeps the picture, 1 starts from noise alone. */
  strength: fraction.optional(),
  /** White is drawn anew. */
  mask: pictureIdSchema.optional(),
  /** Feather of the mask's edge, in pixels. */
  maskBlur: z.int().min(0).max(inputLimits.maxMaskBlur).optional(),
  maskedContent: z.enum(maskedContents).optional(),
  /**
   * Draws only what is masked, at the size of the request, with so many of the picture's pixels around it; the result has
   * the picture's own size (diffusers' `padding_mask_crop`, AUTOMATIC1111's "Inpaint area: Only masked").
   */
  paddingMaskCrop: z.int().min(0).max(inputLimits.maxPaddingMaskCrop).optional(),
  /** Pixels added around the picture and drawn. */
  outpaint: outpaintSchema.optional(),
  control: z.array(controlSchema).min(1).max(inputLimits.maxControls).optional(),
  loras: z.array(loraSchema).max(inputLimits.maxLoras).optional(),
  video: videoSchema.optional(),
  upscale: upscaleSchema.optional(),
} as const;

type Field = keyof typeof taskInputs;

/** By task: what it needs and what it may have of {@link taskInputs}. `loras` and `control` go with every drawing task. */
export const taskFields = {
  'text-to-image': { needs: [], allows: ['loras', 'upscale'] },
  'image-to-image': {
    needs: ['image'],
    allows: ['strength', 'resize', 'loras', 'control', 'upscale'],
  },
  inpaint: {
    needs: ['image'],
    allows: [
      ...(['mask', 'outpaint', 'maskBlur', 'maskedContent', 'paddingMaskCrop'] as const),
      ...(['strength', 'resize', 'loras', 'control'] as const),
    ],
  },
  reference: { needs: ['control'], allows: ['loras', 'upscale'] },
  'text-to-video': { needs: [], allows: ['video', 'loras', 'control'] },
  upscale: { needs: ['image'], allows: ['upscale', 'loras'] },
} as const satisfies Record<string, { needs: readonly Field[]; allows: readonly Field[] }>;

export type TaskName = keyof typeof taskFields;

export interface FieldFault {
  path: string;
  message: string;
}

/** What is missing from a request of this task, and what does not belong to it. */
export function fieldFaults(task: TaskName, request: Readonly<Record<string, unknown>>): FieldFault[] {
  const { needs, allows }: { needs: readonly string[]; allows: readonly string[] } = taskFields[task];
  const faults: FieldFault[] = [];
  for (const field of Object.keys(taskInputs)) {
    const given = request[field] !== undefined;
    if (!given && needs.includes(field)) faults.push({ path: field, message: `${task} needs it` });
    if (given && !needs.includes(field) && !allows.includes(field)) {
      faults.push({ path: field, message: `is not a field of ${task}` });
    }
  }
  if (task === 'inpaint' && request['mask'] === undefined && request['outpaint'] === undefined) {
    faults.push({ path: 'mask', message: 'inpaint needs a mask, or outpaint' });
  }
  for (const other of ['outpaint', 'resize']) {
    if (request['paddingMaskCrop'] === undefined || request[other] === undefined) continue;
    faults.push({
      path: 'paddingMaskCrop',
      message: `does not go with ${other}: the picture keeps its size`,
    });
  }
  return faults;
}
