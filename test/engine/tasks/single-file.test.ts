import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openModel } from '../../../lib/engine/checkpoint/model-source.ts';
import { readWeight, writeSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { Engine } from '../../../lib/engine/tasks/engine.ts';
import { inspectModel } from '../../../lib/engine/tasks/inspect-model.ts';
import type { GenerateInput } from '../../../lib/engine/tasks/task.ts';
import { noiseSource } from '../../../lib/engine/tensor/random.ts';
import { float32, sizeOf, type Shape, type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import names from '../../golden/single-file/names.json' with { type: 'json' };

/**
 * A checkpoint in one file says nothing about heads, groups and vocabulary: they are those of every SD 1.x. tiny-sd's own
 * are smaller, so this is a wider sibling with as many tensors, and CLIP's 49,408 tokens.
 */
const vocabulary = 49_408;
const components = ['unet', 'vae', 'text_encoder'] as const;
type Component = (typeof components)[number];

let scratch: string;
let file: string;
let folder: string;
let engine: Engine;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'encore-single-'));
  file = join(scratch, 'wide.safetensors');
  folder = join(scratch, 'wide');
  engine = new Engine({ device: 'cpu' });
  const tensors = await wideTensors();
  const original: Record<string, Tensor> = {};
  for (const [old, now] of Object.entries(names['tiny-sd'])) original[old] = tensors.get(now)!.value;
  await writeSafetensors(file, original);

  // The same weights as a diffusers folder, with a tokenizer of its own.
  const found = await openModel(file);
  for (const component of components) {
    await mkdir(join(folder, component), { recursive: true });
    await writeFile(join(folder, component, 'config.json'), JSON.stringify(await found.config(component)));
    const own = [...tensors].filter(([, entry]) => entry.component === component);
    const weights = Object.fromEntries(own.map(([name, { value }]) => [name, value]));
    const name = component === 'text_encoder' ? 'model' : 'diffusion_pytorch_model';
    await writeSafetensors(join(folder, component, `${name}.safetensors`), weights);
  }
  await mkdir(join(folder, 'scheduler'));
  await writeFile(
    join(folder, 'scheduler/scheduler_config.json'),
    JSON.stringify(await found.config('scheduler')),
  );
  await cp('models/tokenizers/clip', join(folder, 'tokenizer'), { recursive: true });
  await cp('test/golden/tiny-sd/model_index.json', join(folder, 'model_index.json'));
});
afterAll(async () => {
  await engine.dispose();
  await rm(scratch, { recursive: true });
});

/** tiny-sd's tensors by their names in diffusers, wider and with small random values. */
async function wideTensors(): Promise<Map<string, { component: Component; value: Tensor }>> {
  const noise = noiseSource('philox', 1);
  const tiny = await openModel('test/golden/tiny-sd');
  const tensors = new Map<string, { component: Component; value: Tensor }>();
  for (const component of components) {
    const { weights } = await tiny.network(component);
    for (const name of weights.names()) {
      const { shape } = await readWeight(weights.get(name));
      const full =
        component === 'text_encoder' && !name.startsWith('text_model.') ? `text_model.${name}` : name;
      const wide = wider(component, full, shape);
      const fan = sizeOf(wide.slice(1));
      const norm = wide.length === 1 && name.endsWith('weight');
      const { data } = noise.normal(wide);
      const value = float32(
        wide,
        data.map((x) => (norm ? 1 + 0.1 * x : (0.5 * x) / Math.sqrt(Math.max(fan, 16)))),
      );
      tensors.set(full, { component, value });
    }
  }
  return tensors;
}

function wider(component: Component, name: string, shape: Shape): Shape {
  const factor = component === 'vae' ? 4 : 2;
  if (name.endsWith('token_embedding.weight')) return [vocabulary, factor * shape[1]!];
  if (name.endsWith('position_embedding.weight')) return [shape[0]!, factor * shape[1]!];
  // Latents and pixels keep their channels.
  if (/(^|\.)(post_)?quant_conv\./.test(name)) return shape;
  const ends = { in: /^(encoder\.|decoder\.)?conv_in\.weight/, out: /^(encoder\.|decoder\.)?conv_out\./ };
  return shape.map((n, axis) => {
    const fixed = axis > 1 || (axis === 1 && ends.in.test(name)) || (axis === 0 && ends.out.test(name));
    return fixed ? n : factor * n;
  });
}

const request: GenerateInput = {
  task: 'text-to-image',
  model: '',
  prompt: 'a fox in a meadow, (snow:1.2)',
  negativePrompt: 'blurry',
  width: 64,
  height: 64,
  steps: 12,
  guidanceScale: 5,
  seed: 7,
  count: 1,
  plan: 'faster',
  injection: 0,
  decodeWidth: 'auto',
};

test('one file draws the picture of the same weights in a folder, and asks for nothing else', async () => {
  const alone = await engine.generate({ ...request, model: file });
  const whole = await engine.generate({ ...request, model: folder });
  expect(alone.pictures).toEqual(whole.pictures);
  expect(alone.receipt).toMatchObject({ model: 'wide.safetensors', promptTokens: 7, encoderRuns: 6 });
  const other = await engine.generate({ ...request, model: file, prompt: 'a castle' });
  expect(other.pictures).not.toEqual(alone.pictures);
});

test('its defaults are those of its kind', async () => {
  expect(await inspectModel(file)).toMatchObject({ width: 256, height: 256, scheduler: 'ddim' });
});

test('the command line draws it', async () => {
  process.env.ENCORE_HOME = join(scratch, 'home');
  const { main } = await import('../../../lib/cli/main.ts');
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const size = ['--width', '64', '--height', '64', '--steps', '2', '--device', 'cpu'];
  const out = join(scratch, 'fox.png');
  const code = await main(['generate', '--model', file, '--prompt', 'a fox', '--out', out, ...size]);
  const written = write.mock.calls.map(([text]) => String(text)).join('');
  write.mockRestore();
  expect({ code, written }).toEqual({ code: 0, written: `${out}\n` });
});
