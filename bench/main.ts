import { benchControl } from './control.ts';
import { benchParity } from './parity.ts';
import { benchPlans } from './plans.ts';
import { benchSd15 } from './sd15.ts';
import { benchStudio } from './studio.ts';
import { benchToybox } from './toybox.ts';
import { benchVideo } from './video.ts';

// npm run bench            the bundled model
// npm run bench -- plans   what each plan costs and what it changes, on the bundled model
// npm run bench -- parity  how far the engine is from torch and diffusers, on the references of the tests
// npm run bench -- studio  requests a second, and queries at a history of 50,000
// npm run bench -- control a ControlNet beside Stable Diffusion 1.5, at full size, random weights (long)
// npm run bench -- video   Text2Video-Zero with Stable Diffusion 1.5, at full size, random weights (long)
// npm run bench -- sd15    Stable Diffusion 1.5 at full size, random weights; --runs measures whole runs too (long)

const log = (line: string) => process.stderr.write(`${line}\n`);
const args = process.argv.slice(2);
const known = args.every((arg) =>
  ['toybox', 'plans', 'parity', 'studio', 'sd15', 'control', 'video', '--runs'].includes(arg),
);
if (!known) {
  log(
    `bench: what is ${args.join(' ')}? There are: npm run bench, npm run bench -- plans, npm run bench -- parity, npm run bench -- studio, npm run bench -- control, npm run bench -- video, npm run bench -- sd15 [--runs]`,
  );
  process.exitCode = 2;
} else if (args.includes('sd15')) await benchSd15(log, { runs: args.includes('--runs') });
else if (args.includes('control')) await benchControl(log);
else if (args.includes('video')) await benchVideo(log);
else if (args.includes('plans')) await benchPlans(log);
else if (args.includes('studio')) await benchStudio(log);
else if (args.includes('parity')) await benchParity(log);
else await benchToybox(log);
