import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { generationParamsSchema } from '../../lib/contracts/generation.ts';
import { pictureInfoSchema } from '../../lib/contracts/studio.ts';
import { exportPicture } from '../../lib/media/export.ts';
import { encodePng } from '../../lib/media/png.ts';
import { readChunks, type PngChunk, readTexts, textChunk, writeChunks } from '../../lib/media/png-chunks.ts';
import { readPicture } from '../../lib/media/read-picture.ts';
import { schedulerOfSampler } from '../../lib/media/sampler-names.ts';
import { aReceipt, aRequest } from '../support/fixtures.ts';

const params = generationParamsSchema.parse({
  ...aRequest({
    prompt: 'a fox <in> a "meadow" & 狐',
    negativePrompt: 'blurry',
    plan: { keySteps: [0, 3, 7] },
  }),
  model: 'toybox',
  width: 128,
  height: 64,
  steps: 50,
  guidanceScale: 3,
  seed: 4_294_967_295,
  scheduler: 'ddim',
  injection: 0.003,
});
const picture = { width: 16, height: 16, data: new Uint8Array(16 * 16 * 3).fill(90) };
const ours = () => encodePng(picture, { params, receipt: aReceipt(), seed: params.seed, version: '1.0.0' });

/** A PNG file with these texts, as another program would write it. */
async function pngWith(texts: Record<string, string>, more: PngChunk[] = []): Promise<Buffer> {
  const plain = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const [header, ...rest] = readChunks(plain);
  return writeChunks([header!, ...Object.entries(texts).map(([k, v]) => textChunk(k, v)), ...more, ...rest]);
}

test('our own files: everything comes back, from every format', async () => {
  const expected = Object.fromEntries(
    Object.entries(params).filter(([key]) => key !== 'task' && key !== 'count'),
  );
  for (const format of ['png', 'jpeg', 'webp', 'avif'] as const) {
    const file = await exportPicture(await ours(), format, true);
    expect(await sharp(file).metadata()).toMatchObject({
      format: format === 'avif' ? 'heif' : format,
      width: 16,
    });
    const info = pictureInfoSchema.parse(await readPicture(file));
    expect(info).toMatchObject({ source: 'encore', modelName: 'toybox', params: expected });
  }
});

test('stripped files say that a model made them, and nothing else', async () => {
  for (const format of ['png', 'jpeg', 'webp', 'avif'] as const) {
    const file = await exportPicture(await ours(), format, false);
    expect(file.includes('meadow')).toBe(false);
    expect(file.includes('trainedAlgorithmicMedia')).toBe(true);
    expect(await readPicture(file)).toMatchObject({ source: null, params: {} });
  }
});

test('other programs of the field read the infotext of our JPEG and WebP', async () => {
  for (const format of ['jpeg', 'webp'] as const) {
    const { exif } = await sharp(await exportPicture(await ours(), format, true)).metadata();
    expect(exif?.toString('latin1')).toContain('Steps: 50, Sampler: DDIM, CFG scale: 3, Seed: 4294967295');
  }
});

test('A1111 and Forge', async () => {
  const file = await pngWith({
    parameters:
      'a castle\nNegative prompt: ugly\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 42, Size: 512x768, Model hash: c6bbc15e32, Model: sd-v1-5, Version: v1.10.1',
  });
  expect(await readPicture(file)).toEqual({
    source: 'a1111',
    params: {
      prompt: 'a castle',
      negativePrompt: 'ugly',
      steps: 20,
      guidanceScale: 6.5,
      seed: 42,
      width: 512,
      height: 768,
      scheduler: 'dpmpp-2m-karras',
      model: 'sd-v1-5',
    },
    modelName: 'sd-v1-5',
    samplerName: 'DPM++ 2M',
    raw: { parameters: expect.any(String) as string },
  });
});

test('A1111 in a JPEG, whose comment is UTF-16', async () => {
  const comment = Buffer.from(
    'a fox 狐\nSteps: 5, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x64',
    'utf16le',
  ).swap16();
  const body = Buffer.concat([Buffer.from('UNICODE\0'), comment]);
  const entry = (tag: number, type: number, count: number, value: number) => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16BE(tag, 0);
    bytes.writeUInt16BE(type, 2);
    bytes.writeUInt32BE(count, 4);
    bytes.writeUInt32BE(value, 8);
    return Buffer.concat([Buffer.from([0, 1]), bytes, Buffer.alloc(4)]);
  };
  const tiff = Buffer.concat([
    Buffer.from('MM\0\x2a\0\0\0\x08', 'latin1'),
    entry(0x8769, 4, 1, 26),
    entry(0x9286, 7, body.length, 44),
    body,
  ]);
  const app1 = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(app1.length + 2);
  const plain = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  const file = Buffer.concat([
    plain.subarray(0, 2),
    Buffer.from([0xff, 0xe1]),
    length,
    app1,
    plain.subarray(2),
  ]);
  expect(await readPicture(file)).toMatchObject({
    source: 'a1111',
    params: { prompt: 'a fox 狐', seed: 1, scheduler: 'euler-a' },
  });
});

