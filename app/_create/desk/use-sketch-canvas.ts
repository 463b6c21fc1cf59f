'use client';
import { useEffect, useRef, useState, type PointerEvent, type RefObject } from 'react';
import { inUnits, paint, renderSketch } from '../../_lib/sketch/render.ts';
import { add, boxOf, type Operation, type Sketch, type Stroke } from '../../_lib/sketch/sketch.ts';
import { useBase } from '../../_lib/sketch/use-base.ts';
import { useColorScheme } from '../../_lib/use-color-scheme.ts';

export interface Shape {
  width: number;
  height: number;
}

export interface SketchTool {
  erase: boolean;
  /** Diameter in units. */
  size: number;
}

export type Look = 'mask' | 'ink';

interface SketchCanvasOptions {
  /** `mask` is striped, `ink` is one colour. */
  look: Look;
  shape: Shape;
  sketch: Sketch;
  tool: SketchTool;
  onChange: (sketch: Sketch) => void;
}

/**
 * Shows a sketch on a canvas, in the canvas's text colour, and paints on it with mouse, finger and pen. What is finished is
 * kept as an image of its own, so a stroke costs the same however much was painted before.
 */
export function useSketchCanvas({ look, shape, sketch, tool, onChange }: SketchCanvasOptions) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const finished = useRef<HTMLCanvasElement | null>(null);
  const stroke = useRef<Stroke | null>(null);
  const pointer = useRef<number | null>(null);
  const base = useBase(sketch.base);
  const size = useCanvasSize(canvas);
  const scheme = useColorScheme();

  /** Brings what is finished and what is being painted to the screen. */
  const show = () => {
    const context = canvas.current?.getContext('2d');
    if (context == null || finished.current === null) return;
    compose(context, finished.current, stroke.current, shape, look);
  };

  useEffect(() => {
    const target = canvas.current;
    if (target === null || size === null) return;
    target.width = size.width;
    target.height = size.height;
    const kept = (finished.current ??= document.createElement('canvas'));
    kept.width = size.width;
    kept.height = size.height;
    const context = kept.getContext('2d');
    if (context === null) return;
    renderSketch(context, sketch, base, shape);
    const screen = target.getContext('2d');
    if (screen !== null) compose(screen, kept, stroke.current, shape, look);
    // The ink is the text colour, which another light changes.
  }, [size, sketch, base, shape, look, scheme]);

  /** Where the pointer is, in units. */
  const at = (event: globalThis.PointerEvent | PointerEvent): [number, number, number] => {
    const box = canvas.current?.getBoundingClientRect();
    const unit = boxOf(shape.width, shape.height);
    if (box === undefined || box.width === 0) return [0, 0, 0.5];
    return [
      round(((event.clientX - box.left) / box.width) * unit.width),
      round(((event.clientY - box.top) / box.height) * unit.height),
      event.pointerType === 'pen' ? round(event.pressure, 100) : 0.5,
    ];
  };

  const end = (keep: boolean) => {
    const done = stroke.current;
    stroke.current = null;
    pointer.current = null;
    if (keep && done !== null) onChange(add(sketch, done));
    else show();
  };

  return {
    canvas,
    onPointerDown: (event: PointerEvent) => {
      // A second finger is for the page: what the first began is taken back.
      if (pointer.current !== null) return end(false);
      if (event.button !== 0 && event.button !== 5) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      pointer.current = event.pointerId;
      // The other end of a pen is an eraser.
      const erase = tool.erase || event.button === 5;
      stroke.current = { kind: 'stroke', erase, size: tool.size, points: [at(event)] };
      show();
    },
    onPointerMove: (event: PointerEvent) => {
      if (stroke.current === null || event.pointerId !== pointer.current) return;
      const between = event.nativeEvent.getCoalescedEvents?.() ?? [];
      for (const each of between.length > 0 ? between : [event]) stroke.current.points.push(at(each));
      show();
    },
    onPointerUp: (event: PointerEvent) => event.pointerId === pointer.current && end(true),
    onPointerCancel: (event: PointerEvent) => event.pointerId === pointer.current && end(false),
    apply: (operation: Operation) => onChange(add(sketch, operation)),
  };
}

/** The text colour; for a mask with white stripes, which are seen on a picture of any colour. */
function inkOf(context: CanvasRenderingContext2D, look: Look): string | CanvasPattern {
  const { color } = getComputedStyle(context.canvas);
  if (look === 'ink') return color;
  const side = Math.round(10 * window.devicePixelRatio);
  const tile = document.createElement('canvas');
  tile.width = tile.height = side;
  const stripes = tile.getContext('2d');
  if (stripes === null) return color;
  stripes.fillStyle = color;
  stripes.fillRect(0, 0, side, side);
  stripes.strokeStyle = '#fff';
  stripes.lineWidth = side / 6;
  // Three lines make one that goes on at the edges of the tile.
  for (const shift of [-side, 0, side]) {
    stripes.moveTo(shift - side / 2, side * 1.5);
    stripes.lineTo(shift + side * 1.5, -side / 2);
  }
  stripes.stroke();
  return context.createPattern(tile, 'repeat') ?? color;
}

/** The sketch with the stroke that is being painted. */
function compose(
  context: CanvasRenderingContext2D,
  finished: HTMLCanvasElement,
  stroke: Stroke | null,
  shape: Shape,
  look: Look,
): void {
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalCompositeOperation = 'source-over';
  context.clearRect(0, 0, width, height);
  context.drawImage(finished, 0, 0);
  if (stroke !== null) {
    inUnits(context, shape);
    paint(context, stroke);
    context.setTransform(1, 0, 0, 1, 0, 0);
  }
  context.globalCompositeOperation = 'source-in';
  context.fillStyle = inkOf(context, look);
  context.fillRect(0, 0, width, height);
}

function round(value: number, parts = 10): number {
  return Math.round(value * parts) / parts;
}

/** Pixels of the screen that the canvas covers. */
function useCanvasSize(canvas: RefObject<HTMLCanvasElement | null>): Shape | null {
  const [size, setSize] = useState<Shape | null>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      const scale = window.devicePixelRatio;
      const width = Math.round(element.clientWidth * scale);
      const height = Math.round(element.clientHeight * scale);
      if (width > 0 && height > 0) {
        setSize((old) => (old?.width === width && old.height === height ? old : { width, height }));
      }
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [canvas]);
  return size;
}
