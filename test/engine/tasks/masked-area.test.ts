import { describe, expect, test } from 'vitest';
import { Engine } from '../../../lib/engine/tasks/engine.ts';
import { maskedArea, maskPartOf, partOf, putBack } from '../../../lib/engine/tasks/masked-area.ts';
import type { GrayPicture, Picture } from '../../../lib/engine/tasks/task.ts';
import { readModes } from '../../support/modes.ts';

/** White from `left`, `top` up to `right`, `bottom`. */
function maskOf(width: number, height: number, [left, top, right, bottom]: number[]): GrayPicture {
  const data = new Uint8Array(width * height);
  for (let y = top!; y < bottom!; y++) data.fill(255, y * width + left!, y * width + right!);
  return { width, height, data };
}

function coloured(width: number, height: number): Picture {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37 + (i >> 7) * 11) % 256);
  return { width, height, data };
}

describe('the part that is drawn', () => {
  // VaeImageProcessor.get_crop_region(mask, width, height, pad) of diffusers 0.42.
  test.each([
    { of: [200, 100], box: [60, 40, 80, 50], drawn: [64, 64], pad: 8, is: [52, 27, 88, 63] },
    { of: [200, 100], box: [60, 40, 80, 50], drawn: [128, 64], pad: 32, is: [0, 8, 148, 82] },
    { of: [200, 100], box: [0, 0, 20, 10], drawn: [64, 64], pad: 5, is: [0, 0, 25, 25] },
    { of: [200, 100], box: [190, 90, 200, 100], drawn: [96, 64], pad: 16, is: [161, 74, 200, 100] },
    { of: [120, 160], box: [50, 100, 55, 150], drawn: [64, 128], pad: 4, is: [38, 96, 67, 154] },
  ])('is that of diffusers: $box of $of with $pad around, at $drawn', ({ of, box, drawn, pad, is }) => {
    const [width = 0, height = 0] = of;
    const area = maskedArea(maskOf(width, height, box), pad, { width: drawn[0]!, height: drawn[1]! });
    expect([area.left, area.top, area.left + area.width, area.top + area.height]).toEqual(is);
  });

  test('reaches beyond a picture that is too short for it, on both sides', () => {
    const area = maskedArea(maskOf(200, 50, [0, 20, 200, 30]), 0, { width: 64, height: 64 });
    expect(area).toEqual({ left: 0, top: -75, width: 200, height: 200 });
    const part = partOf(coloured(200, 50), area, area);
    expect(part.data.subarray(0, 600)).toEqual(coloured(200, 50).data.subarray(0, 600));
    const mask = maskPartOf(maskOf(200, 50, [0, 0, 200, 50]), area, area);
    expect([mask.data[74 * 200], mask.data[75 * 200], mask.data[125 * 200]]).toEqual([0, 255, 0]);
  });

  test('goes back to where it came from, byte for byte where nothing was resized', () => {
    const picture = coloured(40, 30);
    const area = { left: -4, top: 10, width: 20, height: 24 };
    const part = partOf(picture, area, area);
    const changed = { ...part, data: part.data.map((value) => 255 - value) };
    expect(putBack(picture, part, area)).toEqual(picture);
    const back = putBack(picture, changed, area);
    const at = (x: number, y: number) => back.data[3 * (y * 40 + x)];
    expect(at(0, 10)).toBe(255 - picture.data[3 * (10 * 40)]!);
    expect(at(16, 10)).toBe(picture.data[3 * (10 * 40 + 16)]);
    expect(at(0, 9)).toBe(picture.data[3 * (9 * 40)]);
  });
});

describe('a request that draws only what is masked', () => {
  test('draws its part as if that were the picture, and puts it back', async () => {
    const engine = new Engine({ device: 'cpu' });
    const modes = await readModes('');
    const { width, height, image: small } = modes;
    const request = modes.requestOf({ task: 'inpaint', strength: 0.6 });
    // The part is as large as what is drawn, so that nothing is resized.
    const [left, top] = [30, 20];
    const box = [left + 8, top + 8, left + width - 8, top + height - 8];
    const image = putBack(coloured(150, 110), small, { left, top, width, height });
    const mask = maskOf(150, 110, box);
    const area = maskedArea(mask, 8, { width, height });
    expect(area).toMatchObject({ width, height });

    const whole = await engine.generate({ ...request, image, mask, maskBlur: 0, paddingMaskCrop: 8 });
    const part = await engine.generate({
      ...{ ...request, image: partOf(image, area, area), mask: maskPartOf(mask, area, area), maskBlur: 0 },
    });
    expect(whole.latents.data).toEqual(part.latents.data);
    expect(whole.pictures[0]).toEqual(putBack(image, part.pictures[0]!, area));
    expect(whole.receipt).toMatchObject({ width: 150, height: 110 });
    let changed = 0;
    whole.pictures[0]!.data.forEach((value, i) => {
      if (mask.data[Math.floor(i / 3)] === 0) expect(value).toBe(image.data[i]);
      else changed += Number(value !== image.data[i]);
    });
    expect(changed).toBeGreaterThan(100);
    await engine.dispose();
  });

  test('with a feather that is wholly inside what was drawn', async () => {
    const engine = new Engine({ device: 'cpu' });
    const modes = await readModes('');
    const request = modes.requestOf({ task: 'inpaint', strength: 1 });
    const [image, mask] = [coloured(150, 110), maskOf(150, 110, [70, 50, 80, 55])];
    const [picture] = (await engine.generate({ ...request, image, mask, maskBlur: 10, paddingMaskCrop: 0 }))
      .pictures;
    const outside: number[] = [];
    picture!.data.forEach((value, i) => {
      const [x, y] = [Math.floor(i / 3) % 150, Math.floor(i / 450)];
      const isFar = x < 60 || x >= 90 || y < 40 || y >= 65;
      if (isFar && value !== image.data[i]) outside.push(i);
    });
    expect(outside).toEqual([]);
    const at = (x: number, y: number) => 3 * (y * 150 + x);
    expect(picture!.data.subarray(at(66, 52), at(69, 52))).not.toEqual(
      image.data.subarray(at(66, 52), at(69, 52)),
    );
    await engine.dispose();
  });

  test('and a ControlNet wants pictures of the whole', async () => {
    const engine = new Engine({ device: 'cpu' });
    const modes = await readModes('');
    const request = modes.requestOf({ task: 'inpaint', strength: 1 });
    const [image, mask] = [coloured(150, 110), maskOf(150, 110, [70, 50, 80, 55])];
    const control = [{ model: 'unread', image: modes.image, scale: 1, start: 0, end: 1 }];
    await expect(
      engine.generate({ ...request, image, mask, control, paddingMaskCrop: 0 }),
    ).rejects.toMatchObject({ code: 'invalid_parameter', errors: [{ path: 'control.0.image' }] });
    await engine.dispose();
  });
});
