import { Command } from 'commander';
import { z } from 'zod';
import { EncoreError } from '../contracts/errors.ts';
import {
  generationRequestSchema,
  limits,
  withoutReferences,
  type GenerationParams,
} from '../contracts/generation.ts';
import { defaultInjection, skippedSteps } from '../contracts/plan.ts';
import { defaultStrength, type TaskName } from '../contracts/task-inputs.ts';
import { Engine } from '../engine/tasks/engine.ts';
import { inspectModel } from '../engine/tasks/inspect-model.ts';
import type { GenerateInput } from '../engine/tasks/task.ts';
import { runtimeOptions } from './environment.ts';
import { adapters, type AdapterOptions } from './generate/adapters.ts';
import { control, type ControlOptions } from './generate/control.ts';
import type { OptionGroup, RequestFields } from './generate/group.ts';
import { optionOf } from './generate/option-name.ts';
import { pictures, type PictureOptions } from './generate/pictures.ts';
import {
  expectWritable,
  finish,
  freeName,
  progressBar,
  result,
  type ResultOptions,
} from './generate/result.ts';
import { sampling, type SamplingOptions } from './generate/sampling.ts';
import { tensors, type TensorOptions } from './generate/tensors.ts';
import { asksForVideo, video, type VideoFileOptions } from './generate/video.ts';
import { installed } from './installed.ts';

type GenerateOptions = SamplingOptions &
  AdapterOptions &
  TensorOptions &
  PictureOptions &
  ControlOptions &
  VideoFileOptions &
  ResultOptions;

/** As they were typed: a name for the result may be missing. */
type GivenOptions = Omit<GenerateOptions, 'out'> & { out?: string };

/** In the order of the help, and in the order in which they fill the engine's input. */
const groups: readonly OptionGroup<GenerateOptions>[] = [
  sampling,
  result,
  pictures,
  control,
  adapters,
  video,
  tensors,
];

export function generateCommand(): Command {
  const command = new Command('generate').argument('[prompt]', 'what to draw, the same as --prompt');
  for (const group of groups) group.declare(command.optionsGroup(group.heading));
  return command
    .addHelpText('after', examples)
    .action(async (prompt: string | undefined, options: GivenOptions) => {
      if (prompt !== undefined && options.prompt !== undefined)
        throw new EncoreError('invalid_request', 'the prompt was given twice, with --prompt and without');
      await generate({ ...options, prompt: prompt ?? options.prompt });
    });
}

const examples = `
Examples:
  encore generate "a fox in a meadow" --out fox.png
  encore generate "an owl in the snow" --image fox.png --strength 0.7
  encore generate "a red fox" --image fox.png --mask mask.png
  encore generate "a castle" --control toybox-scribble --control-image drawing.png
  encore generate "a fox in a meadow" --frames 8 --out fox.mp4`;

async function generate(given: GivenOptions): Promise<void> {
  const model = await installed(given.model, 'model');
  const options = { ...given, out: given.out ?? (await freeName(given.count, asksForVideo(given))) };
  await expectWritable(options);
  const params = await paramsOf(options, model);
  let input: GenerateInput = { ...withoutReferences(params), model, decodeWidth: 'auto' };
  for (const group of groups) input = { ...input, ...(await group.input?.(options, input)) };

  const cancel = new AbortController();
  const interrupt = () => cancel.abort();
  process.once('SIGINT', interrupt);
  const engine = new Engine(runtimeOptions(options.device));
  const bar = process.stderr.isTTY ? progressBar() : undefined;
  try {
    const drawn = await engine.generate(input, {
      signal: cancel.signal,
      onProgress: (progress) => bar?.update(progress),
    });
    bar?.stop();
    await finish(drawn, params, options, cancel.signal);
  } finally {
    bar?.stop();
    process.removeListener('SIGINT', interrupt);
    await engine.dispose();
  }
}

/** The request as the API would read it, with the model's defaults filled in. */
async function paramsOf(options: GenerateOptions, model: string): Promise<GenerationParams> {
  if (options.prompt === undefined && options.promptEmbeds === undefined) {
    throw new EncoreError('invalid_request', 'neither a prompt nor --prompt-embeds was given', {
      remedy: 'Say what to draw: encore generate "a fox in a meadow".',
    });
  }
  const defaults = await inspectModel(model);
  const fields: RequestFields = {};
  for (const group of groups) Object.assign(fields, await group.request?.(options, defaults));
  const request = { ...fields, task: options.task ?? taskOf(fields) };
  const schema =
    options.promptEmbeds === undefined
      ? generationRequestSchema
      : generationRequestSchema.safeExtend({ prompt: z.string().max(limits.promptLength) });
  const parsed = schema.safeParse(request);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const value = issue.path.reduce<unknown>((at, key) => (at as never)?.[key], request);
    const given = value === undefined ? '' : ` ${shortened(JSON.stringify(value))}`;
    throw new EncoreError('invalid_parameter', `${optionOf(issue.path)}${given}: ${issue.message}`);
  }
  const { task, steps = defaults.steps, plan = defaults.plan, strength, injection } = parsed.data;
  const part = strength ?? (defaultStrength as Partial<Record<TaskName, number>>)[task] ?? 1;
  const alpha = injection ?? defaultInjection(plan, steps, skippedSteps(steps, part), task);
  return { ...(parsed.data as GenerationParams), plan, injection: alpha === 'off' ? 0 : alpha };
}

/** A prompt may be a book. */
function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

/** What the other options ask for. */
function taskOf({ image, mask, outpaint, strength, control, video, upscale }: RequestFields): TaskName {
  if (video !== undefined) return 'text-to-video';
  if (mask !== undefined || outpaint !== undefined) return 'inpaint';
  if (image !== undefined) {
    return upscale !== undefined && strength === undefined ? 'upscale' : 'image-to-image';
  }
  return control === undefined ? 'text-to-image' : 'reference';
}
