import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type GenerationParams, generationParamsSchema } from '../../lib/contracts/generation.ts';
import type { Picture } from '../../lib/engine/tasks/task.ts';
import { readPicture } from '../../lib/media/read-picture.ts';
import { blankComment, readComment } from '../../lib/media/video-comment.ts';
import { createUpload } from '../../lib/studio/services/index.ts';
import { resolvePictures } from '../../lib/studio/services/pictures.ts';
import type { Studio } from '../../lib/studio/studio.ts';
import { createHandler } from '../../workers/handlers/index.ts';
import type { HandlerResult, Work } from '../../workers/loop.ts';
import type { EngineJob } from '../../workers/protocol.ts';
import { writeMotionAdapter } from '../support/motion.ts';
import { aReceipt, testStudio } from '../support/studio.ts';
import { safetensors } from '../support/safetensors.ts';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The handler of a task with an engine that keeps what it was given and draws `count` pictures of one colour each. */
async function handle(
  studio: Studio,
  work: Omit<Work, 'compareWith'>,
  count = 1,
): Promise<{ job: EngineJob; result: HandlerResult }> {
  let job: EngineJob | undefined;
  const handler = createHandler({
    engine: {
      run(given) {
        job = given;
        const { width, height } = given.inputs;
        const pictures = Array.from({ length: count }, (_, i): Picture => ({
          width,
          height,
          data: new Uint8Array(width * height * 3).fill(20 * i),
        }));
        return Promise.resolve({ pictures, receipt: aReceipt({ width, height }) });
      },
    },
    models: studio.models,
    assets: studio.assets,
    embedMetadata: () => Promise.resolve(true),
    version: '1.2.3',
    ffmpeg: undefined,
  });
  const result = await handler(
    { ...work, compareWith: null },
    {
      signal: new AbortController().signal,
      crashes: 0,
      report: () => undefined,
      preview: () => undefined,
      log: quiet,
    },
  );
  if (job === undefined) throw new Error('the engine was not asked');
  return { job, result };
}

/** As a row has them; the tasks of later versions too. */
function params(overrides: object): GenerationParams {
  const plain = generationParamsSchema.parse({
    ...{ task: 'text-to-image', prompt: 'a fox', negativePrompt: '', model: 'tiny' },
    ...{ width: 64, height: 64, steps: 5, guidanceScale: 3, seed: 4294967295, count: 1 },
    ...{ scheduler: 'ddim', plan: 'exact', injection: 0 },
  });
  return { ...plain, ...overrides };
}

async function upload(studio: Studio, width: number, height: number, background: string): Promise<string> {
  const file = await sharp({ create: { width, height, channels: 4, background } })
    .png()
    .toBuffer();
  return (await createUpload(studio, file, 'u')).upload.id;
}

async function work(studio: Studio, overrides: object): Promise<Omit<Work, 'compareWith'>> {
  const given = params(overrides);
  return { params: given, inputs: await studio.db.write((tx) => resolvePictures(tx, given)) };
}

