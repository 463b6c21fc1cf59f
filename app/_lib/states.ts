import type { Health, Queue } from '../../lib/contracts/api.ts';
import type { Generation, GenerationStatus } from '../../lib/contracts/generation.ts';
import { formatEta, formatPercent } from './format.ts';
import type { Live, Stage } from './live.ts';

export function isActive(status: GenerationStatus): boolean {
  return status === 'queued' || status === 'running' || status === 'cancelling';
}

const stageWords: Record<Stage, string> = {
  load: 'Warming up the model',
  text: 'Reading the prompt',
  denoise: 'Drawing',
  vae: 'Developing',
  save: 'Putting it away',
};

/** Frames are drawn together, step by step; only in the end they come one by one. */
function stageOf(stage: Stage, frames: number | undefined): string {
  if (frames === undefined) return stageWords[stage];
  if (stage === 'denoise') return `Drawing ${frames} frames`;
  if (stage === 'vae') return `Developing ${frames} frames`;
  return stage === 'save' ? 'Putting the video together' : stageWords[stage];
}

function stageNow(generation: Generation, live: Live | undefined): Stage {
  return live?.stage ?? (generation.step === null ? 'load' : 'denoise');
}

/** Whether the model is still being put together, which the first picture after a start waits for. */
export function isLoading(generation: Generation, live: Live | undefined): boolean {
  return generation.status === 'running' && stageNow(generation, live) === 'load';
}

export interface Status {
  /** Short, for the eye. */
  headline: string;
  detail: string | null;
  /** 0 to 1; null where there is nothing to measure. */
  progress: number | null;
}

/** Why nothing that waits is begun. */
export type Hold = 'paused' | 'no-worker';

const holdWords: Record<Hold, { headline: string; detail: string }> = {
  paused: { headline: 'The queue is paused', detail: 'it is made when the queue goes on' },
  'no-worker': { headline: 'Waiting for the worker', detail: 'it is made as soon as the worker is back' },
};

/** Whether something keeps the whole queue back; undefined while that is not known, and where nothing does. */
export function holdOf(
  queue: Pick<Queue, 'paused'> | undefined,
  health: Pick<Health, 'worker'> | undefined,
): Hold | undefined {
  if (health?.worker.alive === false) return 'no-worker';
  return queue?.paused === true ? 'paused' : undefined;
}

/** What a person is told about a generation, from its row and the latest event. */
export function describe(generation: Generation, live: Live | undefined, hold?: Hold): Status {
  switch (generation.status) {
    case 'queued': {
      if (hold !== undefined) return { ...holdWords[hold], progress: 0 };
      const ahead = generation.queuePosition ?? 0;
      return {
        headline: 'Waiting',
        detail:
          ahead === 0 ? 'next in line' : `${ahead} ${ahead === 1 ? 'picture' : 'pictures'} before this one`,
        progress: 0,
      };
    }
    case 'running': {
      const progress = live?.progress ?? generation.progress;
      const eta = live?.etaSeconds ?? generation.etaSeconds;
      const stage = stageNow(generation, live);
      const steps = live?.steps || generation.params.steps;
      const step = live?.step ?? generation.step ?? 0;
      const parts = [
        stage === 'denoise' ? `step ${step} of ${steps}` : null,
        eta === null || eta === undefined ? null : formatEta(eta),
      ].filter((part) => part !== null);
      const headline = stageOf(stage, generation.params.video?.frames);
      return { headline, detail: parts.length > 0 ? parts.join(' · ') : null, progress };
    }
    case 'cancelling':
      return {
        headline: 'Cancelling…',
        detail: 'stops after the call that is being computed',
        progress: live?.progress ?? generation.progress,
      };
    case 'cancelled':
      return { headline: 'Cancelled', detail: 'Nothing was kept.', progress: null };
    case 'failed':
      return { headline: 'This did not work', detail: generation.error?.detail ?? null, progress: null };
    case 'succeeded':
      return { headline: 'Done', detail: null, progress: 1 };
  }
}

/** "42 % · a fox in a meadow" while something is made, so that the tab tells from afar. */
export function tabTitle(generation: Generation | undefined, live: Live | undefined, hold?: Hold): string {
  if (generation === undefined || !isActive(generation.status)) return 'Encore';
  const status = describe(generation, live, hold);
  const lead = generation.status === 'running' ? formatPercent(status.progress ?? 0) : status.headline;
  return `${lead} · ${generation.params.prompt.slice(0, 40)}`;
}

/**
 * Polite announcements for screen readers: the stage and every quarter, not every step.
 */
export function announcement(
  generation: Generation | undefined,
  live: Live | undefined,
  hold?: Hold,
): string {
  if (generation === undefined) return '';
  const status = describe(generation, live, hold);
  if (generation.status === 'succeeded') {
    if (generation.params.video !== undefined) return 'The video is done.';
    return generation.assets.length === 1
      ? 'The picture is done.'
      : `${generation.assets.length} pictures are done.`;
  }
  if (generation.status !== 'running') return [status.headline, status.detail].filter(Boolean).join(', ');
  const quarter = Math.floor((status.progress ?? 0) * 4) * 25;
  return quarter === 0 ? status.headline : `${quarter} percent`;
}
