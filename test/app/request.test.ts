import { describe, expect, it } from 'vitest';
import { emptyDraft, type Draft, type PictureRef, type StartUse } from '../../app/_lib/draft.ts';
import { newReference, newStart, withStart, withVideo } from '../../app/_lib/inputs.ts';
import { controlNetOf, fits, obstacles, preprocessorOf, taskOf, toRequest } from '../../app/_lib/request.ts';
import { add, emptySketch, type Sketch } from '../../app/_lib/sketch/sketch.ts';
import type { Adapter } from '../../lib/contracts/models.ts';
import { fieldFaults, type TaskName } from '../../lib/contracts/task-inputs.ts';
import { exampleAdapter, exampleModel } from './support.ts';

const picture: PictureRef = { id: 'p1', width: 512, height: 384, url: '/p1', thumbnailUrl: '/t1' };
const painted = add(emptySketch, { kind: 'fill' });
const scribble = exampleAdapter({ id: 'scribble', kind: 'controlnet', preprocessor: 'scribble' });
const canny = exampleAdapter({ id: 'canny', kind: 'controlnet', preprocessor: 'canny' });
const words: Draft = { ...emptyDraft, prompt: 'a fox' };

const starting = (use: StartUse, change: Partial<NonNullable<Draft['start']>> = {}): Draft => ({
  ...words,
  ...withStart({ ...newStart(picture, use), ...change }),
});
const drawing = (sketch: Sketch) =>
  newReference({ kind: 'drawing', sketch, shape: { width: 128, height: 128 } });
const following = newReference({ kind: 'picture', picture, preprocessor: 'canny' });

/** Every way a draft can be filled, with the task that it then is. */
const drafts: [string, Draft, TaskName][] = [
  ['words alone', words, 'text-to-image'],
  ['words and a LoRA', { ...words, loras: [{ id: 'l', weight: 0.5 }] }, 'text-to-image'],
  ['a picture', starting('redraw'), 'image-to-image'],
  ['a painted picture', starting('paint', { mask: painted }), 'inpaint'],
  [
    'a picture with borders',
    starting('extend', { outpaint: { left: 0, top: 0, right: 32, bottom: 0 } }),
    'inpaint',
  ],
  ['a picture to enlarge', starting('enlarge'), 'upscale'],
  ['a drawing', { ...words, references: [drawing(painted)] }, 'reference'],
  ['a picture and a drawing', { ...starting('redraw'), references: [drawing(painted)] }, 'image-to-image'],
  ['a video', { ...words, ...withVideo() }, 'text-to-video'],
  ['a video along a picture', { ...words, ...withVideo(), references: [following] }, 'text-to-video'],
  [
    'a picture to enlarge, with a reference from before',
    { ...starting('enlarge'), references: [following] },
    'upscale',
  ],
];

describe('the task of a draft', () => {
  it.each(drafts)('follows from %s', (_what, draft, task) => {
    expect(taskOf(draft)).toBe(task);
    expect(obstacles(draft, [scribble, canny])).toEqual([]);
  });

  it.each(drafts)('has the fields it needs and no other: %s', (_what, draft, task) => {
    const drawings = Object.fromEntries(draft.references.map(({ key }) => [key, 'd1']));
    const request = toRequest(draft, 25, { mask: 'm1', drawings }, [scribble, canny]);
    expect(fieldFaults(task, request)).toEqual([]);
  });
});

