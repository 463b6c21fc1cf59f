import { generateDatabaseClient } from '../scripts/lib/steps.mjs';

type Log = (line: string) => void;
interface Options {
  /** sd15 only. */
  runs: boolean;
}
type Bench = (log: Log, options: Options) => Promise<void>;

/** Loaded when asked for, so that what one of them needs does not stand in the way of the others. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  toybox: async () => (await import('./toybox.ts')).benchToybox,
  plans: async () => (await import('./plans.ts')).benchPlans,
  parity: async () => (await import('./parity.ts')).benchParity,
  studio: async () => {
    await generateDatabaseClient();
    return (await import('./studio.ts')).benchStudio;
  },
  control: async () => (await import('./control.ts')).benchControl,
  video: async () => (await import('./video.ts')).benchVideo,
  lora: async () => (await import('./lora.ts')).benchLora,
  sd15: async () => (await import('./sd15.ts')).benchSd15,
};

const usage = `Usage: npm run bench [-- NAME]

  toybox   the bundled model; what runs without a name
  plans    what each plan costs and what it changes, on the bundled model
  parity   how far the engine is from torch and diffusers, on the references of the tests
  studio   requests a second, and queries at a history of 50,000
  control  a ControlNet beside Stable Diffusion 1.5, at full size, random weights (long)
  video    Text2Video-Zero with Stable Diffusion 1.5, at full size, random weights (long)
  lora     what a LoRA and a change of its weight cost when Stable Diffusion 1.5 is opened (long)
  sd15     Stable Diffusion 1.5 at full size, random weights; --runs measures whole runs too (long)
`;

const log = (line: string) => process.stderr.write(`${line}\n`);
const args = process.argv.slice(2);
const names = args.filter((arg) => arg !== '--runs');
const load = benches[names[0] ?? 'toybox'];
if (load === undefined || names.length > 1) {
  log(`bench: what is ${args.join(' ')}?\n\n${usage}`);
  process.exitCode = 2;
} else {
  const bench = await load();
  await bench(log, { runs: args.includes('--runs') });
}
