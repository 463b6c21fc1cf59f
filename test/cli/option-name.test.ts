import { expect, test } from 'vitest';
import { generateCommand } from '../../lib/cli/generate.ts';
import { optionOf } from '../../lib/cli/generate/option-name.ts';
import { generationRequestSchema } from '../../lib/contracts/generation.ts';
import { controlSchema, loraSchema, upscaleSchema, videoSchema } from '../../lib/contracts/task-inputs.ts';

const fields = [
  ...Object.keys(generationRequestSchema.shape).map((name) => [name]),
  ...Object.keys(controlSchema.shape).map((name) => ['control', 0, name]),
  ...Object.keys(loraSchema.shape).map((name) => ['loras', 1, name]),
  ...Object.keys(upscaleSchema.shape).map((name) => ['upscale', name]),
  ...Object.keys(videoSchema.shape).map((name) => ['video', name]),
  ...['x', 'y'].map((name) => ['video', 'motion', name]),
  ...['left', 'bottom'].map((name) => ['outpaint', name]),
  ...['every', 'keySteps'].map((name) => ['plan', name]),
].filter((path) => path.join() !== 'video,motion');

test.each(fields.map((path) => [path.join('.'), path] as const))(
  '%s has an option to be named by',
  (_, path) => {
    const options = generateCommand().options.map(({ long }) => long);
    expect(options).toContain(optionOf(path));
  },
);