describe('what a request says', () => {
  it('leaves out the second pass where the task has none', () => {
    const upscale = { factor: 2, method: 'image' as const, strength: 0.35 };
    expect(toRequest({ ...words, upscale }, 25).upscale).toEqual(upscale);
    expect(toRequest({ ...starting('paint', { mask: painted }), upscale }, 25).upscale).toBeUndefined();
  });

  it('has the strength of the field, and all of a masked part', () => {
    expect(toRequest(starting('redraw'), 25).strength).toBe(0.75);
    expect(toRequest(starting('paint', { mask: painted }), 25).strength).toBe(1);
    expect(toRequest(starting('redraw', { strength: 0.3 }), 25).strength).toBe(0.3);
  });

  it('has a mask or borders, whichever was asked for last', () => {
    const outpaint = { left: 8, top: 0, right: 0, bottom: 0 };
    const both = { mask: painted, outpaint };
    expect(toRequest(starting('paint', both), 25, { mask: 'm1', drawings: {} })).toMatchObject({
      mask: 'm1',
    });
    expect(toRequest(starting('paint', both), 25)).not.toHaveProperty('outpaint');
    expect(toRequest(starting('extend', both), 25)).toMatchObject({ outpaint });
    expect(toRequest(starting('extend', both), 25)).not.toHaveProperty('mask');
  });

  it('uses what was sent of a drawing, as it is, and the ControlNet that reads drawings', () => {
    const reference = drawing(painted);
    const draft = { ...words, references: [reference, following] };
    const sent = { drawings: { [reference.key]: 'd1' } };
    expect(toRequest(draft, 25, sent, [canny, scribble]).control).toEqual([
      { model: 'scribble', image: 'd1', preprocessor: 'none', scale: 1, start: 0, end: 1 },
      { model: 'canny', image: 'p1', preprocessor: 'canny', scale: 1, start: 0, end: 1 },
    ]);
  });

  it('puts a preset’s words around the prompt', () => {
    const draft = { ...words, prompt: ' a fox ', promptTemplate: '{prompt}, soft light' };
    expect(toRequest(draft, 25).prompt).toBe('a fox, soft light');
  });
});

describe('what keeps a draft from being made', () => {
  it('is said in a sentence each', () => {
    expect(obstacles(starting('paint'), [])).toEqual(['Paint over what is to be drawn anew.']);
    expect(obstacles(starting('extend'), [])).toEqual(['Pull an edge of the picture outwards.']);
    expect(obstacles({ ...words, references: [drawing(emptySketch)] }, [scribble])).toEqual([
      'The drawing is still empty.',
    ]);
    expect(obstacles({ ...words, references: [following, drawing(painted)] }, [])).toEqual([
      'A reference needs a ControlNet that fits the model.',
    ]);
    expect(obstacles({ ...words, references: [{ ...following, start: 0.5, end: 0.5 }] }, [canny])).toEqual([
      'A reference must end after it starts.',
    ]);
  });
});

describe('what fits what', () => {
  it('is told by the text states both read', () => {
    const model = exampleModel({ contextSize: 768 });
    const with_ = (contextSize: number | null): Adapter => exampleAdapter({ contextSize });
    expect([768, null, 1024].map((size) => fits(with_(size), model))).toEqual([true, true, false]);
  });

  it('finds lines as the ControlNet was taught, unless told otherwise', () => {
    const taught = newReference({ kind: 'picture', picture });
    expect(preprocessorOf(taught, scribble)).toBe('scribble');
    expect(preprocessorOf(taught, exampleAdapter({ kind: 'controlnet' }))).toBe('canny');
    expect(preprocessorOf(following, scribble)).toBe('canny');
    expect(preprocessorOf(drawing(painted), scribble)).toBe('none');
  });

  it('keeps the ControlNet that was chosen while it is there', () => {
    const chosen = { ...following, model: 'scribble' };
    expect(controlNetOf(chosen, [canny, scribble])?.id).toBe('scribble');
    expect(controlNetOf(chosen, [canny])?.id).toBe('canny');
    expect(controlNetOf(chosen, [])).toBeUndefined();
  });
});

describe('inputs that exclude each other', () => {
  it('end a video with a picture, and the other way round', () => {
    const video = { ...words, ...withVideo() };
    expect(taskOf({ ...video, ...withStart(newStart(picture)) })).toBe('image-to-image');
    expect({ ...starting('redraw'), ...withVideo() }.start).toBeUndefined();
  });
});
