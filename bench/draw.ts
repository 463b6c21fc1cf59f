import { Engine } from '../lib/engine/tasks/engine.ts';
import type { GenerateInput } from '../lib/engine/tasks/task.ts';
import type { Receipt } from '../lib/contracts/generation.ts';
import { peakPrivateBytes, timed } from './measure.ts';

/** What a process that draws once or more printed. */
export interface Drawn {
  /** Seconds of each picture, the first one with everything that has to be opened. */
  wall: number[];
  /** Seconds that opening graphs took in the first. */
  load: number;
  peak: number;
  /** Of the last picture. */
  receipt: Receipt;
}

// Run by toybox.ts and sd15.ts in a process of its own: draw.ts CACHE TIMES INPUT
const [directory = '', times = '1', json = '{}'] = process.argv.slice(2);
const input = JSON.parse(json) as GenerateInput;
const { result, peak } = await peakPrivateBytes(async () => {
  const engine = new Engine({ device: 'cpu', cache: { directory, budgetBytes: 100e9 } });
  const wall: number[] = [];
  let load = 0;
  let receipt: Receipt | undefined;
  for (let i = 0; i < Number(times); i++) {
    const drawn = await timed(() => engine.generate(input));
    receipt = drawn.result.receipt;
    wall.push(drawn.wall);
    if (i === 0) load = receipt.seconds.load;
  }
  await engine.dispose();
  return { wall, load, receipt };
});
process.stdout.write(JSON.stringify({ ...result, peak }));
