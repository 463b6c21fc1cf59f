import type { z } from 'zod';
import type { outpaintSchema } from '../../lib/contracts/task-inputs.ts';

export type Borders = z.infer<typeof outpaintSchema>;
export type Side = keyof Borders;
export const sides = ['left', 'top', 'right', 'bottom'] as const satisfies Side[];

export const BORDER_STEP = 8;
export const MAX_BORDER = 1024;

export function snapBorder(pixels: number): number {
  return Math.min(MAX_BORDER, Math.max(0, Math.round(pixels / BORDER_STEP) * BORDER_STEP));
}

/**
 * The space in which a picture and its borders are shown, in pixels of the picture, and where the picture lies in it. It
 * has room to pull into, and keeps its size while a border is pulled within that.
 */
export function viewOf(
  picture: { width: number; height: number },
  borders: Borders,
): { width: number; height: number; x: number; y: number } {
  const room = Math.max(picture.width, picture.height) / 2;
  const x = Math.max(room, borders.left, borders.right);
  const y = Math.max(room, borders.top, borders.bottom);
  return { width: picture.width + 2 * x, height: picture.height + 2 * y, x, y };
}
