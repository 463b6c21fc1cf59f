import { EncoreError } from '../../contracts/errors.ts';
import { float32, type Tensor } from './tensor.ts';

type Float32 = Tensor<'float32'>;

interface Kernel {
  /** How far it reaches, in samples of the coarser side. */
  readonly support: number;
  readonly weight: (distance: number) => number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

export const kernels = {
  bilinear: { support: 1, weight: (x) => Math.max(1 - Math.abs(x), 0) },
  lanczos3: { support: 3, weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
} as const satisfies Record<string, Kernel>;

/**
 * x [B, C, h, w] at another size: separable, sample centres at half-integers, the kernel widened where the size falls,
 * weights normalised at the edges. `bilinear` enlarges like torch's interpolate; `lanczos3` is Pillow's.
 */
export function resampled(x: Float32, height: number, width: number, kernel: keyof typeof kernels): Float32 {
  const [batch = 0, channels = 0, h = 0, w = 0] = x.shape;
  if (x.shape.length !== 4 || h * w * height * width === 0) {
    throw new EncoreError('invalid_tensor', `cannot resample [${x.shape.join(', ')}] to ${height}x${width}`);
  }
  const planes = batch * channels;
  const wide = alongRows(x.data, planes * h, tapsOf(w, width, kernels[kernel]));
  const out = new Float32Array(planes * height * width);
  const vertical = tapsOf(h, height, kernels[kernel]);
  for (let plane = 0; plane < planes; plane++) {
    vertical.forEach(({ start, weights }, row) => {
      const to = (plane * height + row) * width;
      weights.forEach((weight, k) => {
        const from = (plane * h + start + k) * width;
        for (let column = 0; column < width; column++) out[to + column]! += weight * wide[from + column]!;
      });
    });
  }
  return float32([batch, channels, height, width], out);
}

interface Taps {
  readonly start: number;
  readonly weights: readonly number[];
}

/** For each of `to` positions, the run of `from` samples it is made of. */
function tapsOf(from: number, to: number, { support, weight }: Kernel): Taps[] {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const start = Math.max(Math.floor(centre - support * stretch + 0.5), 0);
    const end = Math.min(Math.floor(centre + support * stretch + 0.5), from);
    const raw = Array.from({ length: end - start }, (_, k) => weight((start + k + 0.5 - centre) / stretch));
    const total = raw.reduce((sum, value) => sum + value, 0);
    return { start, weights: raw.map((value) => value / total) };
  });
}

function alongRows(data: Float32Array, rows: number, taps: readonly Taps[]): Float32Array {
  const [from, to] = [data.length / rows, taps.length];
  const out = new Float32Array(rows * to);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < to; i++) {
      const { start, weights } = taps[i]!;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * data[row * from + start + k]!;
      out[row * to + i] = sum;
    }
  }
  return out;
}
