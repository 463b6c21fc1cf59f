import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operations } from '../../../app/api/_operations/index.ts';
import { openApiDocument } from '../../../app/api/_server/openapi.ts';
import type { RouteHandler } from '../../../app/api/_server/serve.ts';
import { installedListSchema } from '../../../lib/contracts/api.ts';
import { installationListSchema, installationSchema } from '../../../lib/contracts/models.ts';
import { pictureSchema, uploadSchema } from '../../../lib/contracts/pictures.ts';
import { presetListSchema, presetSchema } from '../../../lib/contracts/presets.ts';
import { generationSchema, problemSchema, type Generation } from '../../../lib/contracts/generation.ts';
import type { Studio } from '../../../lib/studio/services/index.ts';
import { aReceipt, testStudio } from '../../support/studio.ts';

const folder = fileURLToPath(new URL('../../../app/api/v1', import.meta.url));
const KEY = Symbol.for('encore.studio');
const holder = globalThis as { [KEY]?: Studio };

let studio: Studio;

beforeEach(async () => {
  studio = await testStudio({ token: undefined });
  holder[KEY] = studio;
});

afterEach(() => {
  delete holder[KEY];
});

async function routeFiles(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return (
    entries
      .filter(({ name }) => name === 'route.ts')
      .map(({ parentPath }) => relative(folder, parentPath))
      // As Next does it: names before placeholders.
      .sort((a, b) => Number(a.includes('[')) - Number(b.includes('[')))
  );
}

