import { Option } from 'commander';
import { limits, schedulerNames, tasks, type Plan, type SchedulerName } from '../../contracts/generation.ts';
import { EncoreError } from '../../contracts/errors.ts';
import type { TaskName } from '../../contracts/task-inputs.ts';
import type { RuntimeOptions } from '../../engine/runtime/runtime.ts';
import { deviceNames } from '../../engine/runtime/session.ts';
import type { OptionGroup } from './group.ts';
import { number, orAuto, orOff, parsePlan, schedulerName } from './values.ts';

export interface SamplingOptions {
  task?: TaskName;
  model: string;
  prompt?: string;
  negative?: string;
  steps?: number;
  scheduler?: SchedulerName;
  guidance?: number;
  seed: number;
  width?: number;
  height?: number;
  count: number;
  plan?: Plan;
  injection?: number | 'off';
  decodeWidth: number | 'auto';
  eta: number;
  clipSkip?: number;
  noise: 'philox' | 'torch-cpu';
  device: RuntimeOptions['device'];
}

/** What every task has: words, steps, size, seed, and how the loop goes. */
export const sampling: OptionGroup<SamplingOptions> = {
  heading: 'Drawing:',
  declare(command) {
    command
      .option('--prompt <text>', 'what to draw')
      .option('--negative <text>', 'what to keep away from')
      .option(
        '--model <name|dir>',
        'installed model (see `encore models`), diffusers folder or .safetensors file',
        'toybox',
      )
      .addOption(
        new Option('--task <name>', 'what to do (default: what the other options say)').choices(tasks),
      )
      .option('--steps <n>', "denoising steps (default: the model's)", number)
      .option('--scheduler <name>', `${schedulerNames.join(', ')} (default: the model's)`, schedulerName)
      .option('--guidance <g>', "classifier-free guidance; 1 or less is off (default: the model's)", number)
      .option('--seed <n>', 'picture i of several is drawn from seed + i', number, 0)
      .option('--width <pixels>', "default: the picture's, or the model's", number)
      .option('--height <pixels>', "default: the picture's, or the model's", number)
      .option('--count <n>', `pictures, ${limits.maxCount} at most`, number, 1)
      .option(
        '--plan <plan>',
        "steps that run the encoder: exact, faster, fastest, uniform:K, or a list like 0,1,2,5 (default: the model's)",
        parsePlan,
      )
      .option(
        '--injection <alpha>',
        'prior noise injection, or off (default: 0.003, off for exact runs)',
        orOff,
      )
      .option('--decode-width <n>', 'most steps decoded in one call', orAuto, 'auto')
      .option('--clip-skip <n>', 'layers left out at the end of the text encoder', number)
      .option('--eta <eta>', 'ddim: from 0, deterministic, to 1, as noisy as ddpm', number, 0)
      .addOption(
        new Option('--noise <generator>', "torch's generator to follow: CUDA's or the CPU's")
          .choices(['philox', 'torch-cpu'])
          .default('philox'),
      )
      .addOption(
        new Option('--device <name>', 'where to run').choices(['auto', ...deviceNames]).default('auto'),
      );
  },
  request(options, defaults) {
    const {
      model,
      prompt = '',
      negative: negativePrompt = '',
      seed,
      count,
      clipSkip,
      width,
      height,
    } = options;
    const scheduler = options.scheduler ?? defaults.scheduler;
    if (scheduler === undefined) {
      throw new EncoreError('unknown_scheduler', `the scheduler that ${model} names is not supported`, {
        remedy: `Choose one with --scheduler: ${schedulerNames.join(', ')}.`,
      });
    }
    return {
      ...{ model, prompt, negativePrompt, seed, count, clipSkip, scheduler },
      width: width ?? defaults.width,
      height: height ?? defaults.height,
      steps: options.steps ?? defaults.steps,
      guidanceScale: options.guidance ?? defaults.guidanceScale,
      plan: options.plan ?? defaults.plan,
      injection: options.injection,
    };
  },
  input: ({ decodeWidth, eta, noise }) => Promise.resolve({ decodeWidth, eta, noiseKind: noise }),
};
