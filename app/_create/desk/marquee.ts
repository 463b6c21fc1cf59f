import type { Shape } from './use-sketch-canvas.ts';

/** A rectangle that the keyboard moves, in units. */
export interface Marquee extends Shape {
  x: number;
  y: number;
}

const STEP = 32;
const SMALLEST = 32;

/** The middle third: what a mask is most often about. */
export function startMarquee({ width, height }: Shape): Marquee {
  return { x: width / 3, y: height / 3, width: width / 3, height: height / 3 };
}

const directions: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The rectangle after an arrow key, moved or resized within the picture; null for any other key. */
export function moveMarquee(
  { x, y, width, height }: Marquee,
  key: string,
  resize: boolean,
  within: Shape,
): Marquee | null {
  const direction = directions[key];
  if (direction === undefined) return null;
  const [dx, dy] = [direction[0] * STEP, direction[1] * STEP];
  if (resize) {
    return {
      x,
      y,
      width: between(SMALLEST, width + dx, within.width - x),
      height: between(SMALLEST, height + dy, within.height - y),
    };
  }
  return {
    x: between(0, x + dx, within.width - width),
    y: between(0, y + dy, within.height - height),
    width,
    height,
  };
}

function between(low: number, value: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
