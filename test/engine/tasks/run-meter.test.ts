import { expect, test } from 'vitest';
import { RunMeter } from '../../../lib/engine/tasks/run-meter.ts';

/** A meter over a clock that only work moves; times in seconds. */
function meterOf(total: number) {
  let now = 0;
  const meter = new RunMeter(total, () => now);
  const taking = (seconds: number) => () => {
    now += seconds * 1000;
    return Promise.resolve();
  };
  return { meter, taking };
}

test('progress is counted in cost, and the time left at the speed of warm calls', async () => {
  const { meter, taking } = meterOf(100);
  expect([meter.fraction, meter.etaSeconds]).toEqual([0, null]);
  await meter.call('encoder', 1, 10, taking(5));
  expect([meter.fraction, meter.etaSeconds]).toEqual([0.1, 45]);
  await meter.call('encoder', 1, 10, taking(1));
  // The first call is left out now: 80 to go at 1 s per 10.
  expect([meter.fraction, meter.etaSeconds]).toEqual([0.2, 8]);
  await meter.call('vae', 1, 80, taking(8));
  expect([meter.fraction, meter.etaSeconds]).toEqual([1, 0]);
});

test('a call that is done in part counts in part, until it is done', async () => {
  const { meter, taking } = meterOf(100);
  await meter.call('decoder', 1, 20, taking(2));
  const seen: number[] = [];
  await meter.call('decoder', 1, 40, async () => {
    for (const part of [0.25, 0.5]) {
      await taking(1)();
      meter.within(part);
      seen.push(meter.fraction, meter.etaSeconds!);
    }
  });
  // At 2 s for 20: 70 and then 60 to go.
  expect(seen).toEqual([0.3, 7, 0.4, 6]);
  expect(meter.fraction).toBe(0.6);
  const failed = meter.call('decoder', 1, 40, () => {
    meter.within(0.5);
    return Promise.reject(new Error('no'));
  });
  await expect(failed).rejects.toThrow('no');
  expect(meter.fraction).toBe(0.6);
});

test('opening a graph within a call is load, not work', async () => {
  const { meter, taking } = meterOf(10);
  await meter.call('decoder', 1, 10, async () => {
    await meter.load(taking(3));
    await taking(0.5)();
  });
  expect(meter.seconds(0.6)).toMatchObject({ load: 3, decoder: 0.5, total: 3.5 });
  expect(meter.seconds(0.6).scheduler).toBeCloseTo(0.1, 12);
});

test('what passed before the first call, on device and model, is load', () => {
  const meter = new RunMeter(10, () => 5000, 2000);
  expect(meter.seconds(0)).toMatchObject({ load: 3, total: 3, encoder: 0 });
});

test('an exact run is its own estimate', async () => {
  const { meter, taking } = meterOf(10);
  for (let i = 0; i < 3; i++) {
    await meter.call('encoder', 1, 1, taking(2));
    await meter.call('decoder', 1, 1, taking(3));
  }
  expect(meter.exactEstimate([{ steps: 3, controls: 0 }])).toEqual({
    unetSeconds: 15,
    method: 'This run was exact: measured.',
  });
});

test('a propagated run adds the encoder passes it saved and decodes shared steps alone, at its own speed', async () => {
  const { meter, taking } = meterOf(100);
  await meter.call('encoder', 1, 1, taking(9));
  await meter.call('decoder', 1, 1, taking(7));
  await meter.call('encoder', 1, 1, taking(2));
  await meter.call('decoder', 1, 1, taking(3));
  await meter.call('encoder', 1, 1, taking(2));
  await meter.call('decoder', 5, 5, taking(10));
  // Measured: 13 s of encoder, 10 s of single decoder steps. Added: 4 encoder passes at 2 s, 5 steps alone at 3 s.
  const estimate = meter.exactEstimate([{ steps: 7, controls: 0 }]);
  expect(estimate?.unetSeconds).toBe(13 + 10 + 4 * 2 + 5 * 3);
  expect(estimate?.method).toContain('first calls left out');
});

test('a run that made no calls has no estimate', () => {
  expect(meterOf(1).meter.exactEstimate([{ steps: 5, controls: 0 }])).toBeNull();
});