test('Fooocus, both of its schemes', async () => {
  const json = {
    prompt: 'a robot',
    negative_prompt: '',
    steps: 30,
    resolution: '(1152, 896)',
    guidance_scale: 4.0,
    base_model: 'juggernautXL_v8Rundiffusion',
    sampler: 'dpmpp_2m_sde_gpu',
    scheduler: 'karras',
    seed: '1234',
    version: 'Fooocus v2.5.5',
  };
  const modern = await readPicture(
    await pngWith({ parameters: JSON.stringify(json), fooocus_scheme: 'fooocus' }),
  );
  expect(modern).toMatchObject({
    source: 'fooocus',
    modelName: 'juggernautXL_v8Rundiffusion',
    params: {
      prompt: 'a robot',
      steps: 30,
      width: 1152,
      height: 896,
      seed: 1234,
      scheduler: 'dpmpp-2m-sde-karras',
    },
  });
  const old = {
    parameters: 'a robot\nSteps: 30, Sampler: Euler a, Seed: 5, Size: 64x64',
    fooocus_scheme: 'a1111',
  };
  expect(await readPicture(await pngWith(old))).toMatchObject({ source: 'fooocus', params: { seed: 5 } });
});

test('SwarmUI', async () => {
  const json = {
    sui_image_params: {
      prompt: 'an owl',
      negativeprompt: 'day',
      model: 'OfficialStableDiffusion/sd_xl_base_1.0',
      seed: 99,
      steps: 20,
      cfgscale: 7.0,
      width: 1024,
      height: 1024,
      sampler: 'euler_ancestral',
      swarm_version: '0.9.4',
    },
    sui_extra_data: { date: '2026-01-01' },
  };
  expect(await readPicture(await pngWith({ parameters: JSON.stringify(json, null, 2) }))).toMatchObject({
    source: 'swarmui',
    params: {
      prompt: 'an owl',
      negativePrompt: 'day',
      seed: 99,
      guidanceScale: 7,
      width: 1024,
      scheduler: 'euler-a',
    },
  });
});

const comfy = {
  '3': {
    class_type: 'KSampler',
    inputs: {
      seed: ['20', 0],
      steps: 25,
      cfg: 8,
      sampler_name: 'dpmpp_2m',
      scheduler: 'karras',
      denoise: 1,
      model: ['10', 0],
      positive: ['12', 0],
      negative: ['7', 0],
      latent_image: ['5', 0],
    },
  },
  '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'v1-5.safetensors' } },
  '5': { class_type: 'EmptyLatentImage', inputs: { width: 512, height: 640, batch_size: 1 } },
  '6': { class_type: 'CLIPTextEncode', inputs: { text: ['21', 0], clip: ['10', 1] } },
  '7': { class_type: 'CLIPTextEncode', inputs: { text: 'watermark', clip: ['4', 1] } },
  '10': { class_type: 'LoraLoader', inputs: { lora_name: 'x', model: ['4', 0], clip: ['4', 1] } },
  '12': { class_type: 'ControlNetApply', inputs: { conditioning: ['6', 0], strength: 1 } },
  '20': { class_type: 'PrimitiveInt', inputs: { value: 77 } },
  '21': { class_type: 'PrimitiveString', inputs: { value: 'a snowman' } },
};

test('ComfyUI: follows the links of its graph, in PNG and WebP', async () => {
  const expected = {
    source: 'comfyui',
    modelName: 'v1-5.safetensors',
    params: {
      prompt: 'a snowman',
      negativePrompt: 'watermark',
      seed: 77,
      steps: 25,
      guidanceScale: 8,
      width: 512,
      height: 640,
      scheduler: 'dpmpp-2m-karras',
    },
  };
  const prompt = JSON.stringify(comfy);
  expect(await readPicture(await pngWith({ prompt, workflow: '{}' }))).toMatchObject(expected);
  const webp = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .withExif({ IFD0: { Make: 'workflow:{}', Model: `prompt:${prompt}` } })
    .webp()
    .toBuffer();
  expect(await readPicture(webp)).toMatchObject(expected);
});

test('ComfyUI: a graph that goes in circles ends', async () => {
  const circle = {
    ...comfy,
    '12': { class_type: 'Loop', inputs: { conditioning: ['12', 0], other: ['3', 0] } },
  };
  const { params } = await readPicture(await pngWith({ prompt: JSON.stringify(circle) }));
  expect(params.steps).toBe(25);
});

test('InvokeAI and NovelAI', async () => {
  const invoke = {
    positive_prompt: 'a panda',
    negative_prompt: null,
    width: 512,
    height: 512,
    seed: 7,
    steps: 30,
    cfg_scale: 7.5,
    scheduler: 'dpmpp_2m_k',
    model: { name: 'stable-diffusion-v1-5', base: 'sd-1' },
  };
  expect(await readPicture(await pngWith({ invokeai_metadata: JSON.stringify(invoke) }))).toMatchObject({
    source: 'invokeai',
    modelName: 'stable-diffusion-v1-5',
    params: { prompt: 'a panda', seed: 7, scheduler: 'dpmpp-2m-karras' },
  });
  const novel = {
    prompt: 'a cat',
    uc: 'dog',
    steps: 28,
    scale: 5,
    seed: 3,
    width: 832,
    height: 1216,
    sampler: 'k_euler',
  };
  expect(
    await readPicture(await pngWith({ Software: 'NovelAI', Comment: JSON.stringify(novel) })),
  ).toMatchObject({
    source: 'novelai',
    params: { prompt: 'a cat', negativePrompt: 'dog', scheduler: 'euler' },
  });
});

