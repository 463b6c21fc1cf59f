import { EncoreError } from '../../contracts/errors.ts';
import { resampled } from '../tensor/resample.ts';
import { float32 } from '../tensor/tensor.ts';
import { pixelsOf } from './original.ts';
import { picturesOf } from './pictures.ts';
import type { GrayPicture, Picture } from './task.ts';

// Drawing what is masked at the size a model draws best, however large the picture and however small the mask.

export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The part of a picture that is drawn: what is masked with `padding` pixels around it, made longer one way until it has
 * the shape of what is drawn, and moved inside where it can be. One that is longer than the picture reaches beyond it.
 * diffusers: VaeImageProcessor.get_crop_region, AUTOMATIC1111's modules/masking.py
 */
export function maskedArea(mask: GrayPicture, padding: number, drawn: Size): Area {
  const { width, height, data } = mask;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = y + 1;
    }
  }
  if (right === 0) throw new EncoreError('internal', 'an empty mask has no area');
  const across = padded(left, right, padding, width);
  const down = padded(top, bottom, padding, height);
  const [w, h] = [across.end - across.start, down.end - down.start];
  const aspect = drawn.width / drawn.height;
  const isWide = w / h > aspect;
  const { start: x, end: xEnd } = isWide ? across : longer(across, Math.floor(h * aspect), width);
  const { start: y, end: yEnd } = isWide ? longer(down, Math.floor(w / aspect), height) : down;
  return { left: x, top: y, width: xEnd - x, height: yEnd - y };
}

interface Reach {
  start: number;
  end: number;
}

function padded(start: number, end: number, padding: number, limit: number): Reach {
  return { start: Math.max(start - padding, 0), end: Math.min(end + padding, limit) };
}

function longer({ start, end }: Reach, length: number, limit: number): Reach {
  const more = Math.max(length - (end - start), 0);
  const from = start - Math.floor(more / 2);
  const reach = end - start + more;
  // Longer than the picture: it stands out on both sides, and its edge goes on there.
  const inside = reach > limit ? Math.floor((limit - reach) / 2) : Math.min(Math.max(from, 0), limit - reach);
  return { start: inside, end: inside + reach };
}

/** That part of a picture at another size. Beyond its edges it goes on. */
export function partOf(picture: Picture, area: Area, size: Size): Picture {
  const cut = cutOut(picture, area, 3);
  return sameSize(area, size) ? cut : resized(cut, size);
}

/** That part of a mask at another size; nothing beyond the edges of the picture is masked. */
export function maskPartOf(mask: GrayPicture, area: Area, size: Size): GrayPicture {
  const cut = cutOut(mask, area, 1);
  for (let y = 0; y < area.height; y++) {
    for (let x = 0; x < area.width; x++) {
      if (!isInside(mask, area.left + x, area.top + y)) cut.data[y * area.width + x] = 0;
    }
  }
  if (sameSize(area, size)) return cut;
  const { width, height } = size;
  const plane = float32([1, 1, area.height, area.width], Float32Array.from(cut.data));
  const { data } = resampled(plane, height, width, 'bilinear');
  return { width, height, data: Uint8Array.from(data, Math.round) };
}

/** A picture with another in that part of it. */
export function putBack(picture: Picture, part: Picture, area: Area): Picture {
  const { data: pixels } = sameSize(part, area) ? part : resized(part, area);
  const data = picture.data.slice();
  for (let y = 0; y < area.height; y++) {
    for (let x = 0; x < area.width; x++) {
      const [column, row] = [area.left + x, area.top + y];
      if (!isInside(picture, column, row)) continue;
      const from = 3 * (y * area.width + x);
      data.set(pixels.subarray(from, from + 3), 3 * (row * picture.width + column));
    }
  }
  return { ...picture, data };
}

function cutOut({ width, height, data }: Picture | GrayPicture, area: Area, channels: 1 | 3): Picture {
  const out = new Uint8Array(channels * area.width * area.height);
  const clamped = (at: number, limit: number) => Math.min(Math.max(at, 0), limit - 1);
  for (let y = 0; y < area.height; y++) {
    const row = clamped(area.top + y, height) * width;
    for (let x = 0; x < area.width; x++) {
      const from = channels * (row + clamped(area.left + x, width));
      out.set(data.subarray(from, from + channels), channels * (y * area.width + x));
    }
  }
  return { width: area.width, height: area.height, data: out };
}

function resized(picture: Picture, { width, height }: Size): Picture {
  return picturesOf(resampled(pixelsOf(picture), height, width, 'lanczos3'))[0]!;
}

function isInside({ width, height }: Size, x: number, y: number): boolean {
  return x >= 0 && y >= 0 && x < width && y < height;
}

function sameSize(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height;
}
