import { Command } from 'commander';
import { reportModel, type ModelReport } from './model-report.ts';
import { print, printJson, showBytes } from './output.ts';

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('architecture, configs, types and tensors of a model folder or a .safetensors file')
    .argument('<path>', 'diffusers folder, component folder or .safetensors file')
    .option('--json', 'print one JSON object')
    .action(async (path: string, { json }: { json?: boolean }) => {
      const report = await reportModel(path);
      if (json) printJson(report);
      else printReport(report);
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
    if (problem !== null) print(`${indent}cannot be used: ${problem}`);
  }
}

const indent = ' '.repeat(20);
const shownNames = 5;
