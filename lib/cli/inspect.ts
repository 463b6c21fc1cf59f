import { Command } from 'commander';
import { EncoreError } from '../contracts/errors.ts';
import { printAdapter, reportAdapter } from './adapter-report.ts';
import { installed } from './installed.ts';
import { reportModel, type ModelReport } from './model-report.ts';
import { print, printJson, showBytes } from './output.ts';

export function inspectCommand(): Command {
  return new Command('inspect')
    .addHelpText('after', '\nExit code 2 where a part of it cannot be used.')
    .argument(
      '<model>',
      'diffusers folder, component folder, .safetensors file, or what is installed by that name',
    )
    .option('--model <dir|file|name>', 'whether a LoRA or an embedding fits this model')
    .option('--json', 'print one JSON object')
    .action(async (given: string, options: { model?: string; json?: boolean }) => {
      const { json } = options;
      const path = await installed(given);
      const model = options.model && (await installed(options.model, 'model'));
      const adapter = await reportAdapter(path, model);
      if (adapter !== null) {
        if (json) printJson(adapter);
        else printAdapter(adapter);
        if (adapter.problem) throw new EncoreError(adapter.problem.code, adapter.problem.message);
        return;
      }
      if (model !== undefined) {
        throw new EncoreError('invalid_request', `--model: ${path} is no LoRA and no embedding`);
      }
      const report = await reportModel(path);
      if (json) printJson(report);
      else printReport(report);
      const problem = report.components.find((component) => component.problem !== null)?.problem;
      if (problem) throw new EncoreError(problem.code, problem.message);
    });
}

function printReport({ path, layout, className, hash, components }: ModelReport): void {
  print(`${className} (${layout}) ${path}`);
  print(`weights ${hash ?? 'none'}`);
  for (const each of components) {
    const { name, className: kind, tensors, parameters, bytes, dtypes, matched, unmatched, problem } = each;
    print(`  ${name.padEnd(17)} ${kind}`);
    if (tensors > 0) {
      const use = matched === null ? '' : `, ${matched} matched, ${unmatched.length} unmatched`;
      const count = `${(parameters / 1e6).toFixed(1)} M parameters`;
      print(`${indent}${tensors} tensors${use}, ${count}, ${showBytes(bytes)} ${dtypes.join(' + ')}`);
    }
    for (const tensor of unmatched.slice(0, shownNames)) print(`${indent}unmatched: ${tensor}`);
    if (unmatched.length > shownNames)
      print(`${indent}... and ${unmatched.length - shownNames} more (--json lists all)`);
    if (problem !== null) print(`${indent}cannot be used: ${problem.message}`);
  }
}

const indent = ' '.repeat(20);
const shownNames = 5;
