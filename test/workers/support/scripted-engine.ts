/**
 * An engine process that computes nothing and does what its prompt says, to test the supervisor: real process, real
 * IPC, real deaths. Pictures are one colour.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { EncoreError } from '../../../lib/contracts/errors.ts';
import { aReceipt } from '../../support/fixtures.ts';
import type { EngineJob, EngineMessage, EngineRequest } from '../../../workers/protocol.ts';

const cancelled = new Set<string>();
process.on('message', (message: EngineRequest) => {
  if (message.type === 'run') void run(message.job);
  else if (message.type === 'cancel') cancelled.add(message.runId);
  else process.exit(0);
});
process.on('disconnect', () => process.exit(0));
if (process.argv.includes('--broken')) throw new Error('cannot start');
if (process.argv.includes('--refuses')) {
  const error = new EncoreError('device_unavailable', 'There is no GPU.').toJSON();
  process.send?.({ type: 'refused', error } satisfies EngineMessage, () => process.exit(1));
} else tell({ type: 'ready', device: 'scripted' });

async function run({ runId, params, decodeWidth }: EngineJob): Promise<void> {
  const { prompt, steps, width, height, seed, count, plan, video } = params;
  const picture = {
    width,
    height,
    data: new Uint8Array(width * height * 3).fill(plan === 'exact' ? seed + 2 : seed),
  };
  for (let step = 0; step < steps; step++) {
    if (cancelled.has(runId)) {
      if (prompt.includes('deaf')) continue;
      return tell({ type: 'failed', runId, error: new EncoreError('cancelled', 'Cancelled.').toJSON() });
    }
    const progress = { stage: 'denoise', fraction: step / steps, step, steps, etaSeconds: null } as const;
    tell({ type: 'progress', runId, progress });
    tell({ type: 'preview', runId, step, picture });
    if (prompt.includes('dies once') && decodeWidth === 'auto' && step === 1) process.exit(7);
    if (prompt.includes('always dies') && step === 1) process.kill(process.pid, 'SIGKILL');
    if (prompt.includes('hangs') || (prompt.includes('deaf') && step === 1)) for (;;) await sleep(1000);
    if (prompt.includes('refuses')) {
      const error = new EncoreError('checkpoint_invalid', 'unet is damaged', { remedy: 'Copy it again.' });
      return tell({ type: 'failed', runId, error: error.toJSON() });
    }
    await sleep(prompt.includes('slow') ? 200 : 1);
  }
  const pictures = Array.from({ length: count * (video?.frames ?? 1) }, (_, i) => ({
    ...picture,
    data: picture.data.map((x) => x + i),
  }));
  tell({ type: 'done', runId, result: { pictures, receipt: aReceipt({ steps, width, height, seed }) } });
}

function tell(message: EngineMessage): void {
  process.send?.(message);
}
