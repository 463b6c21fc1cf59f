import { EncoreError } from '../../contracts/errors.ts';
import { schedulerNames, schedulerOfConfig, type SchedulerName } from '../../contracts/schedulers.ts';
import { ddim } from './ddim.ts';
import { ddpm } from './ddpm.ts';
import { dpmSolver } from './dpm-solver.ts';
import { eulerAncestral } from './euler-ancestral.ts';
import { euler } from './euler.ts';
import { lcm } from './lcm.ts';
import { pndm } from './pndm.ts';
import type { Scheduler, SchedulerRun } from './scheduler.ts';
import { unipc } from './unipc.ts';

export type { RunOptions, Scheduler, SchedulerRun } from './scheduler.ts';

type Settings = Readonly<Record<string, unknown>>;

/**
 * The scheduler of a checkpoint: settings from its scheduler_config.json, class from there too unless a name is given.
 * Throws `unknown_scheduler`, and `checkpoint_unsupported` for settings the class cannot honour.
 */
export function createScheduler(settings: Settings, name = schedulerNameOf(settings)): Scheduler {
  return inOrder(create(settings, name));
}

function create(settings: Settings, name: SchedulerName): Scheduler {
  switch (name) {
    case 'ddim':
      return ddim(settings);
    case 'pndm':
      return pndm(settings);
    case 'euler':
      return euler(settings);
    case 'euler-a':
      return eulerAncestral(settings);
    case 'dpmpp-2m':
      return dpmSolver(name, { ...settings, algorithm_type: 'dpmsolver++' });
    case 'dpmpp-2m-karras':
      return dpmSolver(name, { ...settings, ...karras, algorithm_type: 'dpmsolver++' });
    case 'dpmpp-2m-sde':
      return dpmSolver(name, { ...settings, algorithm_type: 'sde-dpmsolver++' });
    case 'dpmpp-2m-sde-karras':
      return dpmSolver(name, { ...settings, ...karras, algorithm_type: 'sde-dpmsolver++' });
    case 'unipc':
      return unipc(settings);
    case 'lcm':
      return lcm(settings);
    case 'ddpm':
      return ddpm(settings);
  }
}

const karras = { use_karras_sigmas: true, use_exponential_sigmas: false };

/** Which of ours a scheduler_config.json names. Throws `unknown_scheduler`. */
export function schedulerNameOf(settings: Settings): SchedulerName {
  const name = schedulerOfConfig(settings);
  if (name !== undefined) return name;
  throw new EncoreError(
    'unknown_scheduler',
    `scheduler_config.json names ${JSON.stringify(settings._class_name)}`,
    { remedy: `Choose one of ${schedulerNames.join(', ')}.` },
  );
}

/** Multistep history is right only where every evaluation is stepped once, in order: anything else is our mistake. */
function inOrder(scheduler: Scheduler): Scheduler {
  return {
    ...scheduler,
    begin(options): SchedulerRun {
      const run = scheduler.begin(options);
      let expected = 0;
      return {
        ...run,
        step(prediction, index, sample, noise) {
          if (index !== expected || index >= run.timesteps.length) {
            throw new EncoreError(
              'internal',
              `step ${index} of ${scheduler.name} came instead of ${expected}`,
            );
          }
          expected++;
          return run.step(prediction, index, sample, noise);
        },
      };
    },
  };
}
