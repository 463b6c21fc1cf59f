import { fileURLToPath } from 'node:url';
import { openSafetensors } from '../lib/engine/checkpoint/safetensors.ts';
import { weightsOf } from '../lib/engine/checkpoint/weight-map.ts';
import { conv2d, linear } from '../lib/engine/networks/layers.ts';
import { GraphBuilder } from '../lib/engine/onnx/builder.ts';
import { compile } from '../lib/engine/onnx/passes/compile.ts';
import type { Runtime } from '../lib/engine/runtime/session.ts';
import type { Picture } from '../lib/engine/tasks/task.ts';
import { tensor } from '../lib/engine/tensor/tensor.ts';

const file = fileURLToPath(new URL('../training/toybox/judge.safetensors', import.meta.url));
const side = 128;

/** Which thing, place and light: indices into prompts.json's things, places followed by colours, and lights. */
export interface Seen {
  thing: number;
  place: number;
  light: number;
}

export interface Judge {
  /** Throws where the picture is not 128 x 128. */
  look(picture: Picture): Promise<Seen>;
}

/** The classifier of training/toybox/judge.py, run by the engine's own runtime. */
export async function openJudge(runtime: Runtime, things: number, places: number): Promise<Judge> {
  const weights = weightsOf(file, [await openSafetensors(file)]);
  const g = GraphBuilder.create('judge', { weights });
  let h = g.input('picture', 'float32', [1, 3, side / 2, side / 2]);
  for (let i = 0; i < 4; i++) {
    h = g.activation(conv2d(g.at('conv', i), h, { stride: 2, padding: 1 }), 'relu');
  }
  const features = g.activation(linear(g.at('features'), g.reshape(h, [1, -1])), 'relu');
  g.output('logits', linear(g.at('heads'), features));
  const session = await runtime.open(compile(g.finish()));
  return {
    async look(picture) {
      const { logits } = await session.run({
        picture: tensor('float32', [1, 3, side / 2, side / 2], halved(picture)),
      });
      const scores = logits!.data as Float32Array;
      const [, place = 0, light = 0] = [0, things, things + places];
      return {
        thing: largest(scores.subarray(0, place)),
        place: largest(scores.subarray(place, light)),
        light: largest(scores.subarray(light)),
      };
    },
  };
}

/** Means of 2 x 2 pixels, planes of red, green and blue, -1 to 1. */
function halved({ width, height, data }: Picture): Float32Array {
  if (width !== side || height !== side)
    throw new Error(`a picture of ${width} x ${height}; the judge sees ${side}`);
  const out = new Float32Array((3 * side * side) / 4);
  const half = side / 2;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let c = 0; c < 3; c++) {
        out[(c * half + (y >> 1)) * half + (x >> 1)]! += data[(y * side + x) * 3 + c]! / 510;
      }
    }
  }
  return out.map((sum) => sum - 1);
}

function largest(scores: Float32Array): number {
  return scores.reduce((best, score, i) => (score > scores[best]! ? i : best), 0);
}
