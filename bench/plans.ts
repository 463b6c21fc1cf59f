import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Plan } from '../lib/contracts/generation.ts';
import { Engine } from '../lib/engine/tasks/engine.ts';
import { inspectModel } from '../lib/engine/tasks/inspect-model.ts';
import { loadModel } from '../lib/engine/tasks/loaded-model.ts';
import type { Picture, TaskResult } from '../lib/engine/tasks/task.ts';
import { createRuntime } from '../lib/engine/runtime/runtime.ts';
import { chart, type Mark } from './chart.ts';
import { openJudge, type Seen } from './judge.ts';
import { reportTable } from './report.ts';

const model = fileURLToPath(new URL('../models/toybox', import.meta.url));
const chartFile = fileURLToPath(new URL('../docs/pictures/plans.svg', import.meta.url));

const promptCount = 64;
const wholeSteps = 50;
const lights = ['day', 'sunset', 'night'];

const knowledge = z.object({
  things: z.array(z.string()),
  articles: z.record(z.string(), z.string()),
  places: z.record(z.string(), z.array(z.string())),
  times: z.record(z.string(), z.array(z.string())),
  timePhrases: z.record(z.string(), z.array(z.string())),
  colourPhrases: z.record(z.string(), z.string()),
});
type Knowledge = z.infer<typeof knowledge>;

interface Candidate {
  name: string;
  kind: string;
  steps: number;
  plan: Plan;
}

/**
 * What a plan costs and what it changes: 64 prompts of the bundled model, each with its own seed. The picture is compared
 * with that of 50 exact steps (PSNR, median), and the judge says whether thing, place and light are right. Runs of fewer
 * exact steps at the cost of `faster` and `fastest` stand beside them. Writes a table and docs/pictures/plans.svg.
 */
export async function benchPlans(log: (line: string) => void): Promise<void> {
  const defaults = await inspectModel(model);
  const known = knowledge.parse(JSON.parse(await readFile(`${model}/prompts.json`, 'utf8')));
  const asked = prompts(known);
  const runtime = await createRuntime({ device: 'cpu' });
  const { denoiser, autoencoder } = await loadModel(model, (graph) => runtime.open(graph));
  const { scale } = autoencoder.config;
  const costs = denoiser.cost(defaults.height / scale, defaults.width / scale);
  const whole = costs.encoder + costs.decoder;
  const cost = (keys: number, steps: number) =>
    (keys * costs.encoder + steps * costs.decoder) / (wholeSteps * whole);
  const judge = await openJudge(
    runtime,
    known.things.length,
    Object.keys({ ...known.places, ...known.colourPhrases }).length,
  );
  const engine = new Engine({ device: 'cpu' });
  const all = candidates((keys) => Math.round(wholeSteps * cost(keys, wholeSteps)));
  const results = new Map(
    all.map((candidate) => [candidate, { keys: 0, db: [] as number[], right: [] as boolean[] }]),
  );
  for (const [i, { text, shows }] of asked.entries()) {
    log(`${i + 1} of ${asked.length}: ${text}`);
    let exact: Picture | undefined;
    for (const [{ steps, plan }, entry] of results) {
      const result: TaskResult = await engine.generate({
        ...{ task: 'text-to-image', model, prompt: text, negativePrompt: '', count: 1, decodeWidth: 'auto' },
        ...{ width: defaults.width, height: defaults.height, guidanceScale: defaults.guidanceScale },
        ...{ seed: i, steps, plan, injection: 0 },
      });
      const picture = result.pictures[0]!;
      exact ??= picture;
      entry.keys = result.receipt.encoderRuns;
      entry.db.push(psnr(picture, exact));
      entry.right.push(same(await judge.look(picture), shows));
    }
  }
  await engine.dispose();
  await runtime.dispose();
  const rows = all.map((candidate) => {
    const { keys, db, right } = results.get(candidate)!;
    const change = candidate === all[0] ? 'the reference' : `${median(db).toFixed(1)} dB`;
    const share = (100 * right.filter(Boolean).length) / right.length;
    return { candidate, x: cost(keys, candidate.steps), y: median(db), keys, change, share };
  });
  const marks: Mark[] = rows
    .filter(({ candidate }) => candidate !== all[0])
    .map(({ candidate, x, y }) => ({ label: candidate.name, x, y, kind: candidate.kind }));
  await writeFile(chartFile, chart(marks, 'UNet cost, 50 exact steps = 1', 'PSNR to 50 exact steps, dB'));
  await reportTable(
    'npm run bench -- plans',
    `Plans on Toybox, ${asked.length} prompts`,
    ['run', 'encoder runs', 'UNet cost', 'to 50 exact steps', 'thing, place and light right'],
    rows.map(({ candidate, keys, x, change, share }) => [
      ...[candidate.name, String(keys), x.toFixed(2), change, `${share.toFixed(1)} %`],
    ]),
    ['![PSNR over cost](pictures/plans.svg)'],
  );
}

/** The first is the reference. `equal` says how many exact steps cost what 50 steps with that many keys cost. */
function candidates(equal: (keys: number) => number): Candidate[] {
  const exact = (steps: number): Candidate => ({
    name: `exact, ${steps}`,
    kind: 'exact',
    steps,
    plan: 'exact',
  });
  const named = (plan: 'faster' | 'fastest', steps: number): Candidate => ({
    ...{ name: `${plan}, ${steps}`, kind: plan, steps, plan },
  });
  const uniform = (every: number, steps: number): Candidate => ({
    ...{ name: `uniform:${every}, ${steps}`, kind: `uniform, ${steps} steps`, steps, plan: { every } },
  });
  const steps = [...new Set([equal(9), equal(6), 25, 15])].sort((a, b) => b - a);
  return [
    exact(wholeSteps),
    ...steps.map(exact),
    ...[named('faster', 50), named('faster', 25), named('fastest', 50), named('fastest', 25)],
    ...[
      uniform(2, 50),
      uniform(3, 50),
      uniform(6, 50),
      uniform(9, 50),
      uniform(2, 25),
      uniform(3, 25),
      uniform(5, 25),
    ],
  ];
}

/** Every thing in turn, places and lights by strides that share no factor with their number; one in five on a colour. */
function prompts(known: Knowledge): { text: string; shows: Seen }[] {
  const places = Object.entries(known.places);
  const colours = Object.values(known.colourPhrases);
  return Array.from({ length: promptCount }, (_, i) => {
    const thing = i % known.things.length;
    const name = known.things[thing]!;
    const lead = `${known.articles[name]} ${name}`;
    if (i % 5 === 4) {
      const colour = (7 * i) % colours.length;
      return {
        text: `${lead} ${colours[colour]}`,
        shows: { thing, place: places.length + colour, light: 0 },
      };
    }
    const place = (5 * i) % places.length;
    const [title, phrases] = places[place]!;
    const times = known.times[title] ?? ['day'];
    const time = times[i % times.length]!;
    const words = [lead, phrases[0], known.timePhrases[time]?.[0]].filter(Boolean);
    return { text: words.join(' '), shows: { thing, place, light: lights.indexOf(time) } };
  });
}

function same(a: Seen, b: Seen): boolean {
  return a.thing === b.thing && a.place === b.place && a.light === b.light;
}

function psnr(a: Picture, b: Picture): number {
  const squares = a.data.reduce((sum, value, i) => sum + (value - b.data[i]!) ** 2, 0);
  return 10 * Math.log10((255 ** 2 * a.data.length) / squares);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}
