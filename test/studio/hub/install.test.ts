import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Installation } from '../../../lib/contracts/models.ts';
import { HubClient } from '../../../lib/studio/hub/client.ts';
import { installingFolder, tidyInstalls } from '../../../lib/studio/hub/install.ts';
import { LEASE_MS } from '../../../lib/studio/jobs/queue.ts';
import {
  cancelInstall,
  createGeneration,
  deleteInstall,
  getInstall,
  listInstalls,
  listModels,
  pauseInstall,
  removeModel,
  requestInstall,
  resumeInstall,
  type Studio,
} from '../../../lib/studio/services/index.ts';
import type { StudioOptions } from '../../../lib/studio/studio.ts';
import type { Log } from '../../../workers/engine-process.ts';
import { runInstallLoop } from '../../../workers/install-loop.ts';
import { COMMIT, type HubServer, hubServer, sha256 } from '../../support/hub.ts';
import { eventually, startScript } from '../../support/process.ts';
import { safetensorsBytes } from '../../support/safetensors.ts';
import { aPicture, aReceipt, aRequest, testStudio } from '../../support/studio.ts';

const REPO = 'someone/small-model';
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
/** 1 MB */
const unet = safetensorsBytes({ 'conv_in.weight': [512, 1024] });
const pipeline = {
  'README.md': Buffer.from('---\ntitle: Small\nlicense: mit\n---\n'),
  'model_index.json': json({ _class_name: 'StableDiffusionPipeline' }),
  'scheduler/scheduler_config.json': json({ _class_name: 'DDIMScheduler' }),
  'unet/config.json': json({ sample_size: 8, cross_attention_dim: 32 }),
  'unet/diffusion_pytorch_model.fp16.safetensors': unet,
  'unet/diffusion_pytorch_model.safetensors': Buffer.alloc(9_000_000),
  'unet/diffusion_pytorch_model.bin': Buffer.alloc(9_000_000),
  'vae/config.json': json({ _class_name: 'AutoencoderKL', block_out_channels: [8, 8, 8, 8] }),
  'vae/diffusion_pytorch_model.safetensors': safetensorsBytes({ 'decoder.conv_in.weight': [8, 4, 3, 3] }),
  'safety_checker/model.safetensors': Buffer.alloc(9_000_000),
  '../../escape.json': Buffer.from('{}'),
};

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function setUp(
  files: Record<string, Buffer> = pipeline,
  { token, budgetBytes = 1e9, ...options }: { token?: string; budgetBytes?: number } & StudioOptions = {},
): Promise<{ hub: HubServer; studio: Studio }> {
  const hub = await hubServer(REPO, files);
  const studio = await testStudio({ hub: { address: hub.address, token, budgetBytes } }, options);
  return { hub, studio };
}

/** A worker's loop in this process, until the test is over. */
function work(studio: Studio, log: Log = quiet): void {
  const stopping = new AbortController();
  const running = runInstallLoop({ studio, log, signal: stopping.signal, pollMs: 20, retryMs: 5 });
  onTestFinished(async () => {
    stopping.abort();
    await running;
  });
}

function ended(studio: Studio, id: string, status: Installation['status']): Promise<Installation> {
  return eventually(
    async () => {
      const install = await getInstall(studio, id);
      if (install.status === 'failed' && status !== 'failed') throw new Error(JSON.stringify(install.error));
      return install.status === status ? install : null;
    },
    `an install that is ${status}`,
    60,
  );
}

const nothingInstalled = async (studio: Studio) =>
  expect((await listModels(studio, 'all')).map(({ id }) => id)).toEqual(['tiny']);