/** Calls the handler that Next would call for this path. */
async function call(
  method: string,
  path: string,
  {
    body,
    headers = {},
    signal,
  }: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const [pathname = ''] = path.split('?');
  for (const file of await routeFiles()) {
    const names: string[] = [];
    const pattern = file.replace(/\[(\w+)\]/g, (_, name: string) => {
      names.push(name);
      return '([^/]+)';
    });
    const match = new RegExp(`^/${pattern}$`).exec(pathname);
    if (match === null) continue;
    const module = (await import(join(folder, file, 'route.ts'))) as Record<string, RouteHandler | undefined>;
    const handler = module[method];
    if (handler === undefined) continue;
    const request = new Request(`http://localhost:3000/api/v1${path.replace('..', '%2e%2e')}`, {
      method,
      signal,
      headers: {
        host: 'localhost:3000',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const params = Object.fromEntries(names.map((name, i) => [name, match[i + 1]]));
    return handler(request, { params: Promise.resolve(params) });
  }
  throw new Error(`no route for ${method} ${path}`);
}

const fox = { task: 'text-to-image', prompt: 'a fox in a meadow' };

async function create(body: object = fox, headers: Record<string, string> = {}): Promise<Generation> {
  const response = await call('POST', '/generations', { body, headers });
  expect(response.status).toBe(202);
  return generationSchema.parse(await response.json());
}

/** What a worker does, with a file of the given bytes for a picture. */
async function work(content: string): Promise<void> {
  const job = await studio.jobs.claim('worker');
  if (job === null) throw new Error('nothing waits');
  const stored = await studio.assets.put(new TextEncoder().encode(content), 'image/png');
  await studio.jobs.finish(job.token, [{ ...stored, width: 64, height: 64, seed: 5 }], aReceipt());
}

async function refusal(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = problemSchema.parse(await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}

describe('the routes and their description', () => {
  it('are the same set', async () => {
    const described = operations.map(({ method, path }) => `${method} ${path}`).sort();
    const served: string[] = [];
    for (const file of await routeFiles()) {
      if (file === 'openapi.json') continue;
      const path = file.replace(/\[(\w+)\]/g, '{$1}');
      const allow = (await call('OPTIONS', `/${file}`)).headers.get('allow') ?? '';
      for (const method of allow.split(', '))
        if (method !== 'HEAD' && method !== 'OPTIONS') served.push(`${method} /${path}`);
    }
    expect(served.sort()).toEqual(described);
  });

  it('refer only to schemas that the document has', () => {
    const document = openApiDocument(operations, '1.2.3');
    const names = new Set(Object.keys(document.components.schemas));
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, target]) => target,
    );
    expect(references.length).toBeGreaterThan(30);
    for (const target of references) {
      expect(target).toMatch(/^#\/components\/schemas\//);
      expect(names).toContain(target?.split('/').at(-1));
    }
    expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
  });

  it('have a body that works for each operation that takes one', () => {
    for (const { id, body, examples = {} } of operations) {
      if (body === undefined) continue;
      expect(Object.keys(examples).length, id).toBeGreaterThan(0);
      for (const [name, example] of Object.entries(examples)) {
        expect(body.safeParse(example).error, `${id}: ${name}`).toBeUndefined();
      }
    }
    const described = JSON.stringify(openApiDocument(operations, '1.2.3').paths);
    expect(described).toContain('a fox in a meadow');
  });

  it('let what has a default be left out of a request, never out of an answer', () => {
    const { schemas } = openApiDocument(operations, '1.2.3').components as {
      schemas: Record<string, { required?: string[] }>;
    };
    expect(schemas.GenerationRequest?.required).toEqual(['task', 'prompt']);
    expect(schemas.GenerationParams?.required).toContain('negativePrompt');
  });
});

describe('what there is not', () => {
  it('is refused in the one shape of every refusal, with what there is', async () => {
    const response = await call('PUT', '/generations');
    expect(response.headers.get('allow')).toBe('POST, GET, HEAD, OPTIONS');
    expect(await refusal(response)).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect((await call('GET', '/generations/bulk')).status).toBe(405);

    const { GET, DELETE } = await import('../../../app/api/[...path]/route.ts');
    for (const handler of [GET, DELETE]) {
      const request = new Request('http://localhost:3000/api/v1/nothing', { method: 'GET' });
      const answer = await handler(request, { params: Promise.resolve({}) });
      expect(await refusal(answer)).toMatchObject({ status: 404, code: 'not_found' });
    }
  });

  it('is no failure of ours when a body stops in the middle', async () => {
    const { POST } = await import('../../../app/api/v1/generations/route.ts');
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"task":')),
      pull: () => Promise.reject(new Error('aborted')),
    });
    const request = new Request('http://localhost:3000/api/v1/generations', {
      method: 'POST',
      headers: { host: 'localhost:3000', 'content-type': 'application/json' },
      body,
      duplex: 'half',
    } as RequestInit);
    const answer = await POST(request, { params: Promise.resolve({}) });
    expect(await refusal(answer)).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('creating', () => {
  it('answers at once, says where to look, and is found there', async () => {
    const response = await call('POST', '/generations', { body: fox });
    expect(response.status).toBe(202);
    const made = generationSchema.parse(await response.json());
    expect(response.headers.get('location')).toBe(`/api/v1/generations/${made.id}`);
    const found = await call('GET', `/generations/${made.id}`);
    expect(await found.json()).toEqual(made);
  });

  it('happens once for one idempotency key', async () => {
    const first = await create(fox, { 'idempotency-key': 'k' });
    expect((await create(fox, { 'idempotency-key': 'k' })).id).toBe(first.id);
    const other = await call('POST', '/generations', {
      body: { ...fox, prompt: 'an owl' },
      headers: { 'idempotency-key': 'k' },
    });
    expect(await refusal(other)).toMatchObject({ status: 409, code: 'idempotency_conflict' });
  });

  it('waits as long as it is asked to, and tells finished from unfinished', async () => {
    const waiting = call('POST', '/generations', { body: fox, headers: { prefer: 'wait=20' } });
    await expect
      .poll(async () => await studio.db.read((r) => r.generation.count()), { timeout: 20_000 })
      .toBe(1);
    await work('picture');
    expect((await waiting).status).toBe(201);
    const short = await call('POST', '/generations', { body: fox, headers: { prefer: 'wait=0.1' } });
    expect(short.status).toBe(202);
  });

  it('names every field that cannot be used', async () => {
    const response = await call('POST', '/generations', {
      body: { ...fox, prompt: ' ', steps: 0, colour: 'red' },
    });
    const problem = await refusal(response);
    expect(problem).toMatchObject({ status: 422, code: 'invalid_parameter' });
    expect(problem.errors.map(({ path }) => path).sort()).toEqual(['', 'prompt', 'steps']);
  });

  it('is not possible from a page of another site', async () => {
    const response = await call('POST', '/generations', {
      body: fox,
      headers: { origin: 'https://evil.example' },
    });
    expect(await refusal(response)).toMatchObject({ status: 403, code: 'forbidden_origin' });
    expect(await studio.db.read((r) => r.generation.count())).toBe(0);
  });
});

describe('history', () => {
  it('comes in pages without gaps or repeats', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i += 1) made.unshift((await create({ ...fox, prompt: `fox ${i}` })).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const response = await call('GET', `/generations?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`);
      const page = (await response.json()) as { items: Generation[]; nextCursor: string | null };
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(made);
  });

  it('stars, deletes and restores', async () => {
    const { id } = await create();
    expect(
      await (await call('PATCH', `/generations/${id}`, { body: { starred: true } })).json(),
    ).toMatchObject({ starred: true });
    expect((await call('DELETE', `/generations/${id}`)).status).toBe(204);
    expect(await refusal(await call('GET', `/generations/${id}`))).toMatchObject({
      status: 404,
      code: 'not_found',
    });
    expect((await call('POST', `/generations/${id}/restore`)).status).toBe(200);
    expect((await call('GET', `/generations/${id}`)).status).toBe(200);
  });

  it('cancels what waits, refuses to cancel twice, and tries again', async () => {
    const { id } = await create();
    expect(await (await call('POST', `/generations/${id}/cancel`)).json()).toMatchObject({
      status: 'cancelled',
    });
    expect(await refusal(await call('POST', `/generations/${id}/cancel`))).toMatchObject({
      status: 409,
      code: 'conflict',
    });
    expect(await (await call('POST', `/generations/${id}/retry`)).json()).toMatchObject({
      id,
      status: 'queued',
    });
  });
});

describe('files', () => {
  it('come whole, in part, or not at all when the client has them', async () => {
    const { id } = await create();
    await work('0123456789');
    const { assets } = (await (await call('GET', `/generations/${id}`)).json()) as Generation;
    const path = (assets[0]?.url ?? '').replace('/api/v1', '');

    const whole = await call('GET', path);
    expect(await whole.text()).toBe('0123456789');
    expect(whole.headers.get('cache-control')).toContain('immutable');
    const etag = whole.headers.get('etag') ?? '';

    const part = await call('GET', path, { headers: { range: 'bytes=2-4' } });
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([
      206,
      '234',
      'bytes 2-4/10',
    ]);
    const beyond = await call('GET', path, { headers: { range: 'bytes=10-' } });
    expect(beyond.headers.get('content-range')).toBe('bytes */10');
    expect(await refusal(beyond)).toMatchObject({ status: 416, code: 'range_not_satisfiable' });
    expect((await call('GET', path, { headers: { 'if-none-match': `W/"x", ${etag}` } })).status).toBe(304);
    const changed = await call('GET', path, { headers: { range: 'bytes=2-4', 'if-range': '"other"' } });
    expect(changed.status).toBe(200);
    const saved = await call('GET', `${path}?download`);
    expect(saved.headers.get('content-disposition')).toMatch(
      /^attachment; filename="a-fox-in-a-meadow-5\.png"$/,
    );
  });

  it.each(['no-such-id', '..', '%2e%2e%2fdatabase.sqlite', 'x'.repeat(101)])(
    'are not found under %s',
    async (id) => {
      expect(await refusal(await call('GET', `/assets/${id}/file`))).toMatchObject({ code: 'not_found' });
    },
  );
});

describe('pictures to draw from', () => {
  const send = async (body: BodyInit, headers: Record<string, string> = {}) => {
    const { POST } = await import('../../../app/api/v1/uploads/route.ts');
    const request = new Request('http://localhost:3000/api/v1/uploads?name=My%20fox.png', {
      method: 'POST',
      headers: { host: 'localhost:3000', ...headers },
      body,
    });
    return POST(request, { params: Promise.resolve({}) });
  };
  const picture = () =>
    sharp({ create: { width: 12, height: 8, channels: 3, background: '#0a0' } })
      .png()
      .toBuffer();

  it('come raw or as the one file of a form, and are found under one address', async () => {
    const file = new Uint8Array(await picture());
    const response = await send(file, { 'content-type': 'image/png' });
    expect(response.status).toBe(201);
    const upload = uploadSchema.parse(await response.json());
    expect(upload).toMatchObject({ name: 'My fox', width: 12, height: 8 });
    expect(response.headers.get('location')).toBe(`/api/v1/uploads/${upload.id}`);

    const form = new FormData();
    form.append('file', new File([file], 'again.png'));
    const again = await send(form);
    expect([again.status, ((await again.json()) as { id: string }).id]).toEqual([200, upload.id]);
    form.append('file', new File([file], 'third.png'));
    expect(await refusal(await send(form))).toMatchObject({ code: 'invalid_request' });
    expect(await refusal(await send('hello'))).toMatchObject({ status: 422, code: 'invalid_parameter' });

    const found = await call('GET', `/pictures/${upload.id}`);
    expect(pictureSchema.parse(await found.json())).toMatchObject({ url: upload.url });
    const shown = await call('GET', `/pictures/${upload.id}/file`);
    expect(shown.headers.get('content-type')).toBe('image/png');
    expect((await call('GET', `/pictures/${upload.id}/thumbnail?side=128`)).status).toBe(200);
    const control = await call('GET', `/pictures/${upload.id}/control?preprocessor=canny`);
    expect(await sharp(await control.arrayBuffer()).metadata()).toMatchObject({ width: 12, height: 8 });
    const kept = await call('POST', '/preprocess', { body: { image: upload.id, preprocessor: 'scribble' } });
    expect(uploadSchema.parse(await kept.json())).toMatchObject({ name: 'scribble', width: 12 });

    expect((await call('DELETE', `/uploads/${upload.id}`)).status).toBe(204);
    expect(await refusal(await call('GET', `/pictures/${upload.id}`))).toMatchObject({ code: 'not_found' });
  });

  it('are named by a request, which is refused with the place of one that is missing', async () => {
    const { id } = (await (await send(new Uint8Array(await picture()))).json()) as { id: string };
    const ask = { task: 'image-to-image', prompt: 'a fox', image: id };
    const made = await create(ask);
    expect(made.inputs).toMatchObject([{ field: 'image', id, width: 12, height: 8 }]);
    expect([made.params.width, made.params.height]).toEqual([64, 64]);
    const missing = await refusal(await call('POST', '/generations', { body: { ...ask, image: 'nothing' } }));
    expect(missing).toMatchObject({ status: 422, errors: [{ path: 'image' }] });
    const lora = await call('POST', '/generations', { body: { ...ask, loras: [{ id: 'nothing' }] } });
    expect(await refusal(lora)).toMatchObject({ code: 'unknown_model', errors: [{ path: 'loras.0.id' }] });
    const wrong = await call('POST', '/generations', { body: { ...ask, loras: [{ id: 'tiny' }] } });
    expect(await refusal(wrong)).toMatchObject({
      code: 'invalid_parameter',
      errors: [{ path: 'loras.0.id' }],
    });
  });
});

describe('models and presets', () => {
  it('are listed by kind, fetched by name, kept under names', async () => {
    const kinds = async (query: string) =>
      installedListSchema.parse(await (await call('GET', `/models${query}`)).json()).items.length;
    expect([await kinds(''), await kinds('?kind=all'), await kinds('?kind=lora')]).toEqual([1, 1, 0]);
    expect((await call('GET', '/models?kind=vae')).status).toBe(422);

    const asked = await call('POST', '/models/install', { body: { repo: 'a/b' } });
    expect(asked.status).toBe(202);
    const { id } = installationSchema.parse(await asked.json());
    expect(await refusal(await call('POST', '/models/install', { body: { repo: '../../x' } }))).toMatchObject(
      {
        errors: [{ path: 'repo' }],
      },
    );
    const list = installationListSchema.parse(await (await call('GET', '/models/installs')).json());
    expect(list).toMatchObject({ items: [{ id, status: 'queued' }], usedBytes: 0, hub: { hasToken: false } });
    for (const verb of ['pause', 'resume', 'cancel'])
      expect((await call('POST', `/models/installs/${id}/${verb}`)).status, verb).toBe(200);
    expect((await call('DELETE', `/models/installs/${id}`)).status).toBe(204);

    const preset = await call('POST', '/presets', { body: { name: 'Mine', values: { steps: 7 } } });
    const { id: own } = presetSchema.parse(await preset.json());
    expect((await call('PATCH', `/presets/${own}`, { body: { name: 'Ours' } })).status).toBe(200);
    expect((await call('DELETE', `/presets/${own}`)).status).toBe(204);
    const { items } = presetListSchema.parse(await (await call('GET', '/presets')).json());
    expect(items.every(({ builtIn }) => builtIn)).toBe(true);
  });
});

describe('events', () => {
  async function read(response: Response, until: RegExp): Promise<string> {
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let text = '';
    while (!until.test(text)) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
    return text;
  }

  it('of one generation begin with its state and end with it', async () => {
    const { id } = await create();
    const response = await call('GET', `/generations/${id}/events`);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reading = response.text();
    await work('picture');
    const text = await reading;
    expect(text).toContain('"status":"queued"');
    expect(text).toContain('"status":"running"');
    expect(text.trimEnd().split('\n\n').at(-1)).toContain('"status":"succeeded"');

    const last = /id: (\d+)\n(?!.*id: )/s.exec(text)?.[1] ?? '';
    const again = await call('GET', `/generations/${id}/events`, { headers: { 'last-event-id': last } });
    expect(again.status).toBe(204);
  });

  it('go on after the last one that was seen, without a gap', async () => {
    await create({ ...fox, prompt: 'first' });
    const after = await studio.events.latestId();
    await create({ ...fox, prompt: 'second' });
    await create({ ...fox, prompt: 'third' });
    const response = await call('GET', '/events', { headers: { 'last-event-id': String(after) } });
    const text = await read(response, /third/);
    expect(text).toContain('second');
    expect(text).not.toContain('first');
  });

  it('start from now for a new listener', async () => {
    await create({ ...fox, prompt: 'before' });
    const response = await call('GET', '/events');
    const reading = read(response, /after/);
    await create({ ...fox, prompt: 'after' });
    expect(await reading).not.toContain('before');
  });
});

describe('what went wrong on our side', () => {
  it('stays on our side', async () => {
    const db = studio.db;
    holder[KEY] = {
      ...studio,
      db: { ...db, read: () => Promise.reject(new Error('secret path /home/someone')) },
    };
    const problem = await refusal(await call('GET', '/queue'));
    expect(problem).toMatchObject({ status: 500, code: 'internal' });
    expect(JSON.stringify(problem)).not.toContain('secret');
  });
});

describe('with a token', () => {
  it('answers nobody without it, and opens a session for a browser that has it', async () => {
    const token = 'a-long-random-token';
    holder[KEY] = { ...studio, env: { ...studio.env, host: '0.0.0.0', token } };
    const locked = await call('GET', '/generations');
    expect(locked.headers.get('www-authenticate')).toBe('Bearer');
    expect(await refusal(locked)).toMatchObject({ status: 401, code: 'unauthorized' });
    expect((await call('GET', '/health')).status).toBe(200);
    expect(
      (await call('GET', '/generations', { headers: { authorization: `Bearer ${token}` } })).status,
    ).toBe(200);

    expect((await call('POST', '/session', { body: { token: 'wrong' } })).status).toBe(401);
    const session = await call('POST', '/session', { body: { token } });
    const cookie = session.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    expect(cookie).not.toContain(token);
    const [pair = ''] = cookie.split(';');
    expect((await call('GET', '/generations', { headers: { cookie: pair } })).status).toBe(200);
  });
});
