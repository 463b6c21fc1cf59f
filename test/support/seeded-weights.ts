import { crc32 } from 'node:zlib';
import { sizeOf, type Shape } from '../../lib/engine/tensor/tensor.ts';

// The generator of training/golden/weights.py: networks that references were made with and that nobody has to store.

const mask = (1n << 64n) - 1n;

/** `count` numbers uniform in -sqrt(3) .. sqrt(3); a stream of its own for every name and seed. */
export function uniform(name: string, count: number, seed: number): Float64Array {
  const start = BigInt(crc32(name)) + (BigInt(seed) << 32n);
  return Float64Array.from({ length: count }, (_, i) => {
    let z = (start + BigInt(i + 1) * 0x9e3779b97f4a7c15n) & mask;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    const bits = Number((z ^ (z >> 31n)) >> 40n);
    return (((bits + 0.5) / 2 ** 24) * 2 - 1) * Math.sqrt(3);
  });
}

const residual = [
  'conv2.weight',
  'to_out.0.weight',
  'ff.net.2.weight',
  'proj_out.weight',
  'out_proj.weight',
  'fc2.weight',
];

/** What `fill` of weights.py gives a parameter. */
export function seededWeight(name: string, shape: Shape, seed: number): Float32Array {
  const values = Float32Array.from(uniform(name, sizeOf(shape), seed));
  if (shape.length === 1) return values.map((v) => (name.endsWith('weight') ? 1 + 0.2 * v : 0.02 * v));
  if (name.includes('embedding.weight')) return values.map((v) => 0.5 * v);
  const damped = residual.some((end) => name.endsWith(end)) ? 0.5 : 1;
  const gain = name.endsWith('proj_in.weight') ? 0.3 : damped;
  return values.map((v) => (gain * v) / Math.sqrt(sizeOf(shape.slice(1))));
}