test('a pipeline comes through redirects and broken connections, and is there whole', async () => {
  const { hub, studio } = await setUp(pipeline, { token: 'secret-token' });
  hub.cuts = [300_000, 200_000, 1000];
  hub.authorization = 'Bearer secret-token';
  const from = await studio.events.latestId();
  const asked = await requestInstall(studio, { repo: REPO, revision: 'main' });
  expect((await requestInstall(studio, { repo: REPO, revision: 'main' })).id).toBe(asked.id);
  work(studio);
  const done = await ended(studio, asked.id, 'succeeded');
  const chosen = Object.entries(pipeline).filter(
    ([path]) => !/bin$|safety|escape|model\.safetensors$/.test(path) || path.startsWith('vae'),
  );
  const total = chosen.reduce((sum, [, content]) => sum + content.length, 0);
  expect(done).toMatchObject({ modelId: 'small-model', bytesDone: total, bytesTotal: total });

  const folder = join(studio.env.home, 'models', 'small-model');
  for (const [path, content] of chosen) {
    expect(sha256(await readFile(join(folder, path))), path).toBe(sha256(content));
  }
  expect((await readdir(folder)).sort()).toEqual(
    ['README.md', 'encore.json', 'model_index.json', 'scheduler', 'unet', 'vae'].sort(),
  );
  expect(await readdir(installingFolder(studio.env.home))).toEqual([]);
  const [model] = (await listModels(studio, 'model')).filter(({ id }) => id === 'small-model');
  expect(model).toMatchObject({
    name: 'Small',
    licence: 'mit',
    source: 'hub',
    repository: REPO,
    contextSize: 32,
  });
  expect((await createGeneration(studio, aRequest({ model: 'small-model' }))).generation.status).toBe(
    'queued',
  );

  // Each part once, and the token to the hub alone.
  const ranges = hub.asked.filter(({ server, path }) => server === 'files' && path.includes('unet'));
  const starts = ranges.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0));
  expect(starts).toHaveLength(4);
  expect(starts[0]).toBe(0);
  expect(starts[1]).toBeGreaterThan(100_000);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  expect(
    hub.asked.filter(({ server }) => server === 'files').every(({ headers }) => !headers.authorization),
  ).toBe(true);
  const told = (await studio.events.since(from)).flatMap(({ event }) =>
    event.type === 'install' ? [event.installation.status] : [],
  );
  expect(told[0]).toBe('queued');
  expect(told.at(-1)).toBe('succeeded');

  await removeModel(studio, 'small-model');
  await nothingInstalled(studio);
  await expect(stat(folder)).rejects.toThrow();
});

test('a file whose hash is not the hub’s is fetched once more, then refused', async () => {
  const { hub, studio } = await setUp();
  hub.damaged.add('unet/diffusion_pytorch_model.fp16.safetensors');
  const { id } = await requestInstall(studio, { repo: REPO, revision: 'main' });
  work(studio);
  const { error } = await ended(studio, id, 'failed');
  expect(error).toMatchObject({ code: 'checkpoint_invalid' });
  expect(error?.detail).toContain(sha256(unet));
  expect(hub.asked.filter(({ server, path }) => server === 'files' && path.includes('unet'))).toHaveLength(2);
  await nothingInstalled(studio);

  hub.damaged.clear();
  await resumeInstall(studio, id);
  await ended(studio, id, 'succeeded');
  // What was whole is not fetched again.
  expect(hub.asked.filter(({ path }) => path.endsWith('model_index.json'))).toHaveLength(1);
});

test('paused it keeps what has come, resumed it goes on there, cancelled it keeps nothing', async () => {
  const { hub, studio } = await setUp();
  hub.pauseMs = 40;
  const { id } = await requestInstall(studio, { repo: REPO, revision: 'main' });
  work(studio);
  await eventually(async () => (await getInstall(studio, id)).bytesDone > 200_000, 'some bytes');
  await pauseInstall(studio, id);
  const free = () => studio.db.read((r) => r.install.count({ where: { id, claimToken: null } }));
  await eventually(free, 'the worker to let go');
  const paused = await getInstall(studio, id);
  expect(paused).toMatchObject({ status: 'paused', bytesPerSecond: null });
  const part = join(installingFolder(studio.env.home), id, 'small-model', 'unet');
  const [name = ''] = (await readdir(part)).filter((file) => file.endsWith('.part'));
  const { size } = await stat(join(part, name));
  expect(size).toBeGreaterThan(100_000);
  await expect(pauseInstall(studio, id)).rejects.toMatchObject({ code: 'conflict' });

  await resumeInstall(studio, id);
  const resumed = () => hub.asked.some(({ headers }) => headers.range === `bytes=${size}-`);
  await eventually(resumed, 'a range that begins where it was paused');
  await cancelInstall(studio, id);
  await eventually(
    async () => (await readdir(installingFolder(studio.env.home))).length === 0,
    'an empty folder',
  );
  expect(await getInstall(studio, id)).toMatchObject({ status: 'cancelled', bytesDone: 0 });
  await nothingInstalled(studio);
  await deleteInstall(studio, id);
  expect((await listInstalls(studio)).items).toEqual([]);
});

