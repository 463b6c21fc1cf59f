export interface Difference {
  /** Mean of |a - b| over the colour channels, 0 to 255. */
  mean: number;
  /** Largest |a - b| of any channel, 0 to 255. */
  max: number;
  /** Peak signal-to-noise ratio in dB; infinite for equal pictures. */
  psnr: number;
  /** Whether not a single value differs. */
  equal: boolean;
}

/**
 * How far two pictures are apart. Both are RGBA of the same size; alpha is left out, pictures made here are opaque.
 */
export function measure(a: Uint8ClampedArray, b: Uint8ClampedArray): Difference {
  if (a.length !== b.length) throw new RangeError(`pictures of ${a.length} and ${b.length} values`);
  let sum = 0;
  let squares = 0;
  let max = 0;
  for (let i = 0; i < a.length; i += 1) {
    if (i % 4 === 3) continue;
    const d = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    sum += d;
    squares += d * d;
    if (d > max) max = d;
  }
  const values = (a.length / 4) * 3;
  const psnr = squares === 0 ? Infinity : 10 * Math.log10((255 * 255 * values) / squares);
  return { mean: values === 0 ? 0 : sum / values, max, psnr, equal: squares === 0 };
}

/** How much stronger a difference of at most `max` is drawn, so that the largest of them is as bright as can be. */
export function gainFor(max: number): number {
  return max === 0 ? 1 : Math.max(1, Math.floor(255 / max));
}

/** Each channel's difference, `gain` times as strong so that small ones are seen; RGBA, opaque. */
export function differencePicture(
  a: Uint8ClampedArray,
  b: Uint8ClampedArray,
  gain: number,
): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(a.length);
  for (let i = 0; i < a.length; i += 1) {
    out[i] = i % 4 === 3 ? 255 : Math.abs((a[i] ?? 0) - (b[i] ?? 0)) * gain;
  }
  return out;
}
