import { limits } from '../../lib/contracts/generation.ts';
import { naturalSize, type Size } from '../../lib/contracts/sizes.ts';

export interface SizePreset {
  name: string;
  width: number;
  height: number;
}

/** Sides of presets are multiples of this and of what the model needs: the sizes people of the field know. */
const SIDE_STEP = 64;

const shapes: [string, number][] = [
  ['Square', 1],
  ['Portrait', 2 / 3],
  ['Landscape', 3 / 2],
];

/**
 * The sizes offered as pictures: the model's own, and others of about its area.
 * Small models get a longer side instead of a shorter one, for a half-empty picture has room for nothing.
 */
export function sizePresets(native: { width: number; height: number }, sideMultiple = 1): SizePreset[] {
  const step = leastCommonMultiple(SIDE_STEP, sideMultiple);
  const area = native.width * native.height;
  const round = (value: number) =>
    Math.min(limits.maxSide, Math.max(limits.minSide, Math.round(value / step) * step));
  const presets = shapes.map(([name, aspect]) => {
    if (aspect === 1) return { name, width: round(Math.sqrt(area)), height: round(Math.sqrt(area)) };
    const long = round(Math.sqrt(area) * Math.sqrt(Math.max(aspect, 1 / aspect)));
    const short = round(Math.sqrt(area) / Math.sqrt(Math.max(aspect, 1 / aspect)));
    const longer = long === short ? long + step : long;
    return aspect > 1 ? { name, width: longer, height: short } : { name, width: short, height: longer };
  });
  const wide = presets.some((preset) => preset.width === native.width && preset.height === native.height);
  return wide ? presets : [{ name: 'Native', ...native }, ...presets];
}

function leastCommonMultiple(a: number, b: number): number {
  const divisor = (x: number, y: number): number => (y === 0 ? x : divisor(y, x % y));
  return (a / divisor(a, b)) * b;
}

interface StartSize {
  picture: Size;
  use?: string;
  paddingMaskCrop?: number;
}

/** The size that a draft asks for: its own, else that of the picture it starts from the whole of, else the model's. */
export function drawnSize(
  draft: { width?: number; height?: number; start?: StartSize },
  model: { defaults: Size; sideMultiple: number },
): Size {
  const { defaults, sideMultiple } = model;
  const { start } = draft;
  const isWhole = start !== undefined && !(start.use === 'paint' && start.paddingMaskCrop !== undefined);
  const own = isWhole ? naturalSize(start.picture, defaults, sideMultiple) : defaults;
  return { width: draft.width ?? own.width, height: draft.height ?? own.height };
}