test('kill -9 of the worker loses nothing: the next one goes on with what has come', async () => {
  const { hub, studio } = await setUp();
  hub.pauseMs = 60;
  const { id } = await requestInstall(studio, { repo: REPO, revision: 'main' });
  const worker = startScript('test/support/installer.ts', {
    ENCORE_HOME: studio.env.home,
    ENCORE_HUB: hub.address,
    ENCORE_MIN_FREE_BYTES: '0',
  });
  await eventually(async () => (await getInstall(studio, id)).bytesDone > 100_000, 'some bytes');
  worker.kill('SIGKILL');
  hub.pauseMs = 0;
  expect(await getInstall(studio, id)).toMatchObject({ status: 'running' });
  // The dead worker's lease runs out.
  await studio.db.write((tx) =>
    tx.install.update({ where: { id }, data: { leaseExpiresAt: new Date(Date.now() - LEASE_MS) } }),
  );
  const before = hub.asked.length;
  work(studio);
  await ended(studio, id, 'succeeded');
  const later = hub.asked.slice(before);
  expect(later.find(({ path }) => path.includes('unet/diff'))?.headers.range).toMatch(/^bytes=\d{5,}-$/);
  expect(later.some(({ path }) => path.endsWith('model_index.json'))).toBe(false);
  const file = join(
    studio.env.home,
    'models',
    'small-model',
    'unet',
    'diffusion_pytorch_model.fp16.safetensors',
  );
  expect(sha256(await readFile(file))).toBe(sha256(unet));
});

test('a worker that is killed after the move and before it could say so: the next one only says it', async () => {
  const { hub, studio } = await setUp();
  const { id } = await requestInstall(studio, { repo: REPO, revision: 'main' });
  work(studio);
  await ended(studio, id, 'succeeded');
  await studio.db.write((tx) =>
    tx.install.update({ where: { id }, data: { status: 'queued', modelId: null } }),
  );
  const before = hub.asked.length;
  expect(await ended(studio, id, 'succeeded')).toMatchObject({ modelId: 'small-model' });
  expect(hub.asked.slice(before).map(({ path }) => path)).toEqual([`/api/models/${REPO}/revision/${COMMIT}`]);
});

test('what does not fit the budget is not begun, and says how much is missing', async () => {
  const { hub, studio } = await setUp(pipeline, { budgetBytes: 500_000 });
  const { id } = await requestInstall(studio, { repo: REPO, revision: 'main' });
  work(studio);
  const { error } = await ended(studio, id, 'failed');
  expect(error).toMatchObject({ code: 'storage_full', remedy: expect.stringContaining('BUDGET') as string });
  expect(hub.asked).toHaveLength(1);
  await nothingInstalled(studio);
});

test('a list that is full drops the oldest that is over, and refuses where none is', async () => {
  const studio = await testStudio();
  const row = (i: number, status: string) => ({
    id: `i${i}`,
    repo: 'a/b',
    revision: 'main',
    status,
    createdAt: new Date(i),
  });
  const data = Array.from({ length: 500 }, (_, i) => row(i, i === 7 || i === 9 ? 'failed' : 'paused'));
  await studio.db.write((tx) => tx.install.createMany({ data }));
  const from = await studio.events.latestId();
  for (const repo of ['new/one', 'new/two']) await requestInstall(studio, { repo, revision: 'main' });
  const gone = (await studio.events.since(from)).flatMap(({ event }) =>
    event.type === 'install' && event.removed ? [event.installation.id] : [],
  );
  expect(gone).toEqual(['i7', 'i9']);
  await expect(requestInstall(studio, { repo: 'new/three', revision: 'main' })).rejects.toMatchObject({
    code: 'queue_full',
  });
});

test.each([
  ['a repository that is not there', 'someone/else', pipeline, 'hub_refused'],
  [
    'pickles only',
    REPO,
    { 'model_index.json': pipeline['model_index.json'], 'unet/model.bin': unet },
    'checkpoint_unsupported',
  ],
  [
    'a pipeline that cannot be run',
    REPO,
    { ...pipeline, 'model_index.json': json({ _class_name: 'FluxPipeline' }) },
    'checkpoint_unsupported',
  ],
  [
    'a file that is no model',
    REPO,
    { 'notes.safetensors': safetensorsBytes({ a: [2], b: [2] }) },
    'checkpoint_unsupported',
  ],
  ['many files', REPO, { 'a.safetensors': unet, 'b.safetensors': unet }, 'checkpoint_unsupported'],
])('%s is refused before its weights are fetched, or is not installed', async (_, repo, files, code) => {
  const { hub, studio } = await setUp(files);
  const { id } = await requestInstall(studio, { repo, revision: 'main' });
  work(studio);
  expect((await ended(studio, id, 'failed')).error?.code).toBe(code);
  expect(hub.asked.some(({ path }) => path.includes('unet/diff'))).toBe(false);
  await nothingInstalled(studio);
});