describe('what a request names', () => {
  it('reaches the engine decoded, at the size that is drawn, with its border', async () => {
    const studio = await testStudio();
    const image = await upload(studio, 128, 128, '#c00');
    const mask = await upload(studio, 128, 128, '#fff');
    const { job } = await handle(
      studio,
      await work(studio, {
        task: 'inpaint',
        image,
        mask,
        outpaint: { left: 8, top: 0, right: 0, bottom: 16 },
      }),
    );
    const { inputs } = job;
    expect([inputs.width, inputs.height]).toEqual([72, 80]);
    expect(inputs.image).toMatchObject({ width: 72, height: 80 });
    expect([...(inputs.image?.data.subarray(0, 3) ?? [])]).toEqual([204, 0, 0]);
    expect(inputs.mask?.data).toHaveLength(72 * 80);
  });

  it('keeps its size where only a part of it is drawn, and so do mask and control pictures', async () => {
    const studio = await testStudio();
    await safetensors(join(studio.env.home, 'models', 'edges.safetensors'), {
      'control_model.input_hint_block.0.weight': [16, 3, 3, 3],
    });
    const [image, mask] = [await upload(studio, 200, 100, '#c00'), await upload(studio, 100, 50, '#fff')];
    const guide = {
      model: 'edges',
      image,
      scale: 1,
      start: 0,
      end: 1,
      preprocessor: 'none',
      mode: 'control',
    };
    const given = { task: 'inpaint', image, mask, paddingMaskCrop: 16, control: [guide] };
    const { inputs, params: sent } = (await handle(studio, await work(studio, given))).job;
    expect(inputs).toMatchObject({ width: 64, height: 64, image: { width: 200, height: 100 } });
    expect(inputs.mask).toMatchObject({ width: 200, height: 100 });
    expect(inputs.control).toMatchObject([{ mode: 'control', image: { width: 200, height: 100 } }]);
    expect(sent.paddingMaskCrop).toBe(16);
  });

  it('has its control pictures made, and its adapters as files', async () => {
    const studio = await testStudio();
    const { home } = studio.env;
    await safetensors(join(home, 'models', 'edges.safetensors'), {
      'control_model.input_hint_block.0.weight': [16, 3, 3, 3],
    });
    await safetensors(join(home, 'models', 'loras', 'ink.safetensors'), {
      'lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight': [4, 32],
      'lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight': [32, 4],
    });
    await safetensors(join(home, 'models', 'embeddings', 'calm.safetensors'), { emb_params: [2, 32] });
    const image = await upload(studio, 200, 100, '#333');
    const { job } = await handle(
      studio,
      await work(studio, {
        task: 'reference',
        control: [{ model: 'edges', image, scale: 0.5, start: 0, end: 1, preprocessor: 'canny' }],
        loras: [{ id: 'ink', weight: 0.7 }],
      }),
    );
    const [guide] = job.inputs.control ?? [];
    expect(guide).toMatchObject({ scale: 0.5, image: { width: 64, height: 64 } });
    expect(guide?.model).toContain('edges.safetensors');
    // A picture of one colour has no edges.
    expect(guide?.image.data.every((value) => value === 0)).toBe(true);
    expect(job.inputs.loras).toEqual([
      { file: expect.stringContaining('ink.safetensors') as string, weight: 0.7 },
    ]);
    expect(job.inputs.embeddings).toEqual([expect.stringContaining('calm.safetensors')]);
  });

  it('has its motion adapter as a folder', async () => {
    const studio = await testStudio();
    const folder = await writeMotionAdapter(join(studio.env.home, 'models', 'tiny-motion'));
    const video = { frames: 2, fps: 4, motion: { x: 0, y: 0 }, format: 'mp4', adapter: 'tiny-motion' };
    const given = { params: params({ task: 'text-to-video', video }), inputs: [] };
    expect((await handle(studio, given, 2)).job.inputs.motionAdapter).toBe(folder);
    const other = {
      ...given,
      params: params({ task: 'text-to-video', video: { ...video, adapter: 'none' } }),
    };
    await expect(handle(studio, other)).rejects.toMatchObject({ code: 'unknown_model' });
  });

  it('ends the job with a sentence when it is gone', async () => {
    const studio = await testStudio();
    const image = await upload(studio, 64, 64, '#123');
    const given = await work(studio, { task: 'image-to-image', image });
    await rm(join(studio.env.home, 'assets'), { recursive: true });
    await expect(handle(studio, given)).rejects.toMatchObject({ code: 'not_found' });
    const lora = { params: params({ loras: [{ id: 'gone', weight: 1 }] }), inputs: [] };
    await expect(handle(studio, lora)).rejects.toMatchObject({ code: 'unknown_model' });
  });
});

describe('a video', () => {
  it('is stored with a poster and what made it, one for each seed', async () => {
    const studio = await testStudio();
    const video = { frames: 3, fps: 6, motion: { x: 1, y: 0 }, format: 'mp4' };
    const given = { params: params({ task: 'text-to-video', count: 2, video }), inputs: [] };
    const { result } = await handle(studio, given, 6);
    expect(result.pictures).toHaveLength(2);
    expect(result.receipt.seconds.ffmpeg).toBeGreaterThan(0);
    for (const [i, file] of result.pictures.entries()) {
      expect(file).toMatchObject({ type: 'video/mp4', width: 64, height: 64, video: { frames: 3, fps: 6 } });
      expect(file.seed).toBe([4294967295, 0][i]);
      const bytes = await readFile(studio.assets.path(file.hash, file.type));
      expect(bytes).toHaveLength(file.bytes);
      const poster = await readFile(studio.assets.path(file.video?.posterHash ?? '', 'image/webp'));
      expect(await sharp(poster).metadata()).toMatchObject({ format: 'webp', width: 64, height: 64 });
      expect(await readPicture(bytes)).toMatchObject({
        source: 'encore',
        params: { prompt: 'a fox', seed: file.seed },
      });
      const silent = blankComment(bytes);
      expect(silent).toHaveLength(bytes.length);
      expect(silent.includes('fox')).toBe(false);
    }
  });

  it.each(['gif', 'webp', 'webm'])('may be %s', async (format) => {
    const studio = await testStudio();
    const video = { frames: 2, fps: 4, motion: { x: 1, y: 0 }, format };
    const { result } = await handle(
      studio,
      { params: params({ task: 'text-to-video', video }), inputs: [] },
      2,
    );
    const [file] = result.pictures;
    expect(file?.type).toBe(format === 'webm' ? 'video/webm' : `image/${format}`);
    const bytes = await readFile(studio.assets.path(file?.hash ?? '', file?.type ?? ''));
    expect(bytes.length).toBeGreaterThan(50);
    if (format === 'webm') {
      expect(readComment(bytes)).toContain('"prompt":"a fox"');
      expect(readComment(blankComment(bytes))?.trim()).toBe('');
    } else expect(readComment(bytes)).toBeNull();
    // Whatever is cut off, nothing is read beyond the end.
    for (let end = 0; end < bytes.length; end += 97) readComment(bytes.subarray(0, end));
  });
});
