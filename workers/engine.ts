/**
 * The engine process: owns onnxruntime, draws one job after the other and may be killed at any moment. It knows no
 * queue, no database and no files but the models it reads and its cache.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { EncoreError } from '../lib/contracts/errors.ts';
import { withoutReferences } from '../lib/contracts/generation.ts';
import { deviceNames } from '../lib/engine/runtime/session.ts';
import { Engine } from '../lib/engine/tasks/engine.ts';
import type { EngineJob, EngineMessage, EngineRequest } from './protocol.ts';

/** A stable-diffusion checkpoint packs to about 6 GB. */
const PACKED_CACHE_BYTES = 30e9;

const { values } = parseArgs({
  options: { device: { type: 'string' }, cache: { type: 'string' }, memory: { type: 'string' } },
});
const engine = new Engine({
  device: deviceNames.find((name) => name === values.device) ?? 'auto',
  cache:
    values.cache === undefined ? undefined : { directory: values.cache, budgetBytes: PACKED_CACHE_BYTES },
  memoryBudgetBytes: values.memory === undefined ? undefined : Number(values.memory),
});
let current: { runId: string; cancel: AbortController } | undefined;

// Ctrl-C reaches every process of the terminal; the supervisor decides what it means.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
dieWithParent();
process.on('message', (message: EngineRequest) => {
  if (message.type === 'run') void run(message.job);
  else if (message.type === 'cancel') cancel(message.runId);
  else void stop();
});

try {
  tell({ type: 'ready', device: await engine.device() });
} catch (error) {
  const refusal = EncoreError.from(error);
  process.stderr.write(`${refusal.message}\n`);
  // Ends when the message has left, or it would be lost.
  process.send?.({ type: 'refused', error: refusal.toJSON() } satisfies EngineMessage, () => process.exit(1));
}

async function run({ runId, folder, params, inputs, decodeWidth }: EngineJob): Promise<void> {
  const cancel = new AbortController();
  current = { runId, cancel };
  try {
    const { pictures, receipt } = await engine.generate(
      { ...withoutReferences(params), ...inputs, model: folder, decodeWidth },
      {
        signal: cancel.signal,
        onProgress: (progress) => tell({ type: 'progress', runId, progress }),
        onPreview: (step, picture) => tell({ type: 'preview', runId, step, picture }),
      },
    );
    tell({ type: 'done', runId, result: { pictures, receipt } });
  } catch (error) {
    tell({ type: 'failed', runId, error: EncoreError.from(error).toJSON() });
  } finally {
    current = undefined;
    const held = await engine.held().catch(() => null);
    if (held !== null) tell({ type: 'held', held: { model: held.model, bytes: held.bytes } });
  }
}

function cancel(runId: string): void {
  if (current?.runId === runId) current.cancel.abort();
}

async function stop(): Promise<void> {
  current?.cancel.abort();
  await Promise.race([engine.dispose(), sleep(2_000)]);
  process.exit(0);
}

function tell(message: EngineMessage): void {
  process.send?.(message);
}

/**
 * A killed supervisor closes the channel, but that is only noticed between two calls of onnxruntime. This thread
 * notices while one is running.
 */
function dieWithParent(): void {
  const watch = `const parent = process.ppid;
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 500);`;
  new Worker(watch, { eval: true, execArgv: [] }).unref();
}
