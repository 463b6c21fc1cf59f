/**
 * float16 and bfloat16, as raw bits in a Uint16Array, from and to float32. Narrowing rounds to nearest, ties to even,
 * as torch does; overflow becomes infinity, NaN stays NaN.
 */

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

let widened: Float32Array | undefined;

/** Every float16 value by its bits; built at first use, 256 KB. */
function float16Values(): Float32Array {
  if (widened === undefined) {
    widened = new Float32Array(0x1_0000);
    for (let bits = 0; bits < 0x1_0000; bits++) {
      const sign = bits & 0x8000 ? -1 : 1;
      const exponent = (bits >> 10) & 0x1f;
      const mantissa = bits & 0x3ff;
      if (exponent === 0x1f) widened[bits] = mantissa === 0 ? sign * Infinity : NaN;
      else if (exponent === 0) widened[bits] = sign * mantissa * 2 ** -24;
      else widened[bits] = sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
    }
  }
  return widened;
}

export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const values = float16Values();
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = values[bits[i]!]!;
  return out;
}

export function float32ToFloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    f32[0] = values[i]!;
    const bits = u32[0]!;
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fff_ffff;
    if (magnitude > 0x7f80_0000) out[i] = sign | 0x7e00;
    else if (magnitude >= 0x4780_0000) out[i] = sign | 0x7c00;
    else if (magnitude >= 0x3880_0000) {
      // Normal: rebias the exponent by 15 - 127, drop 13 bits. The rounding carry may run into the exponent: intended.
      out[i] = sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >> 13) & 1)) >> 13);
    } else {
      // Subnormal: multiples of 2^-24. Adding 0.5 (whose unit in the last place is 2^-24) rounds ties to even.
      u32[0] = magnitude;
      f32[0] = f32[0] + 0.5;
      out[i] = sign | (u32[0] - 0x3f00_0000);
    }
  }
  return out;
}

export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return new Float32Array(out.buffer);
}

export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    const isNaN = (word & 0x7fff_ffff) > 0x7f80_0000;
    out[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return out;
}
