import { basename } from 'node:path';
import type { Command } from 'commander';
import { EncoreError } from '../../contracts/errors.ts';
import { controlModes, preprocessors, type ControlMode } from '../../contracts/task-inputs.ts';
import type { ControlInput } from '../../engine/tasks/task.ts';
import type { ResizeMode } from '../../media/fit.ts';
import { controlPicture } from '../../media/control-picture.ts';
import type { Preprocessor } from '../../media/preprocess.ts';
import { installed } from '../installed.ts';
import type { OptionGroup } from './group.ts';
import { nameOf, read } from './pictures.ts';
import { another, number } from './values.ts';

export interface ControlOptions {
  control?: string[];
  controlImage?: string[];
  controlScale?: number[];
  controlStart?: number[];
  controlEnd?: number[];
  preprocessor?: Preprocessor[];
  controlMode?: ControlMode[];
  resize?: ResizeMode;
}

/** ControlNets: the first `--control` goes with the first `--control-image`, the first `--control-scale` and so on. */
export const control: OptionGroup<ControlOptions> = {
  heading: 'ControlNets:',
  declare(command: Command) {
    command
      .option('--control <dir|file|name>', 'ControlNet that guides; may be given again', another)
      .option('--control-image <file>', 'picture that its ControlNet follows', another)
      .option('--control-scale <n>', 'how strongly (default: 1)', anotherNumber)
      .option('--control-start <part>', 'from this part of the run on (default: 0)', anotherNumber)
      .option('--control-end <part>', 'up to this part of the run (default: 1)', anotherNumber)
      .option(
        '--preprocessor <name>',
        `what makes a control picture of the picture: ${preprocessors.join(', ')} (default: none)`,
        anotherOf('preprocessor', preprocessors),
      )
      .option(
        '--control-mode <name>',
        `what decides: ${controlModes.join(', ')} (default: balanced)`,
        anotherOf('control mode', controlModes),
      );
  },
  request(options) {
    const controls = paired(options);
    if (controls.length === 0) return {};
    return {
      control: controls.map(({ model, image, ...rest }) => ({
        model: basename(model).slice(-200),
        image: nameOf(image),
        ...rest,
      })),
    };
  },
  async input(options, soFar) {
    const inputs: ControlInput[] = [];
    // Of what is drawn, or of the picture where only a part of it is.
    const size = soFar.image ?? soFar;
    for (const { model, image, preprocessor, scale = 1, start = 0, end = 1, mode } of paired(options)) {
      const picture = await controlPicture(
        await read(image),
        size,
        options.resize ?? 'crop',
        preprocessor ?? 'none',
      );
      inputs.push({ model: await installed(model, 'controlnet'), image: picture, scale, start, end, mode });
    }
    return inputs.length === 0 ? {} : { control: inputs };
  },
};

interface Paired {
  model: string;
  image: string;
  scale?: number | undefined;
  start?: number | undefined;
  end?: number | undefined;
  preprocessor?: Preprocessor | undefined;
  mode?: ControlMode | undefined;
}

/** Options of one ControlNet together. Throws `invalid_parameter` where there are more of one than ControlNets. */
function paired(options: ControlOptions): Paired[] {
  const { control = [], controlImage = [], preprocessor = [], controlMode = [] } = options;
  const { controlScale = [], controlStart = [], controlEnd = [] } = options;
  const lists = {
    '--control-image': controlImage,
    '--control-scale': controlScale,
    '--control-start': controlStart,
    '--control-end': controlEnd,
    '--preprocessor': preprocessor,
    '--control-mode': controlMode,
  };
  for (const [name, { length }] of Object.entries(lists)) {
    if (length <= control.length) continue;
    throw new EncoreError('invalid_parameter', `${length} times ${name}, ${control.length} times --control`, {
      remedy: 'Name a ControlNet for each of them, in the same order.',
    });
  }
  return control.map((model, i) => {
    const image = controlImage[i];
    if (image === undefined) {
      throw new EncoreError('invalid_parameter', `--control ${model} has no --control-image`, {
        remedy: 'Name the picture that it is to follow.',
      });
    }
    return {
      ...{ model, image, scale: controlScale[i], start: controlStart[i], end: controlEnd[i] },
      ...{ preprocessor: preprocessor[i], mode: controlMode[i] },
    };
  });
}

function anotherNumber(text: string, before: number[] = []): number[] {
  return [...before, number(text)];
}

function anotherOf<T extends string>(what: string, names: readonly T[]) {
  return (text: string, before: T[] = []): T[] => {
    const known = names.find((name) => name === text);
    if (known !== undefined) return [...before, known];
    throw new EncoreError('invalid_parameter', `there is no ${what} "${text}"`, {
      remedy: `Choose one of ${names.join(', ')}.`,
    });
  };
}
