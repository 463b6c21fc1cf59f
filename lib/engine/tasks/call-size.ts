import type { Cost } from '../propagation/denoiser.ts';
import type { DeviceName } from '../runtime/session.ts';
import type { DecodeWidth } from '../propagation/plan.ts';

/**
 * Multiply-accumulates of one call. A call cannot be interrupted, so on a CPU it should end within a second or so; a GPU
 * is half idle with less.
 */
const macsPerCall = { cpu: 20e9, gpu: 5e12 } as const;

/**
 * Wider calls gain little: with the bundled model on two cores a decoded step takes 6.6 ms alone, 5.1 ms among five and
 * 4.8 ms among fifteen; and five divides every long span of the paper's plan.
 */
const widest = 5;

/** Pictures of one batch: equal batches, so that all of them run the same graphs. `rowMacs` of the larger half. */
export function batchSize(count: number, rowMacs: number, device: DeviceName): number {
  const most = Math.max(1, Math.floor(limitOf(device) / rowMacs));
  let size = Math.min(count, most);
  while (count % size !== 0) size--;
  return size;
}

export interface ClipSize {
  /** Frames of one call beside the first. */
  readonly perCall: number;
  /** Features are kept as they are made: more work, less memory. */
  readonly plain: boolean;
  /** Most steps of one call that there is memory for. */
  readonly steps: number;
  /** Estimate of what the video needs at once. */
  readonly bytes: number;
}

/**
 * How a video fits into `budget` bytes: all of its frames' features are kept over a span, and what is left is for calls of
 * as many frames, and then as many steps, as that and the device's patience allow. `rows` of one frame.
 */
export function clipSize(
  frames: number,
  rows: number,
  { encoder, decoder, bytes }: Cost,
  device: DeviceName,
  budget = Infinity,
): ClipSize {
  const call = rows * bytes.call;
  const kept = (perRow: number) => frames * rows * perRow;
  const plain = kept(bytes.features) + call > budget;
  const held = kept(plain ? bytes.plainFeatures : bytes.features);
  const room = Math.max(Math.floor((budget - held) / call), 1);
  const patience = Math.max(Math.floor(limitOf(device) / (rows * Math.max(encoder, decoder))), 1);
  const perCall = Math.min(room, patience, Math.max(frames - 1, 1));
  const steps = Math.max(Math.floor(room / perCall), 1);
  return { perCall, plain, steps, bytes: held + perCall * Math.min(steps, widest) * call };
}

/** `stepMacs`: one decoded step of a whole batch; `most` steps that there is memory for. */
export function decodeWidth(
  wanted: number | 'auto',
  stepMacs: number,
  device: DeviceName,
  most = widest,
): DecodeWidth {
  if (wanted !== 'auto') return { steps: wanted, rest: 'together' };
  const patience = Math.floor(limitOf(device) / stepMacs);
  return { steps: Math.min(Math.max(patience, 1), widest, most), rest: 'singly' };
}

function limitOf(device: DeviceName): number {
  return device === 'cpu' ? macsPerCall.cpu : macsPerCall.gpu;
}