test('one LoRA of many is installed by its path, and a gated repository asks for a token', async () => {
  const key = 'lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q';
  const lora = safetensorsBytes({ [`${key}.lora_down.weight`]: [4, 32], [`${key}.lora_up.weight`]: [32, 4] });
  const files = { 'styles/ink wash.safetensors': lora, 'styles/other.safetensors': lora };
  const { hub, studio } = await setUp(files);
  const wish = { repo: REPO, revision: 'main', file: 'styles/ink wash.safetensors' };
  hub.authorization = 'Bearer other';
  const { id } = await requestInstall(studio, wish);
  work(studio);
  const refused = await ended(studio, id, 'failed');
  expect(refused.error).toMatchObject({
    code: 'hub_refused',
    remedy: expect.stringContaining('TOKEN') as string,
  });
  hub.authorization = undefined;
  await resumeInstall(studio, id);
  await ended(studio, id, 'succeeded');
  const [found] = await eventually(async () => {
    const loras = await listModels(studio, 'lora');
    return loras[0]?.sha256 == null ? null : loras;
  }, 'its hash');
  expect(found).toMatchObject({ id: 'ink wash', rank: 4, source: 'hub', sha256: sha256(lora) });
});

test('the token is sent to the hub, and stands in no log, event or row', async () => {
  const token = 'hf_nobody_may_read_this';
  const { hub, studio } = await setUp(pipeline, { token });
  const lines: string[] = [];
  const line = (...said: unknown[]) => void lines.push(JSON.stringify(said));
  hub.authorization = 'Bearer another';
  const { id } = await requestInstall(studio, { repo: REPO, revision: 'main' });
  work(studio, { info: line, warn: line, error: line });
  const refused = await ended(studio, id, 'failed');
  hub.authorization = `Bearer ${token}`;
  await resumeInstall(studio, id);
  const installed = await ended(studio, id, 'succeeded');
  await eventually(() => lines.length >= 2, 'what the worker says of both');
  const rows = await studio.db.read((r) => Promise.all([r.install.findMany(), r.event.findMany()]));
  const said = JSON.stringify([lines, refused, installed, rows], (_, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
  expect(said).toContain(REPO);
  expect(said).not.toContain(token);
});

test('a model that is being drawn with stays until that is over; what a killed removal left behind goes', async () => {
  const { studio } = await setUp();
  const { id } = await requestInstall(studio, { repo: REPO, revision: 'main' });
  work(studio);
  const model = (await ended(studio, id, 'succeeded')).modelId!;
  await createGeneration(studio, aRequest({ model }));
  await createGeneration(studio, aRequest({ model }));
  const job = await studio.jobs.claim('a worker');
  await expect(removeModel(studio, model)).rejects.toMatchObject({
    code: 'conflict',
    message: `${model} is being drawn with.`,
  });
  await studio.jobs.finish(job!.token, [aPicture(1)], aReceipt());

  // The other one only waits.
  await removeModel(studio, model);
  await nothingInstalled(studio);
  const models = join(studio.env.home, 'models');
  await mkdir(join(models, '.removed-long-ago/unet'), { recursive: true });
  await tidyInstalls(studio);
  expect(await readdir(models)).not.toContain('.removed-long-ago');
});

test('a hub of the open internet leads neither to this network nor to unencrypted places', async () => {
  const { hub } = await setUp();
  const client = new HubClient({ address: hub.address, token: 'secret' }, false);
  const fetch = () =>
    client.open(REPO, COMMIT, 'unet/diffusion_pytorch_model.safetensors', 0, new AbortController().signal);
  await expect(fetch()).rejects.toMatchObject({
    code: 'hub_refused',
    message: expect.stringContaining('encryption') as string,
  });
  for (const elsewhere of [
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://localhost/x',
    'https://169.254.169.254/x',
  ]) {
    hub.elsewhere = elsewhere;
    await expect(fetch(), elsewhere).rejects.toMatchObject({
      code: 'hub_refused',
      message: expect.stringContaining('open internet') as string,
    });
  }
  hub.elsewhere = `${hub.address}/${REPO}/resolve/${COMMIT}/unet/diffusion_pytorch_model.safetensors`;
  await expect(fetch()).rejects.toMatchObject({
    message: expect.stringContaining('from place to place') as string,
  });
  hub.elsewhere = 'file:///etc/passwd';
  await expect(fetch()).rejects.toMatchObject({ code: 'hub_refused' });
});
