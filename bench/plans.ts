import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Plan } from '../lib/contracts/generation.ts';
import { Engine } from '../lib/engine/tasks/engine.ts';
import { inspectModel } from '../lib/engine/tasks/inspect-model.ts';
import { loadModel } from '../lib/engine/tasks/loaded-model.ts';
import type { GenerateInput, Picture, TaskResult } from '../lib/engine/tasks/task.ts';
import { createRuntime } from '../lib/engine/runtime/runtime.ts';
import { report, type Row } from './report.ts';

const model = fileURLToPath(new URL('../models/toybox', import.meta.url));

/** Candidates at 50 steps; the first is the reference of all others. */
const candidates: readonly [name: string, plan: Plan, injection: number][] = [
  ['exact', 'exact', 0],
  ['faster', 'faster', 0],
  ['faster, injection 0.003', 'faster', 0.003],
  ['fastest', 'fastest', 0],
  ['six keys, 0 1 2 5 12 25', { keySteps: [0, 1, 2, 5, 12, 25] }, 0],
  ['every 10', { every: 10 }, 0],
  ['every 9', { every: 9 }, 0],
  ['every 2', { every: 2 }, 0],
  ['every 4', { every: 4 }, 0],
  ['every 6', { every: 6 }, 0],
];

/**
 * What a plan costs and what it changes: the same seeds exactly and with each plan, on the bundled model. Differences
 * are of the latents before the autoencoder (rms over std) and of the pictures (PSNR); medians over prompts and seeds.
 */
export async function benchPlans(log: (line: string) => void): Promise<void> {
  const defaults = await inspectModel(model);
  const { suggestions } = JSON.parse(await readFile(`${model}/prompts.json`, 'utf8')) as {
    suggestions: string[];
  };
  const costs = await macs(defaults.width, defaults.height);
  const engine = new Engine({ device: 'cpu' });
  const draw = async (prompt: string, seed: number, steps: number, plan: Plan, injection: number) => {
    const request: GenerateInput = {
      ...{ task: 'text-to-image', model, prompt, negativePrompt: '', count: 1, decodeWidth: 'auto' },
      ...{ width: defaults.width, height: defaults.height, guidanceScale: defaults.guidanceScale },
      ...{ seed, steps, plan, injection },
    };
    return engine.generate(request);
  };
  const rows: Row[] = [];
  for (const steps of [50, 20]) {
    const chosen = candidates.filter(
      ([, plan]) => steps === 50 || typeof plan === 'string' || 'every' in plan,
    );
    const results = new Map<string, { result: TaskResult; exact: TaskResult }[]>(
      chosen.map(([name]) => [name, []]),
    );
    for (const [i, prompt] of suggestions.entries()) {
      log(`${steps} steps: ${prompt}`);
      const exact = await draw(prompt, i, steps, 'exact', 0);
      for (const [name, plan, injection] of chosen) {
        results.get(name)!.push({ exact, result: await draw(prompt, i, steps, plan, injection) });
      }
    }
    for (const [name, runs] of results) {
      const { encoderRuns } = runs[0]!.result.receipt;
      const speedUp =
        (steps * (costs.encoder + costs.decoder)) / (encoderRuns * costs.encoder + steps * costs.decoder);
      const change = median(runs.map(({ result, exact }) => relativeRms(result, exact)));
      const db = median(runs.map(({ result, exact }) => psnr(result.pictures[0]!, exact.pictures[0]!)));
      rows.push([
        `${steps} steps, ${name}`,
        `${encoderRuns} encoder runs, ${speedUp.toFixed(2)}x by multiply-accumulates`,
        change === 0
          ? 'the reference'
          : `latents differ by ${change.toFixed(3)} of their std, pictures ${db.toFixed(1)} dB`,
      ]);
    }
  }
  await engine.dispose();
  await report('npm run bench -- plans', `Plans on Toybox, ${suggestions.length} prompts`, rows);
}

async function macs(width: number, height: number): Promise<{ encoder: number; decoder: number }> {
  const runtime = await createRuntime({ device: 'cpu' });
  const { denoiser, autoencoder } = await loadModel(model, (graph) => runtime.open(graph));
  const { scale } = autoencoder.config;
  const cost = denoiser.cost(height / scale, width / scale);
  await runtime.dispose();
  return cost;
}

function relativeRms({ latents }: TaskResult, { latents: exact }: TaskResult): number {
  const n = exact.data.length;
  const mean = exact.data.reduce((sum, value) => sum + value, 0) / n;
  const variance = exact.data.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const squares = exact.data.reduce((sum, value, i) => sum + (value - latents.data[i]!) ** 2, 0);
  return Math.sqrt(squares / variance);
}

function psnr(a: Picture, b: Picture): number {
  const squares = a.data.reduce((sum, value, i) => sum + (value - b.data[i]!) ** 2, 0);
  return 10 * Math.log10((255 ** 2 * a.data.length) / squares);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}
