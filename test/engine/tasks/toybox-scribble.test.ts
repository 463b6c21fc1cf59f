import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openControlSource } from '../../../lib/engine/checkpoint/control-source.ts';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { parseControlNetConfig } from '../../../lib/engine/networks/controlnet/config.ts';
import { ControlNet } from '../../../lib/engine/networks/controlnet/controlnet.ts';
import { Engine } from '../../../lib/engine/tasks/engine.ts';
import { pixelsOf } from '../../../lib/engine/tasks/original.ts';
import type { GenerateInput, Picture } from '../../../lib/engine/tasks/task.ts';
import { mapped } from '../../../lib/engine/tensor/arithmetic.ts';
import type { Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { preprocess } from '../../../lib/media/preprocess.ts';
import { controlPicture } from '../../support/control.ts';
import { expectForward } from '../../support/parity.ts';
import { testRuntime } from '../support/graphs.ts';

// The bundled ControlNet beside the bundled model: what is drawn appears where it is drawn.

const side = 128;
let engine: Engine;
beforeAll(() => {
  engine = new Engine({ device: 'cpu' });
});
afterAll(() => engine.dispose());

interface Drawing {
  prompt: string;
  x: number;
  y: number;
  radius: number;
}

/** Round things, drawn as a circle well off the middle, which is where the model puts them by itself. */
const drawings: Drawing[] = [
  { prompt: 'a pumpkin in the snow', x: 42, y: 82, radius: 32 },
  { prompt: 'an apple on a beach', x: 88, y: 84, radius: 32 },
  { prompt: 'a donut in a meadow', x: 88, y: 46, radius: 30 },
  { prompt: 'a balloon in the snow', x: 42, y: 44, radius: 32 },
];

async function circle({ x, y, radius }: Drawing): Promise<Picture> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"><rect width="100%" height="100%" fill="#000"/><circle cx="${x}" cy="${y}" r="${radius}" fill="none" stroke="#fff" stroke-width="3"/></svg>`;
  const data = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer();
  return { width: side, height: side, data: new Uint8Array(data) };
}

/**
 * F1 of drawing and edges within the drawing's frame: harmonic mean of the part of the circle that has an edge within two
 * pixels, and of the part of all edges that lie within two pixels of the circle.
 */
async function agreement(picture: Picture, { x, y, radius }: Drawing): Promise<number> {
  // The texture of what is drawn has edges as well; a blur leaves those of things.
  const soft = await sharp(picture.data, { raw: { width: side, height: side, channels: 3 } })
    .blur(1.5)
    .raw()
    .toBuffer();
  const { data } = await preprocess({ ...picture, data: new Uint8Array(soft) }, 'canny');
  const edges: { angle: number; away: number }[] = [];
  for (let py = y - radius - 4; py <= y + radius + 4; py++) {
    for (let px = x - radius - 4; px <= x + radius + 4; px++) {
      if (data[3 * (py * side + px)] !== 255) continue;
      const [dx, dy] = [px - x, py - y];
      edges.push({ angle: Math.atan2(dy, dx), away: Math.abs(Math.hypot(dx, dy) - radius) });
    }
  }
  const near = edges.filter(({ away }) => away <= 2);
  const parts = 120;
  const hit = new Set(
    near.map(({ angle }) => Math.floor(((angle + Math.PI) / (2 * Math.PI)) * parts) % parts),
  );
  const [recall, precision] = [hit.size / parts, near.length / Math.max(edges.length, 1)];
  return (2 * recall * precision) / Math.max(recall + precision, 1e-9);
}

test('what it says to one step is what diffusers says', async () => {
  const { seed, timestep, scale, weights } = JSON.parse(
    await readFile('test/golden/toybox/control.json', 'utf8'),
  ) as { seed: number; timestep: number; scale: number; weights: string };
  const file = await readFile('models/toybox-scribble/diffusion_pytorch_model.safetensors');
  expect(
    createHash('sha256').update(file).digest('hex'),
    'models/toybox-scribble changed since the reference was made: run `python training/golden/toybox.py`',
  ).toBe(weights);
  const read = (name: string) =>
    readSafetensors(`test/golden/toybox/${name}.safetensors`) as Promise<Map<string, Tensor<'float32'>>>;
  const [run, reference] = [await read('trace'), await read('control')];
  const source = await openControlSource('models/toybox-scribble');
  const runtime = await testRuntime();
  const net = new ControlNet(parseControlNetConfig(source.config), source.weights, (graph) =>
    runtime.open(graph),
  );
  const pixels = pixelsOf(controlPicture(seed, side, side));
  const prepared = await net.prepare(
    { encoderHiddenStates: run.get('prompt_embeds')! },
    mapped(pixels, (value) => (value + 1) / 2),
    1,
  );
  const { midBlockResSample } = await net.residuals(run.get('latents')!, timestep, prepared, scale);
  expectForward(midBlockResSample, reference.get('mid_block_res_sample')!, 'mid');
  await net.dispose();
});

test('edges of the picture follow the drawing, and do not without it', async () => {
  const scores: { guided: number; plain: number }[] = [];
  for (const [i, drawing] of drawings.entries()) {
    const request: GenerateInput = {
      task: 'text-to-image',
      model: 'models/toybox',
      prompt: drawing.prompt,
      negativePrompt: '',
      ...{ width: side, height: side, steps: 20, guidanceScale: 3, seed: 100 + i, count: 1 },
      ...{ plan: 'faster', injection: 0, decodeWidth: 'auto' },
    };
    const control = [
      { model: 'models/toybox-scribble', image: await circle(drawing), scale: 1, start: 0, end: 1 },
    ];
    const plain = await engine.generate(request);
    const guided = await engine.generate({ ...request, task: 'reference', control });
    expect(guided.receipt).toMatchObject({ controlRuns: 7, controlRunsSaved: 13 });
    scores.push({
      guided: await agreement(guided.pictures[0]!, drawing),
      plain: await agreement(plain.pictures[0]!, drawing),
    });
  }
  const mean = (of: (score: (typeof scores)[number]) => number) =>
    scores.reduce((sum, score) => sum + of(score), 0) / scores.length;
  const shown = scores.map(({ guided, plain }) => `${guided.toFixed(2)} / ${plain.toFixed(2)}`).join(', ');
  // Four times as much when the weights were made: 0.55 and 0.13.
  expect(mean(({ guided }) => guided) / mean(({ plain }) => plain), shown).toBeGreaterThan(2);
  for (const { guided, plain } of scores) expect(guided, shown).toBeGreaterThan(plain);
});
