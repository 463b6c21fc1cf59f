import { Command } from 'commander';
import { describeAdapter } from '../contracts/adapters.ts';
import { EncoreError } from '../contracts/errors.ts';
import type { ModelKind } from '../contracts/models.ts';
import { headerOf } from '../engine/checkpoint/adapter-file.ts';
import { openControlSource } from '../engine/checkpoint/control-source.ts';
import { openModel } from '../engine/checkpoint/model-source.ts';
import { openSafetensors } from '../engine/checkpoint/safetensors.ts';
import { kindNames, listInstalled } from './installed.ts';
import { print, printJson } from './output.ts';

export function modelsCommand(): Command {
  return new Command('models')
    .option('--json', 'print one JSON object')
    .action(async ({ json }: { json?: boolean }) => {
      const models = [];
      for (const { name, path } of await listInstalled())
        models.push({ name, ...(await kindOf(path)), path });
      if (json) return printJson({ models });
      const width = Math.max(...models.map(({ name }) => name.length));
      for (const { name, kind, problem, path } of models) {
        const what = kind === null ? `cannot be used: ${problem}` : kindNames[kind];
        print(`${name.padEnd(width)}  ${what.padEnd(kindNames.motion.length)}  ${path}`);
      }
    });
}

/** From configs and headers alone. */
async function kindOf(path: string): Promise<{ kind: ModelKind | null; problem: string | null }> {
  try {
    return {
      kind: await (path.endsWith('.safetensors') ? kindOfFile(path) : kindOfFolder(path)),
      problem: null,
    };
  } catch (error) {
    if (!(error instanceof EncoreError)) throw error;
    return { kind: null, problem: error.message };
  }
}

async function kindOfFile(path: string): Promise<ModelKind> {
  const adapter = describeAdapter(headerOf(await openSafetensors(path)), '');
  if (adapter !== null) return adapter.kind;
  const isControl = await openControlSource(path).then(
    () => true,
    () => false,
  );
  if (!isControl) await openModel(path);
  return isControl ? 'controlnet' : 'model';
}

async function kindOfFolder(path: string): Promise<ModelKind> {
  const { layout, className } = await openModel(path);
  if (layout === 'diffusers') return 'model';
  if (className === 'ControlNetModel') return 'controlnet';
  if (className === 'MotionAdapter') return 'motion';
  throw new EncoreError('checkpoint_unsupported', `${className} is not supported`);
}
