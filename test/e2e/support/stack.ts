import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Generation, GenerationInput } from '../../../lib/contracts/generation.ts';
import { migrate } from '../../../lib/studio/db/migrate.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const START_SECONDS = 150;
const STOP_SECONDS = 15;

/** The built web server and the worker as users run them, with an empty data directory of their own. */
export class Stack {
  readonly home: string;
  readonly url: string;
  readonly #env: Record<string, string>;
  readonly #children = new Map<'web' | 'worker', ChildProcess>();
  #output = '';

  private constructor(home: string, port: number, env: Record<string, string>) {
    this.home = home;
    this.url = `http://127.0.0.1:${port}`;
    this.#env = { ENCORE_HOME: home, PORT: String(port), ENCORE_LOG_LEVEL: 'warn', ...env };
  }

  /** @param options `seed` fills the data directory before anything runs on it */
  static async start(
    env: Record<string, string> = {},
    options: { seed?: (home: string) => Promise<void> } = {},
  ): Promise<Stack> {
    if (!existsSync(join(root, '.next', 'BUILD_ID'))) {
      throw new Error('The pages are not built: run `npm test`, or `npx next build` before `npm run e2e`.');
    }
    const home = await mkdtemp(join(tmpdir(), 'encore-e2e-'));
    await migrate(home, join(root, 'prisma', 'migrations'));
    await options.seed?.(home);
    const stack = new Stack(home, await freePort(), env);
    await stack.startWeb();
    await stack.startWorker();
    return stack;
  }

  async startWeb(): Promise<void> {
    const { port } = new URL(this.url);
    this.#spawn('web', [
      'node_modules/next/dist/bin/next',
      'start',
      '--hostname',
      '127.0.0.1',
      '--port',
      port,
    ]);
    await this.#until('the web server', () => true);
  }

  async startWorker(): Promise<void> {
    this.#spawn('worker', ['--import', 'tsx', 'workers/main.ts']);
    await this.#until('the worker', (health) => health.worker.alive && health.worker.device !== null);
  }

  async stop(name: 'web' | 'worker', signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#children.get(name);
    this.#children.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_SECONDS * 1000);
    await gone;
    clearTimeout(late);
  }

  async close(): Promise<void> {
    await this.stop('worker');
    await this.stop('web');
    await rm(this.home, { recursive: true, force: true });
  }

  /** A call of the API as a program makes it. */
  async call<Answer>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    }).catch((cause: unknown) => {
      this.assertRunning();
      throw new Error(`${method} ${path}: no answer from ${this.url}`, { cause });
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  }

  /** Makes something through the API and waits until it is over, however slow the machine. */
  async make(
    input: Omit<GenerationInput, 'task'> & Partial<Pick<GenerationInput, 'task'>>,
  ): Promise<Generation> {
    const body = { task: 'text-to-image', ...input };
    let generation = await this.call<Generation>('POST', '/generations', body, { prefer: 'wait=60' });
    while (generation.finishedAt === null) {
      this.assertRunning();
      await sleep(250);
      generation = await this.call('GET', `/generations/${generation.id}`);
    }
    return generation;
  }

  /** A second model whose weights stop in the middle of the file: its pictures fail. Returns its id. */
  async addDamagedModel(): Promise<string> {
    const folder = join(this.home, 'models', 'damaged');
    await cp(join(root, 'models', 'toybox'), folder, { recursive: true });
    await writeFile(join(folder, 'README.md'), '---\ntitle: Damaged\nlicense: mit\n---\n');
    await truncate(join(folder, 'unet', 'diffusion_pytorch_model.safetensors'), 100_000);
    return 'damaged';
  }

  /** @throws where web or worker ended by itself: whoever waits for one of them waits in vain */
  assertRunning(): void {
    for (const [name, { exitCode, signalCode }] of this.#children) {
      const end = exitCode ?? signalCode;
      if (end !== null) throw new Error(`${name} ended with ${end}:\n${this.#output}`);
    }
  }

  #spawn(name: 'web' | 'worker', args: string[]): void {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + `${name}: ${text}`).slice(-8000);
      });
    }
    this.#children.set(name, child);
  }

  async #until(
    what: string,
    isReady: (health: { worker: { alive: boolean; device: string | null } }) => boolean,
  ) {
    const deadline = Date.now() + START_SECONDS * 1000;
    while (Date.now() < deadline) {
      try {
        if (isReady(await this.call('GET', '/health'))) return;
      } catch {
        // Not listening yet.
      }
      this.assertRunning();
      await sleep(100);
    }
    throw new Error(`${what} was not ready within ${START_SECONDS} s:\n${this.#output}`);
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
