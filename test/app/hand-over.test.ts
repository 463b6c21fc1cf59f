import { describe, expect, it } from 'vitest';
import { emptyDraft } from '../../app/_lib/draft.ts';
import { canDo, nextSteps, reuse, startFrom } from '../../app/_lib/hand-over.ts';
import { nothingSent, taskOf, toRequest } from '../../app/_lib/request.ts';
import type { Generation } from '../../lib/contracts/generation.ts';
import type { GenerationInputPicture } from '../../lib/contracts/pictures.ts';
import { exampleAdapter, exampleGeneration, exampleModel } from './support.ts';

function input(field: string, id: string): GenerationInputPicture {
  return {
    field,
    id,
    type: 'image/png',
    width: 256,
    height: 128,
    bytes: 1,
    url: `/${id}`,
    thumbnailUrl: `/${id}/small`,
  };
}

const generation = exampleGeneration();
const with_ = (params: Partial<Generation['params']>, ...inputs: GenerationInputPicture[]): Generation => ({
  ...generation,
  params: { ...generation.params, count: 1, ...params },
  inputs,
});
const net = exampleAdapter({ id: 'net', kind: 'controlnet' });

describe('using everything again', () => {
  it.each<[string, Generation]>([
    [
      'a redrawn picture',
      with_({ task: 'image-to-image', image: 'p', strength: 0.4, resize: 'pad' }, input('image', 'p')),
    ],
    [
      'a masked one',
      with_(
        { task: 'inpaint', image: 'p', mask: 'm', strength: 1, maskBlur: 9, maskedContent: 'fill' },
        input('image', 'p'),
        input('mask', 'm'),
      ),
    ],
    [
      'an extended one',
      with_(
        { task: 'inpaint', image: 'p', strength: 1, outpaint: { left: 8, top: 0, right: 0, bottom: 16 } },
        input('image', 'p'),
      ),
    ],
    [
      'an enlarged one',
      with_(
        { task: 'upscale', image: 'p', upscale: { factor: 3, method: 'latent', strength: 0.5 } },
        input('image', 'p'),
      ),
    ],
    [
      'one with LoRAs and a second pass',
      with_({ loras: [{ id: 'l', weight: -0.5 }], upscale: { factor: 2, method: 'image', strength: 0.3 } }),
    ],
  ])('asks for the same: %s', (_what, made) => {
    const draft = { ...emptyDraft, ...reuse('all', made, made.seed) };
    const sent = { ...nothingSent, ...(made.params.mask !== undefined && { mask: made.params.mask }) };
    expect(JSON.parse(JSON.stringify(toRequest(draft, 25, sent, [net])))).toEqual(made.params);
  });

  it('takes references over with their settings', () => {
    const control = {
      model: 'net',
      image: 'c',
      preprocessor: 'canny' as const,
      scale: 0.5,
      start: 0.1,
      end: 0.8,
    };
    const draft = {
      ...emptyDraft,
      ...reuse('all', with_({ control: [control] }, input('control.0.image', 'c')), 7),
    };
    expect(toRequest(draft, 25, nothingSent, [net]).control).toEqual([control]);
  });

  it('takes every input away that the older picture did not have', () => {
    const again = reuse('all', generation, 7);
    expect(again).toMatchObject({ references: [], loras: [] });
    expect(again.start).toBeUndefined();
    expect(Object.keys(again)).toEqual(
      expect.arrayContaining(['start', 'video', 'upscale', 'promptTemplate']),
    );
  });
});

describe('going on from a picture', () => {
  it.each([
    ['redraw', 'image-to-image'],
    ['paint', 'inpaint'],
    ['extend', 'inpaint'],
    ['enlarge', 'upscale'],
    ['reference', 'reference'],
    ['video', 'text-to-video'],
  ] as const)('%s is %s', (step, task) => {
    const draft = { ...emptyDraft, ...startFrom(step, { generation, picture: 1 }) };
    expect(taskOf(draft)).toBe(task);
    expect(draft.prompt).toBe(generation.params.prompt);
  });

  it('takes the picture in focus, and for a video its seed', () => {
    expect(startFrom('redraw', { generation, picture: 1 }).start?.picture.id).toBe('a1');
    expect(startFrom('video', { generation, picture: 1 }).seed).toBe(8);
    expect(startFrom('redraw', { generation, picture: 9 })).toEqual({});
  });

  it('is offered for what the model can do', () => {
    expect(nextSteps.filter((step) => canDo(step, exampleModel()))).toEqual([]);
    const model = exampleModel({ tasks: ['text-to-image', 'image-to-image'] });
    expect(nextSteps.filter((step) => canDo(step, model))).toEqual(['redraw']);
    expect(canDo('redraw', undefined)).toBe(false);
  });
});
