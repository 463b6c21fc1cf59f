import { describe, expect, it } from 'vitest';
import { announcement, describe as tell, holdOf, isLoading, tabTitle } from '../../app/_lib/states.ts';
import type { Live } from '../../app/_lib/live.ts';
import { videoSchema } from '../../lib/contracts/task-inputs.ts';
import { exampleGeneration } from './support.ts';

const live: Live = { progress: 0.428, step: 12, steps: 25, etaSeconds: 4.2, stage: 'denoise', preview: null };

describe('what a person is told', () => {
  it('counts those in front of a waiting one', () => {
    expect(tell(exampleGeneration({ status: 'queued', queuePosition: 0 }), undefined).detail).toBe(
      'next in line',
    );
    expect(tell(exampleGeneration({ status: 'queued', queuePosition: 1 }), undefined).detail).toBe(
      '1 picture before this one',
    );
    expect(tell(exampleGeneration({ status: 'queued', queuePosition: 4 }), undefined).detail).toBe(
      '4 pictures before this one',
    );
  });

  it('follows the latest event, and the row where there was none', () => {
    const running = exampleGeneration({ status: 'running', progress: 0.1, step: 2, etaSeconds: null });
    expect(tell(running, live)).toEqual({
      headline: 'Drawing',
      detail: 'step 12 of 25 · about 4 s left',
      progress: 0.428,
    });
    expect(tell(running, undefined)).toEqual({ headline: 'Drawing', detail: 'step 2 of 25', progress: 0.1 });
    expect(tell({ ...running, step: null }, undefined).headline).toBe('Warming up the model');
  });

  it('says what keeps the whole queue back, and nothing of places in it', () => {
    const waiting = exampleGeneration({ status: 'queued', queuePosition: 0 });
    expect(tell(waiting, undefined, 'paused').headline).toBe('The queue is paused');
    expect(tell(waiting, undefined, 'no-worker').headline).toBe('Waiting for the worker');
    expect(announcement(waiting, undefined, 'paused')).toMatch(/^The queue is paused, /);
    expect(tell(exampleGeneration({ status: 'running' }), live, 'paused').headline).toBe('Drawing');
  });

  it('names the worker before the pause, for a pause alone is ended by a click', () => {
    const worker = { alive: false, device: null, lastSeenAt: null, held: null, ffmpeg: null };
    expect(holdOf({ paused: true }, { worker })).toBe('no-worker');
    expect(holdOf({ paused: true }, { worker: { ...worker, alive: true } })).toBe('paused');
    expect(holdOf({ paused: false }, undefined)).toBeUndefined();
    expect(holdOf(undefined, undefined)).toBeUndefined();
  });

  it('knows when the model is still being put together', () => {
    const running = exampleGeneration({ status: 'running', step: null });
    expect(isLoading(running, undefined)).toBe(true);
    expect(isLoading(running, { ...live, stage: 'load' })).toBe(true);
    expect(isLoading(running, live)).toBe(false);
    expect(isLoading(exampleGeneration({ status: 'queued', step: null }), undefined)).toBe(false);
  });

  it('gives no reason to wait for what is over', () => {
    expect(tell(exampleGeneration({ status: 'cancelled' }), undefined).progress).toBeNull();
    expect(tell(exampleGeneration(), undefined).progress).toBe(1);
  });

  it('puts the progress into the tab and takes it out again', () => {
    expect(tabTitle(exampleGeneration({ status: 'running' }), live)).toBe('42 % · a fox in a meadow');
    expect(tabTitle(exampleGeneration({ status: 'queued', queuePosition: 0 }), undefined)).toBe(
      'Waiting · a fox in a meadow',
    );
    expect(tabTitle(exampleGeneration(), undefined)).toBe('Encore');
    expect(tabTitle(undefined, undefined)).toBe('Encore');
  });

  it('speaks at quarters only', () => {
    const running = exampleGeneration({ status: 'running' });
    const said = [0.1, 0.24, 0.26, 0.49, 0.5, 0.74, 0.75, 0.99].map((progress) =>
      announcement(running, { ...live, progress }),
    );
    expect(said).toEqual([
      'Drawing',
      'Drawing',
      '25 percent',
      '25 percent',
      '50 percent',
      '50 percent',
      '75 percent',
      '75 percent',
    ]);
    expect(announcement(exampleGeneration(), undefined)).toBe('2 pictures are done.');
  });

  it('speaks of frames where there are some', () => {
    const video = videoSchema.parse({ frames: 8 });
    const generation = exampleGeneration({
      status: 'running',
      params: { ...exampleGeneration().params, video },
    });
    const of = (stage: Live['stage']) => tell(generation, { ...live, stage }).headline;
    expect([of('denoise'), of('vae'), of('save')]).toEqual([
      'Drawing 8 frames',
      'Developing 8 frames',
      'Putting the video together',
    ]);
    expect(announcement({ ...generation, status: 'succeeded' }, undefined)).toBe('The video is done.');
  });
});
