import { EncoreError } from '../../contracts/errors.ts';
import { float32, type Tensor } from '../tensor/tensor.ts';
import type { GrayPicture, Picture } from './task.ts';

/** From here on a pixel of a mask is drawn anew (diffusers: VaeImageProcessor.binarize). */
const threshold = 128;

/** Throws `invalid_parameter` for a mask over nothing. */
export function expectMask(mask: GrayPicture): void {
  if (mask.data.some((value) => value >= threshold)) return;
  throw new EncoreError('invalid_parameter', 'the mask is empty: nothing would be drawn', {
    remedy: 'Paint white over what is to be drawn anew.',
    errors: [{ path: 'mask', message: 'must be white somewhere' }],
  });
}

/**
 * The mask over latents [1, 1, h, w]: 1 is drawn anew. Each latent looks at the first of its `scale` x `scale` pixels, as
 * torch's nearest interpolation does; strokes so thin that this misses all of them count wherever they touch.
 */
export function latentMask(mask: GrayPicture, scale: number): Tensor<'float32'> {
  const [height, width] = [mask.height / scale, mask.width / scale];
  const painted = (x: number, y: number) => mask.data[y * mask.width + x]! >= threshold;
  const touched = (column: number, row: number) => {
    for (let y = row * scale; y < (row + 1) * scale; y++) {
      for (let x = column * scale; x < (column + 1) * scale; x++) if (painted(x, y)) return true;
    }
    return false;
  };
  const cells = (test: (column: number, row: number) => boolean) =>
    Float32Array.from({ length: height * width }, (_, i) => Number(test(i % width, Math.floor(i / width))));
  const nearest = cells((column, row) => painted(column * scale, row * scale));
  return float32([1, 1, height, width], nearest.some((value) => value > 0) ? nearest : cells(touched));
}

/**
 * How much of the new picture shows at each pixel, 0 to 1. What is masked shows in full; around it the new picture fades
 * out over `blur` pixels, beyond which not a byte changes.
 */
export function feathered(mask: GrayPicture, blur: number): Float32Array {
  const { width, height, data } = mask;
  const soft = Float32Array.from(data, (value) => value / 255);
  if (blur === 0) return soft;
  const hard = Float32Array.from(data, (value) => Number(value >= threshold));
  // Three boxes whose reaches add up to that of the feather are close to a Gaussian, and end where it is to end.
  const reaches = [0, 1, 2].map((i) => Math.floor((blur + i) / 3));
  let blurred: Float32Array = hard;
  for (const reach of reaches) blurred = boxBlurred(blurred, width, height, reach);
  return blurred.map((value, i) => Math.max(soft[i]!, Math.min(2 * value, 1)));
}

/** `drawn` where `shown` is 1, `original` where it is 0. */
export function composed(original: Picture, drawn: Picture, shown: Float32Array): Picture {
  const data = original.data.map((value, i) => {
    return Math.round(value + shown[Math.floor(i / 3)]! * (drawn.data[i]! - value));
  });
  return { ...original, data };
}

/** Pixels [1, 3, H, W] in -1 .. 1 as an inpainting checkpoint is shown them: 0 under the mask. */
export function hidden(pixels: Tensor<'float32'>, { data: mask }: GrayPicture): Tensor<'float32'> {
  const data = pixels.data.map((value, i) => (mask[i % mask.length]! >= threshold ? 0 : value));
  return float32(pixels.shape, data);
}

/** Standard deviations of the blurs that fill a mask, coarse to fine, and how often each is laid over the ones before. */
const fills = [
  [256, 1],
  [64, 1],
  [16, 2],
  [4, 4],
  [2, 2],
] as const;

/**
 * The colours around the mask drawn into it: blurs of what is not masked, from coarse to fine, each laid over the last
 * where it knows anything. AUTOMATIC1111: modules/masking.py fill
 */
export function filled(picture: Picture, mask: GrayPicture): Picture {
  const { width, height, data } = picture;
  const area = width * height;
  const known = Float32Array.from(mask.data, (value) => 1 - value / 255);
  const planes = [0, 1, 2].map((channel) => known.map((alpha, i) => alpha * data[3 * i + channel]!));
  const under = [0, 1, 2].map(() => new Float32Array(area).fill(127.5));
  for (const [deviation, times] of fills) {
    const blur = (plane: Float32Array) => gaussian(plane, width, height, deviation);
    const alpha = blur(known);
    for (const [channel, plane] of planes.entries()) {
      const colour = blur(plane);
      const below = under[channel]!;
      for (let i = 0; i < area; i++) {
        if (alpha[i]! < 1e-6) continue;
        const shown = 1 - (1 - alpha[i]!) ** times;
        below[i]! += shown * (colour[i]! / alpha[i]! - below[i]!);
      }
    }
  }
  const out = data.map((value, i) => {
    const alpha = known[Math.floor(i / 3)]!;
    return Math.round(alpha * value + (1 - alpha) * under[i % 3]![Math.floor(i / 3)]!);
  });
  return { width, height, data: out };
}

/** Three boxes of the variance asked for: 3 (d^2 - 1) / 12 with d the width of a box. */
function gaussian(plane: Float32Array, width: number, height: number, deviation: number): Float32Array {
  const reach = Math.round((Math.sqrt(4 * deviation ** 2 + 1) - 1) / 2);
  let blurred = plane;
  for (let pass = 0; pass < 3; pass++) blurred = boxBlurred(blurred, width, height, reach);
  return blurred;
}

/** Means over squares that reach `reach` pixels each way; beyond the edges its pixels go on. */
function boxBlurred(plane: Float32Array, width: number, height: number, reach: number): Float32Array {
  if (reach === 0) return plane;
  const wide = new Float32Array(plane.length);
  for (let row = 0; row < height; row++) {
    runningMeans(plane, wide, { start: row * width, stride: 1, count: width }, reach);
  }
  const out = new Float32Array(plane.length);
  for (let column = 0; column < width; column++) {
    runningMeans(wide, out, { start: column, stride: width, count: height }, reach);
  }
  return out;
}

function runningMeans(
  from: Float32Array,
  to: Float32Array,
  { start, stride, count }: { start: number; stride: number; count: number },
  reach: number,
): void {
  const at = (i: number) => from[start + Math.min(Math.max(i, 0), count - 1) * stride]!;
  let sum = 0;
  for (let i = -reach; i <= reach; i++) sum += at(i);
  for (let i = 0; i < count; i++) {
    to[start + i * stride] = sum / (2 * reach + 1);
    sum += at(i + reach + 1) - at(i - reach);
  }
}
