import type { PointerEvent } from 'react';

/** Where the pointer is on a pad whose middle is 0, 0 and whose edges are `reach` away; what lies beyond is at the edge. */
export function placeIn(event: PointerEvent, reach: number): { x: number; y: number } {
  const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
  const from = (fraction: number) => withinReach((fraction - 0.5) * 2 * reach, reach);
  return { x: from((event.clientX - left) / width), y: from((event.clientY - top) / height) };
}

export function withinReach(value: number, reach: number): number {
  return Math.min(reach, Math.max(-reach, value));
}