test('a value that is out of range here is left out, the others are kept', async () => {
  const text = 'a fox\nSteps: 99999, Sampler: Heun, CFG scale: 7, Seed: 18446744073709551615, Size: 513x512';
  const { params, samplerName } = await readPicture(await pngWith({ parameters: text }));
  expect(params).toEqual({ prompt: 'a fox', negativePrompt: '', guidanceScale: 7, height: 512 });
  expect(samplerName).toBe('Heun');
});

test('a picture that says nothing, and what is no picture', async () => {
  expect(await readPicture(await pngWith({ Software: 'gimp' }))).toMatchObject({ source: null, params: {} });
  await expect(readPicture(Buffer.from('<svg'))).rejects.toMatchObject({ code: 'invalid_parameter' });
  await expect(readPicture(Buffer.from([0x89, 0x50]))).rejects.toMatchObject({ code: 'invalid_parameter' });
  await expect(readPicture(Buffer.alloc(0))).rejects.toMatchObject({ code: 'invalid_parameter' });
});

test('compressed texts are read, and a bomb among them is refused', async () => {
  const zipped = (text: Buffer, keyword = 'parameters') => ({
    type: 'zTXt',
    data: Buffer.concat([Buffer.from(`${keyword}\0\0`, 'latin1'), deflateSync(text)]),
  });
  const text = 'a fox\nSteps: 5, Seed: 1, CFG scale: 2';
  const file = await pngWith({}, [zipped(Buffer.from(text))]);
  expect(readTexts(readChunks(file)).get('parameters')).toBe(text);
  const bomb = await pngWith({}, [zipped(Buffer.alloc(64 * 1024 * 1024))]);
  await expect(readPicture(bomb)).rejects.toMatchObject({ code: 'invalid_parameter' });
  // Many small ones are one large one.
  const cluster = Array.from({ length: 6 }, (_, i) => zipped(Buffer.alloc(4 * 1024 * 1024), `text ${i}`));
  await expect(readPicture(await pngWith({}, cluster))).rejects.toMatchObject({ code: 'invalid_parameter' });
});

test('no text makes the reader fail, whatever a file claims', async () => {
  const keyword = fc.constantFrom('parameters', 'encore', 'prompt', 'invokeai_metadata', 'Comment');
  await fc.assert(
    fc.asyncProperty(keyword, fc.oneof(fc.string(), fc.json()), async (key, text) => {
      pictureInfoSchema.parse(await readPicture(await pngWith({ [key]: text, Software: 'NovelAI' })));
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['Euler a', '', 'euler-a'],
  ['euler_ancestral', 'normal', 'euler-a'],
  ['k_euler_ancestral', '', 'euler-a'],
  ['DPM++ 2M SDE Karras', '', 'dpmpp-2m-sde-karras'],
  ['dpmpp_2m_sde_gpu', 'karras', 'dpmpp-2m-sde-karras'],
  ['uni_pc', '', 'unipc'],
  ['UniPC', '', 'unipc'],
  ['PLMS', '', 'pndm'],
  ['LCM', 'sgm_uniform', 'lcm'],
  ['ddim', 'karras', 'ddim'],
  ['DPM adaptive', '', undefined],
])('sampler %s with schedule %j is %s', (sampler, schedule, name) => {
  expect(schedulerOfSampler(sampler, schedule)).toBe(name);
});

test('the text out of a picture says the same as the picture', async () => {
  const text = [
    'a fox <lora:waves:0.5>',
    'Negative prompt: blurry,',
    'low quality',
    'Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 42, Size: 512x768, Model: v1-5',
  ].join('\r\n');
  const info = await readPicture(Buffer.from(text));
  expect(info).toEqual(await readPicture(await pngWith({ parameters: text })));
  expect(info).toMatchObject({
    source: 'a1111',
    modelName: 'v1-5',
    params: {
      ...{ prompt: 'a fox', negativePrompt: 'blurry,\nlow quality', steps: 20, seed: 42, width: 512 },
      ...{ scheduler: 'dpmpp-2m-karras', loras: [{ id: 'waves', weight: 0.5 }] },
    },
  });
  const json = await readPicture(Buffer.from('{"prompt": "a fox", "seed": "7", "resolution": "(64, 128)"}'));
  expect(json).toMatchObject({ source: 'fooocus', params: { prompt: 'a fox', seed: 7, height: 128 } });
  await expect(readPicture(Buffer.from('a fox in a meadow'))).rejects.toMatchObject({
    code: 'invalid_parameter',
  });
});
