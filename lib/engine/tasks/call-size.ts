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

/** Frames of one call beside a video's first. `frameMacs` of a whole batch's frame, of the larger half. */
export function framesPerCall(frames: number, frameMacs: number, device: DeviceName): number {
  return Math.min(Math.max(Math.floor(limitOf(device) / frameMacs), 1), Math.max(frames - 1, 1));
}

/** `stepMacs`: one decoded step of a whole batch. */
export function decodeWidth(wanted: number | 'auto', stepMacs: number, device: DeviceName): DecodeWidth {
  if (wanted !== 'auto') return { steps: wanted, rest: 'together' };
  const most = Math.floor(limitOf(device) / stepMacs);
  return { steps: Math.min(Math.max(most, 1), widest), rest: 'singly' };
}

function limitOf(device: DeviceName): number {
  return device === 'cpu' ? macsPerCall.cpu : macsPerCall.gpu;
}
