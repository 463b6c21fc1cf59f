import { z } from 'zod';

/**
 * What was painted, as a list of operations: small enough to be remembered, exact at every size, and undone by taking
 * the last one away. Lengths are in units of which the longer side of the picture has {@link UNITS}.
 */
export const UNITS = 1024;

const coordinate = z
  .number()
  .min(-UNITS)
  .max(2 * UNITS);

const strokeSchema = z.object({
  kind: z.literal('stroke'),
  erase: z.boolean(),
  /** Diameter of the brush at full pressure. */
  size: z.number().min(1).max(UNITS),
  /** x, y and the pen's pressure from 0 to 1. */
  points: z.array(z.tuple([coordinate, coordinate, z.number().min(0).max(1)])).max(20_000),
});

const rectangleSchema = z.object({
  kind: z.literal('rectangle'),
  erase: z.boolean(),
  x: coordinate,
  y: coordinate,
  width: z.number().min(0).max(UNITS),
  height: z.number().min(0).max(UNITS),
});

const operationSchema = z.discriminatedUnion('kind', [
  strokeSchema,
  rectangleSchema,
  z.object({ kind: z.literal('fill') }),
  z.object({ kind: z.literal('clear') }),
  z.object({ kind: z.literal('invert') }),
]);
export type Operation = z.infer<typeof operationSchema>;
export type Stroke = z.infer<typeof strokeSchema>;

export const sketchSchema = z.object({
  /** Id of a picture, white on black, that lies under everything that was painted. */
  base: z.string().max(100).optional(),
  operations: z.array(operationSchema).max(5000),
  /** What was undone and can come back, the latest last. */
  undone: z.array(operationSchema).max(5000),
});
export type Sketch = z.infer<typeof sketchSchema>;

export const emptySketch: Sketch = { operations: [], undone: [] };

export function add(sketch: Sketch, operation: Operation): Sketch {
  return { ...sketch, operations: [...sketch.operations, operation], undone: [] };
}

export function undo(sketch: Sketch): Sketch {
  const last = sketch.operations.at(-1);
  if (last === undefined) return sketch;
  return { ...sketch, operations: sketch.operations.slice(0, -1), undone: [...sketch.undone, last] };
}

export function redo(sketch: Sketch): Sketch {
  const next = sketch.undone.at(-1);
  if (next === undefined) return sketch;
  return { ...sketch, operations: [...sketch.operations, next], undone: sketch.undone.slice(0, -1) };
}

/** Whether nothing is painted as far as the operations tell; what was wiped away stroke by stroke is not noticed. */
export function isBlank({ base, operations }: Sketch): boolean {
  let blank = base === undefined;
  for (const operation of operations) {
    if (operation.kind === 'clear') blank = true;
    else if (operation.kind === 'fill' || operation.kind === 'invert') blank = false;
    else if (!operation.erase) blank = false;
  }
  return blank;
}

/** The box of a picture of this shape, in units. */
export function boxOf(width: number, height: number): { width: number; height: number } {
  const scale = UNITS / Math.max(width, height);
  return { width: width * scale, height: height * scale };
}

export const brush = { smallest: 4, largest: 512 } as const;

/** The next smaller or larger brush, in steps that the eye takes for equal. */
export function resizeBrush(size: number, direction: -1 | 1): number {
  const next = Math.round(size * 1.25 ** direction);
  return Math.min(brush.largest, Math.max(brush.smallest, next === size ? size + direction : next));
}
