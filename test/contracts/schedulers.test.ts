import { expect, test } from 'vitest';
import { schedulerNames, schedulerOfConfig, schedulers } from '../../lib/contracts/schedulers.ts';

const dpm = (config: Record<string, unknown>) =>
  schedulerOfConfig({ _class_name: 'DPMSolverMultistepScheduler', ...config });

test('a config names the scheduler of its class, and of its variant', () => {
  expect(schedulerOfConfig({ _class_name: 'PNDMScheduler' })).toBe('pndm');
  expect(dpm({})).toBe('dpmpp-2m');
  expect(dpm({ algorithm_type: 'sde-dpmsolver++' })).toBe('dpmpp-2m-sde');
  expect(dpm({ use_karras_sigmas: true })).toBe('dpmpp-2m-karras');
  expect(dpm({ use_karras_sigmas: true, algorithm_type: 'sde-dpmsolver++' })).toBe('dpmpp-2m-sde-karras');
});

test('what is not built is not passed off as something else', () => {
  expect(schedulerOfConfig({ _class_name: 'HeunDiscreteScheduler' })).toBeUndefined();
  expect(schedulerOfConfig({})).toBeUndefined();
  expect(dpm({ algorithm_type: 'dpmsolver' })).toBeUndefined();
});

test('labels are distinct: they are how people tell schedulers apart', () => {
  expect(new Set(schedulerNames.map((name) => schedulers[name].label)).size).toBe(schedulerNames.length);
});
