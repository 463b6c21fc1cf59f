import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Generation } from '../../lib/contracts/generation.ts';
import type { Stack } from '../../test/e2e/support/stack.ts';
import { writeMotionAdapter } from '../../test/support/motion.ts';

const sentences = [
  'a rocket in space',
  'a penguin in the snow',
  'a castle in the mountains at sunset',
  'a robot on the beach at sunset',
  'a mushroom in the forest',
  'a car on a city street at night',
  'a turtle under water',
  'a sunflower in a meadow',
  'a dragon in the sky',
  'a pumpkin on a purple background',
  'a sailboat on the sea at sunset',
  'an owl in the forest at night',
  'a strawberry on a white background',
  'a cactus in the desert',
  'a snowman in the snow at night',
];

/** Place of the sentence of which four pictures are made. */
const BATCH = 7;

/** What the scenes are about. */
export interface Made {
  /** The newest, as anyone gets it who takes the first sentence that is offered. */
  fox: Generation;
  rocket: Generation;
  robot: Generation;
  /** The robot once more, every step in full. */
  exact: Generation;
  /** Four pictures of one sentence. */
  batch: Generation;
  /** A castle by night, from one at sunset. */
  redrawn: Generation;
  video: Generation;
  failed: Generation;
  all: Generation[];
}

/** Fills an empty studio with pictures of every kind, on boards and with stars, and with adapters to choose from. */
export async function fill(stack: Stack): Promise<Made> {
  const models = join(stack.home, 'models');
  await mkdir(models, { recursive: true });
  await writeMotionAdapter(join(models, 'animatediff-motion'));
  const failed = await stack.make({ prompt: 'a dog in a room', model: await stack.addDamagedModel() });

  const all: Generation[] = [];
  for (const [index, prompt] of sentences.entries()) {
    all.push(await stack.make({ prompt, seed: index + 1, count: index === BATCH ? 4 : 1 }));
  }
  const at = (index: number): Generation => {
    const made = all[index];
    if (made === undefined) throw new Error(`picture ${index} was not made`);
    return made;
  };
  const [rocket, castle, robot, batch] = [at(0), at(2), at(3), at(BATCH)];
  const { id: seaside } = await stack.call<{ id: string }>('POST', '/boards', { name: 'Seaside' });
  const idsOf = (words: RegExp) => all.filter(({ params }) => words.test(params.prompt)).map(({ id }) => id);
  await stack.call('POST', '/generations/bulk', {
    action: 'move',
    ids: idsOf(/sea|beach|water/),
    boardId: seaside,
  });
  await stack.call('POST', '/boards', { name: 'For the nursery' });
  await stack.call('POST', '/generations/bulk', { action: 'star', ids: idsOf(/robot|owl/) });

  const asked = await stack.call<Generation>('POST', `/generations/${robot.id}/verify`);
  const redrawn = await stack.make({
    task: 'image-to-image',
    prompt: 'a castle in the mountains at night',
    image: castle.assets[0]?.id,
    strength: 0.7,
    seed: 5,
  });
  const video = await stack.make({
    task: 'text-to-video',
    prompt: 'a sailboat on the sea at sunset',
    seed: 12,
    video: { frames: 8, fps: 4 },
  });
  const exact = await over(stack, asked.id);
  const fox = await stack.make({ prompt: 'a fox in a meadow', seed: 0 });
  return { fox, rocket, robot, exact, batch, redrawn, video, failed, all: [...all, fox] };
}

async function over(stack: Stack, id: string): Promise<Generation> {
  for (;;) {
    const generation = await stack.call<Generation>('GET', `/generations/${id}`);
    if (generation.finishedAt !== null) return generation;
    await sleep(200);
  }
}
