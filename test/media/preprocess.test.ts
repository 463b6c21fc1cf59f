import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Picture } from '../../lib/engine/tasks/task.ts';
import { preprocess } from '../../lib/media/preprocess.ts';

const [width, height] = [160, 128];

async function draw(
  shapes: string,
  paper: string,
  size: [number, number] = [width, height],
): Promise<Picture> {
  const [w, h] = size;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="${paper}"/>${shapes}</svg>`;
  const data = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer();
  return { width: w, height: h, data: new Uint8Array(data) };
}

const centre = { x: 80, y: 64 };
const disc = (fill: string) => `<circle cx="${centre.x}" cy="${centre.y}" r="40" fill="${fill}"/>`;
const ring = (stroke: string) =>
  `<circle cx="${centre.x}" cy="${centre.y}" r="40" fill="none" stroke="${stroke}" stroke-width="3"/>`;

/** Bright pixels, as distances from the circle of radius 40. */
function distances({ width, data }: Picture, brighterThan = 127): number[] {
  const found: number[] = [];
  for (let i = 0; i < data.length; i += 3) {
    const [x, y] = [(i / 3) % width, Math.floor(i / 3 / width)];
    if (data[i]! > brighterThan) found.push(Math.hypot(x - centre.x, y - centre.y) - 40);
  }
  return found;
}

/** Parts of the circle, by degrees, that have a bright pixel near. */
function covered({ width, data }: Picture, reach: number): number {
  let hits = 0;
  for (let degree = 0; degree < 360; degree++) {
    const angle = (degree * Math.PI) / 180;
    let near = false;
    for (let r = 40 - reach; r <= 40 + reach; r += 0.5) {
      const x = Math.round(centre.x + r * Math.cos(angle));
      const y = Math.round(centre.y + r * Math.sin(angle));
      near ||= data[3 * (y * width + x)]! > 127;
    }
    if (near) hits++;
  }
  return hits / 360;
}

describe('canny', () => {
  it.each([
    ['strong', '#c33', '#9bc'],
    ['faint', '#858585', '#9a9a9a'],
    ['of one brightness, another colour', '#ff0000', '#008000'],
  ])('draws the edge of a disc: %s', async (_, fill, paper) => {
    const edges = await preprocess(await draw(disc(fill), paper), 'canny');
    expect([edges.width, edges.height]).toEqual([width, height]);
    expect(covered(edges, 2)).toBeGreaterThan(0.97);
    expect(Math.max(...distances(edges).map(Math.abs))).toBeLessThan(2);
  });

  it('finds nothing on an empty page, and no noise on one', async () => {
    const page = await draw('', '#777');
    expect(distances(await preprocess(page, 'canny'))).toEqual([]);
    const noisy = { ...page, data: page.data.map((value, i) => value + ((i * 7919) % 5)) };
    expect(distances(await preprocess(noisy, 'canny'))).toEqual([]);
  });
});

describe.each(['scribble', 'lineart'] as const)('%s', (name) => {
  it.each([
    ['black on white', '#000', '#fff'],
    ['grey on white', '#777', '#fff'],
    ['white on black', '#fff', '#000'],
    ['blue on yellow', '#11a', '#fe8'],
  ])('keeps the line that was drawn: %s', async (_, stroke, paper) => {
    const lines = await preprocess(await draw(ring(stroke), paper), name);
    expect(covered(lines, 1)).toBe(1);
    expect(Math.max(...distances(lines).map(Math.abs))).toBeLessThan(3.5);
  });

  it('leaves an empty page black', async () => {
    for (const paper of ['#fff', '#777', '#000']) {
      expect((await preprocess(await draw('', paper), name)).data.every((value) => value === 0)).toBe(true);
    }
  });

  it('draws the same whatever the size', async () => {
    const small = await preprocess(await draw(disc('#333'), '#eee'), name);
    const large = await preprocess(await draw(disc('#333'), '#eee', [4 * width, 4 * height]), name);
    const share = ({ data }: Picture) => data.reduce((sum, value) => sum + value, 0) / data.length;
    expect(share(large) / share(small)).toBeGreaterThan(0.7);
    expect(share(large) / share(small)).toBeLessThan(1.4);
  });
});

describe('preprocess', () => {
  it('gives three equal channels, leaves the picture alone, and repeats itself', async () => {
    const picture = await draw(disc('#c33'), '#9bc');
    const before = picture.data.slice();
    for (const name of ['canny', 'scribble', 'lineart'] as const) {
      const { data } = await preprocess(picture, name);
      expect(data.every((value, i) => value === data[i - (i % 3)])).toBe(true);
      expect(Buffer.from((await preprocess(picture, name)).data).equals(data)).toBe(true);
    }
    expect(Buffer.from(picture.data).equals(before)).toBe(true);
  });

  it('leaves a control picture as it is', async () => {
    const picture = await draw(ring('#fff'), '#000');
    expect(await preprocess(picture, 'none')).toBe(picture);
  });

  it('leaves uncaught errors to the program', async () => {
    const before = process.listenerCount('uncaughtException');
    await preprocess(await draw('', '#fff', [8, 8]), 'canny');
    expect(process.listenerCount('uncaughtException')).toBe(before);
    expect(
      process.listeners('unhandledRejection').some((each) => /ExitStatus|abort/.test(String(each))),
    ).toBe(false);
  });

  it('takes the smallest pictures', async () => {
    for (const name of ['canny', 'scribble', 'lineart'] as const) {
      const { data } = await preprocess({ width: 1, height: 1, data: Uint8Array.of(9, 9, 9) }, name);
      expect([...data]).toEqual([0, 0, 0]);
    }
  });
});
