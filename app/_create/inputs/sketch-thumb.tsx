'use client';
import { useEffect, useRef } from 'react';
import type { Reference } from '../../_lib/draft.ts';
import { renderSketch } from '../../_lib/sketch/render.ts';
import { useBase } from '../../_lib/sketch/use-base.ts';

const SIDE = 144;

/** A drawing as a small picture, as the model sees it. */
export function SketchThumb(props: {
  source: Extract<Reference['source'], { kind: 'drawing' }>;
  className?: string;
}) {
  const { sketch, shape } = props.source;
  const canvas = useRef<HTMLCanvasElement>(null);
  const base = useBase(sketch.base);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context == null) return;
    renderSketch(context, sketch, base, shape);
    context.globalCompositeOperation = 'destination-over';
    context.fillStyle = '#000';
    context.fillRect(0, 0, SIDE, SIDE);
    context.globalCompositeOperation = 'source-over';
  }, [sketch, base, shape]);
  return <canvas ref={canvas} width={SIDE} height={SIDE} className={props.className} aria-hidden />;
}
