import { z } from 'zod';
import { pictureIdSchema, preprocessors } from './task-inputs.ts';

/**
 * Pictures that a request can be given: uploads, and pictures of the history. One id names either; it stays valid for as
 * long as a generation was made from it, whatever was deleted since.
 */
export const pictureSchema = z.object({
  id: z.string(),
  /** Media type of the file. */
  type: z.string(),
  width: z.int(),
  height: z.int(),
  bytes: z.int(),
  url: z.string(),
  /** A small WebP; takes `?side=` as every thumbnail does. */
  thumbnailUrl: z.string(),
});
export type PictureFile = z.infer<typeof pictureSchema>;

export const uploadTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/avif'] as const;

export const uploadLimits = {
  maxUploadBytes: 32 * 1024 * 1024,
  /** Before it is reduced: what is decoded has a limit of its own. */
  maxUploadPixels: 64 * 1024 * 1024,
  /** Longest side that is kept: twice the largest that is drawn. A larger picture is made smaller. */
  maxUploadSide: 4096,
  /** Uploads that are kept at once. */
  maxUploads: 10_000,
  /** An upload that nothing was made from is kept for so many days after it was last used. */
  uploadDays: 14,
} as const;

/** As a picture that was uploaded is kept: upright, at 8 bits a channel in sRGB, without metadata, as PNG. */
export const uploadSchema = pictureSchema.extend({
  /** Of the file that came, without its ending. */
  name: z.string(),
  createdAt: z.iso.datetime(),
});
export type Upload = z.infer<typeof uploadSchema>;

export const uploadListSchema = z.object({ items: z.array(uploadSchema), nextCursor: z.string().nullable() });
export type UploadList = z.infer<typeof uploadListSchema>;

export const uploadListQuerySchema = z
  .object({
    cursor: z.string().max(200).optional(),
    limit: z.coerce.number().int().min(1).max(200).default(50),
  })
  .strict();
export type UploadListQuery = z.infer<typeof uploadListQuerySchema>;

/** Query of POST /api/v1/uploads. */
export const uploadQuerySchema = z
  .object({
    name: z.string().trim().max(200).default('').describe('What to call it, for example its file name'),
  })
  .strict();

/** A picture that a generation was made from. */
export const generationInputSchema = pictureSchema.extend({
  /** Where the request names it: `image`, `mask` or `control.0.image`. */
  field: z.string(),
});
export type GenerationInputPicture = z.infer<typeof generationInputSchema>;

/** Preprocessors that make something. */
const previewedPreprocessors = preprocessors.filter((name) => name !== 'none');

/** Query of GET /api/v1/pictures/ID/control. */
export const controlQuerySchema = z.object({ preprocessor: z.enum(previewedPreprocessors) }).strict();

/** Body of POST /api/v1/preprocess. */
export const preprocessSchema = controlQuerySchema.extend({ image: pictureIdSchema }).strict();
export type Preprocess = z.infer<typeof preprocessSchema>;
