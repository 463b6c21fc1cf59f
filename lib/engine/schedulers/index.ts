import { EncoreError } from '../../contracts/errors.ts';
import { schedulerNames, type SchedulerName } from '../../contracts/generation.ts';
import { ddim } from './ddim.ts';
import type { Scheduler, SchedulerRun } from './scheduler.ts';

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
  }
}

/** diffusers' class names, to ours. */
const classes: Readonly<Record<string, SchedulerName>> = {
  DDIMScheduler: 'ddim',
};

/** Which of ours a scheduler_config.json names. Throws `unknown_scheduler`. */
export function schedulerNameOf(settings: Settings): SchedulerName {
  const className = settings._class_name;
  const name = typeof className === 'string' ? classes[className] : undefined;
  if (name !== undefined) return name;
  throw new EncoreError('unknown_scheduler', `scheduler_config.json names ${JSON.stringify(className)}`, {
    remedy: `Choose one of ${schedulerNames.join(', ')}.`,
  });
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
