import { limits } from '../../lib/contracts/generation.ts';

export interface SizePreset {
  name: string;
  width: number;
  height: number;
}

/** UNets halve their latents several times: sides in multiples of 64 pixels fit every family. */
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
export function sizePresets(native: { width: number; height: number }): SizePreset[] {
  const area = native.width * native.height;
  const round = (value: number) =>
    Math.min(limits.maxSide, Math.max(limits.minSide, Math.round(value / SIDE_STEP) * SIDE_STEP));
  const presets = shapes.map(([name, aspect]) => {
    if (aspect === 1) return { name, width: round(Math.sqrt(area)), height: round(Math.sqrt(area)) };
    const long = round(Math.sqrt(area) * Math.sqrt(Math.max(aspect, 1 / aspect)));
    const short = round(Math.sqrt(area) / Math.sqrt(Math.max(aspect, 1 / aspect)));
    const longer = long === short ? long + SIDE_STEP : long;
    return aspect > 1 ? { name, width: longer, height: short } : { name, width: short, height: longer };
  });
  const wide = presets.some((preset) => preset.width === native.width && preset.height === native.height);
  return wide ? presets : [{ name: 'Native', ...native }, ...presets];
}
