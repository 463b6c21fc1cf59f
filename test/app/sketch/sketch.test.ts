import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outlineOf } from '../../../app/_lib/sketch/render.ts';
import {
  add,
  boxOf,
  brush,
  emptySketch,
  isBlank,
  redo,
  resizeBrush,
  sketchSchema,
  undo,
  type Operation,
  type Sketch,
  type Stroke,
} from '../../../app/_lib/sketch/sketch.ts';

const stroke: Stroke = { kind: 'stroke', erase: false, size: 40, points: [[100, 100, 0.5]] };
const rubber: Stroke = { ...stroke, erase: true };
const operation = fc.constantFrom<Operation>(
  stroke,
  rubber,
  { kind: 'fill' },
  { kind: 'clear' },
  { kind: 'invert' },
);
const of = (...operations: Operation[]): Sketch => ({ ...emptySketch, operations });

describe('a sketch', () => {
  it('undoes and redoes everything in order', () => {
    fc.assert(
      fc.property(fc.array(operation), fc.nat(20), (operations, times) => {
        const drawn = operations.reduce(add, emptySketch);
        const steps = Math.min(times, operations.length);
        const back = Array.from({ length: steps }).reduce<Sketch>((sketch) => undo(sketch), drawn);
        expect(back.operations).toEqual(operations.slice(0, operations.length - steps));
        const again = Array.from({ length: steps }).reduce<Sketch>((sketch) => redo(sketch), back);
        expect(again).toEqual(drawn);
      }),
    );
  });

  it('forgets what was undone as soon as something new is painted', () => {
    const sketch = add(undo(of(stroke, rubber)), { kind: 'fill' });
    expect(redo(sketch)).toEqual(of(stroke, { kind: 'fill' }));
  });

  it('is left alone where there is nothing to undo or redo', () => {
    expect(undo(emptySketch)).toBe(emptySketch);
    expect(redo(of(stroke))).toEqual(of(stroke));
  });

  it('knows when nothing is painted', () => {
    expect(isBlank(emptySketch)).toBe(true);
    expect(isBlank(of(rubber))).toBe(true);
    expect(isBlank(of(stroke))).toBe(false);
    expect(isBlank(of(stroke, { kind: 'clear' }))).toBe(true);
    expect(isBlank(of({ kind: 'clear' }, { kind: 'invert' }))).toBe(false);
    expect(isBlank({ ...emptySketch, base: 'm1' })).toBe(false);
    expect(isBlank({ ...of({ kind: 'clear' }), base: 'm1' })).toBe(true);
  });

  it('survives being stored', () => {
    const sketch = undo(of(stroke, { kind: 'invert' }));
    expect(sketchSchema.parse(JSON.parse(JSON.stringify(sketch)))).toEqual(sketch);
  });
});

describe('its measures', () => {
  it('have the longer side in common', () => {
    expect(boxOf(512, 384)).toEqual({ width: 1024, height: 768 });
    expect(boxOf(128, 256)).toEqual({ width: 512, height: 1024 });
  });

  it('let the brush grow and shrink by steps, within bounds', () => {
    expect(resizeBrush(100, 1)).toBe(125);
    expect(resizeBrush(125, -1)).toBe(100);
    expect(resizeBrush(brush.smallest, -1)).toBe(brush.smallest);
    expect(resizeBrush(brush.smallest, 1)).toBeGreaterThan(brush.smallest);
    expect(resizeBrush(brush.largest, 1)).toBe(brush.largest);
  });
});

describe('the outline of a stroke', () => {
  const extent = (outline: number[][], axis: 0 | 1) => {
    const values = outline.map((point) => point[axis] ?? 0);
    return Math.max(...values) - Math.min(...values);
  };

  it('makes a dot of a click, as wide as the brush', () => {
    const dot = outlineOf(stroke);
    expect(extent(dot, 0)).toBeGreaterThan(0.8 * stroke.size);
    expect(extent(dot, 0)).toBeLessThan(1.2 * stroke.size);
    expect(extent(dot, 1)).toBeGreaterThan(0.8 * stroke.size);
  });

  it('is as wide as the brush along a line of the mouse, and narrower where a pen presses less', () => {
    const line = (pressure: number): Stroke => ({
      ...stroke,
      points: Array.from({ length: 60 }, (_, i) => [100 + i * 5, 100, pressure]),
    });
    expect(extent(outlineOf(line(0.5)), 1)).toBeCloseTo(stroke.size, -1);
    expect(extent(outlineOf(line(0.1)), 1)).toBeLessThan(0.8 * extent(outlineOf(line(0.9)), 1));
  });
});
