import { float32, sizeOf, type Shape, type Tensor } from './tensor.ts';

/**
 * Seeded normal noise, equal to what `torch.randn` gives for the same seed.
 *
 * - `philox`: torch on CUDA. What AUTOMATIC1111 and InvokeAI users know as "GPU noise"; Encore's own default.
 * - `torch-cpu`: torch on the CPU, what diffusers examples use (`torch.Generator("cpu")`).
 *
 * A source is stateful: successive calls give successive draws, as with one torch.Generator.
 */
export interface NoiseSource {
  /** Standard normals, row-major. */
  normal(shape: Shape): Tensor<'float32'>;
}

export type NoiseKind = 'philox' | 'torch-cpu';

/** `seed` is an integer of 0 to 2^53 - 1; requests use 32 bits. */
export function noiseSource(kind: NoiseKind, seed: number): NoiseSource {
  return kind === 'philox' ? new PhiloxNoise(seed) : new TorchCpuNoise(seed);
}

const twoPow32 = 2 ** 32;

/**
 * torch.randn(..., device="cuda"): Philox 4x32-10, key = seed, counter = (draw, 0, element, 0). Element i belongs to
 * thread i, which transforms its first two words into one normal and drops the other two: curand_normal4 with torch's
 * launch (aten/src/ATen/native/cuda/DistributionTemplates.h). Matched for tensors of up to
 * `multiprocessors * resident threads` elements (221,184 on an A100); beyond that torch starts to reuse threads and its
 * numbers depend on the card, ours do not. logf and sincosf of CUDA differ from ours by units in the last place.
 */
class PhiloxNoise implements NoiseSource {
  private draw = 0;
  private readonly keyLow: number;
  private readonly keyHigh: number;

  constructor(seed: number) {
    this.keyLow = seed >>> 0;
    this.keyHigh = Math.floor(seed / twoPow32) >>> 0;
  }

  normal(shape: Shape): Tensor<'float32'> {
    const out = new Float32Array(sizeOf(shape));
    const words = new Uint32Array(4);
    for (let i = 0; i < out.length; i++) {
      words[0] = this.draw;
      words[1] = 0;
      words[2] = i;
      words[3] = 0;
      philox4x32(words, this.keyLow, this.keyHigh);
      // curand's _curand_box_muller: both uniforms lie in (0, 1], centred in their 2^-32 cells.
      const u = Math.fround(Math.fround(words[0]) * 2 ** -32 + 2 ** -33);
      const angle = Math.fround(Math.fround(words[1]) * curand2Pow32Inverse2Pi + curand2Pow32Inverse2Pi / 2);
      out[i] = Math.sqrt(-2 * Math.log(u)) * Math.sin(angle);
    }
    this.draw++;
    return float32(shape, out);
  }
}

/** CURAND_2POW32_INV_2PI, a float32 constant. */
const curand2Pow32Inverse2Pi = Math.fround(2 ** -32 * 6.2831855);

/** Ten rounds of Philox 4x32 (Salmon et al., SC 2011) in place. */
export function philox4x32(counter: Uint32Array, keyLow: number, keyHigh: number): void {
  let [a, b, c, d] = [counter[0]!, counter[1]!, counter[2]!, counter[3]!];
  let low = keyLow;
  let high = keyHigh;
  for (let round = 0; round < 10; round++) {
    const highA = multiplyHigh(a, 0xd2511f53);
    const lowA = Math.imul(a, 0xd2511f53) >>> 0;
    const highC = multiplyHigh(c, 0xcd9e8d57);
    const lowC = Math.imul(c, 0xcd9e8d57) >>> 0;
    [a, b, c, d] = [(highC ^ b ^ low) >>> 0, lowC, (highA ^ d ^ high) >>> 0, lowA];
    low = (low + 0x9e3779b9) >>> 0;
    high = (high + 0xbb67ae85) >>> 0;
  }
  counter[0] = a;
  counter[1] = b;
  counter[2] = c;
  counter[3] = d;
}

/** Upper 32 bits of an unsigned 32 x 32 product; every partial product stays below 2^53. */
function multiplyHigh(x: number, y: number): number {
  const low = (x & 0xffff) * y;
  const high = (x >>> 16) * y;
  return Math.floor((high + Math.floor(low / 0x1_0000)) / 0x1_0000) >>> 0;
}

/**
 * torch.randn(..., device="cpu"): mt19937. From 16 elements on, uniforms of 24 bits are paired at distance 8 within
 * blocks of 16, and a tail that is no full block redraws the last 16; below 16, doubles of 53 bits are paired one after
 * the other, and the second of a pair waits for the next call (aten/src/ATen/native/cpu/DistributionTemplates.h,
 * ATen/core/DistributionsHelper.h). Large tensors agree to 2e-6: torch's vectorised log, sine and cosine are approximations.
 */
class TorchCpuNoise implements NoiseSource {
  private readonly engine: MersenneTwister;
  private waiting: number | undefined;

  constructor(seed: number) {
    this.engine = new MersenneTwister(seed);
  }

  normal(shape: Shape): Tensor<'float32'> {
    const out = new Float32Array(sizeOf(shape));
    if (out.length < 16) {
      for (let i = 0; i < out.length; i++) out[i] = this.scalar();
      return float32(shape, out);
    }
    for (let i = 0; i < out.length; i++) out[i] = this.uniform24();
    for (let start = 0; start + 16 <= out.length; start += 16) boxMuller16(out, start);
    if (out.length % 16 !== 0) {
      const start = out.length - 16;
      for (let i = start; i < out.length; i++) out[i] = this.uniform24();
      boxMuller16(out, start);
    }
    return float32(shape, out);
  }

  private scalar(): number {
    if (this.waiting !== undefined) {
      const value = this.waiting;
      this.waiting = undefined;
      return value;
    }
    const angle = 2 * Math.PI * this.uniform53();
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform53()));
    this.waiting = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  private uniform24(): number {
    return (this.engine.next() & 0xff_ffff) * 2 ** -24;
  }

  private uniform53(): number {
    const high = this.engine.next() & 0x1f_ffff;
    return (high * twoPow32 + this.engine.next()) * 2 ** -53;
  }
}

/** Turns 16 uniforms into 16 normals: element j with element j + 8. */
function boxMuller16(values: Float32Array, start: number): void {
  for (let j = start; j < start + 8; j++) {
    const radius = Math.sqrt(-2 * Math.log(1 - values[j]!));
    const angle = 2 * Math.PI * values[j + 8]!;
    values[j] = radius * Math.cos(angle);
    values[j + 8] = radius * Math.sin(angle);
  }
}

/** MT19937 (Matsumoto and Nishimura, 1998), seeded with the low 32 bits as torch.manual_seed does. */
class MersenneTwister {
  private readonly state = new Uint32Array(624);
  private index = 624;

  constructor(seed: number) {
    this.state[0] = seed >>> 0;
    for (let i = 1; i < 624; i++) {
      const previous = this.state[i - 1]!;
      this.state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
    }
  }

  /** 32 bits. */
  next(): number {
    if (this.index === 624) this.twist();
    let y = this.state[this.index++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  private twist(): void {
    const state = this.state;
    for (let i = 0; i < 624; i++) {
      const y = (state[i]! & 0x8000_0000) | (state[(i + 1) % 624]! & 0x7fff_ffff);
      state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.index = 0;
  }
}
