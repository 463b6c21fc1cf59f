import { describe, expect, it } from 'vitest';
import { fieldFaults, taskFields, taskInputs } from '../../lib/contracts/task-inputs.ts';

const control = [{ model: 'scribble', image: 'u1' }];

describe('the inputs of a task', () => {
  it.each([
    ['text-to-image', {}],
    ['image-to-image', { image: 'u1', strength: 0.6 }],
    ['inpaint', { image: 'u1', mask: 'u2', maskBlur: 8 }],
    ['inpaint', { image: 'u1', outpaint: { left: 64, top: 0, right: 0, bottom: 0 } }],
    ['inpaint', { image: 'u1', mask: 'u2', paddingMaskCrop: 32 }],
    ['reference', { control }],
    ['text-to-video', { video: { frames: 8 } }],
    ['upscale', { image: 'u1' }],
  ] as const)('%s takes %j', (task, request) => {
    expect(fieldFaults(task, request)).toEqual([]);
  });

  it.each([
    ['image-to-image', {}, 'image'],
    ['inpaint', { image: 'u1' }, 'mask'],
    ['inpaint', { image: 'u1', outpaint: {}, paddingMaskCrop: 32 }, 'paddingMaskCrop'],
    ['inpaint', { image: 'u1', mask: 'u2', resize: 'pad', paddingMaskCrop: 32 }, 'paddingMaskCrop'],
    ['image-to-image', { image: 'u1', paddingMaskCrop: 32 }, 'paddingMaskCrop'],
    ['reference', {}, 'control'],
    ['text-to-image', { mask: 'u2' }, 'mask'],
    ['upscale', { image: 'u1', video: {} }, 'video'],
  ] as const)('%s with %j has a fault at %s', (task, request, path) => {
    expect(fieldFaults(task, request).map((fault) => fault.path)).toEqual([path]);
  });

  it('names only fields that exist', () => {
    const named = Object.values(taskFields).flatMap(({ needs, allows }) => [...needs, ...allows]);
    expect(Object.keys(taskInputs)).toEqual(expect.arrayContaining([...new Set(named)]));
  });
});
