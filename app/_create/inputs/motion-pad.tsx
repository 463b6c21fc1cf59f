'use client';
import { useRef, type PointerEvent } from 'react';
import { placeIn, withinReach } from './pad.ts';
import styles from './motion-pad.module.css';

/** Largest motion that the pad reaches; the fields beside it go further. */
const REACH = 32;

interface MotionPadProps {
  x: number;
  y: number;
  onChange: (motion: { x: number; y: number }) => void;
}

/**
 * The way the view moves as an arrow, to be pulled by its tip. For pointers only: the number fields beside it say and
 * set the same.
 */
export function MotionPad({ x, y, onChange }: MotionPadProps) {
  const isDragging = useRef(false);
  const [tipX, tipY] = [withinReach(x, REACH), withinReach(y, REACH)];
  const length = Math.hypot(tipX, tipY);

  const follow = (event: PointerEvent) => {
    const place = placeIn(event, REACH);
    onChange({ x: Math.round(place.x), y: Math.round(place.y) });
  };

  return (
    <div
      className={styles.pad}
      aria-hidden
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        isDragging.current = true;
        follow(event);
      }}
      onPointerMove={(event) => isDragging.current && follow(event)}
      onPointerUp={() => (isDragging.current = false)}
      onPointerCancel={() => (isDragging.current = false)}
    >
      <svg viewBox={`${-REACH} ${-REACH} ${2 * REACH} ${2 * REACH}`}>
        <path d={`M${-REACH} 0H${REACH}M0 ${-REACH}V${REACH}`} className={styles.axes} />
        {length > 0 && <line x1={0} y1={0} x2={tipX} y2={tipY} className={styles.shaft} />}
        <circle cx={0} cy={0} r={1.6} className={styles.origin} />
        {length > 0 ? (
          <path
            d="M3 0L-4 4L-2.5 0L-4 -4Z"
            transform={`translate(${tipX} ${tipY}) rotate(${(Math.atan2(tipY, tipX) * 180) / Math.PI})`}
            className={styles.tip}
          />
        ) : (
          <circle cx={0} cy={0} r={4} className={styles.tip} />
        )}
      </svg>
    </div>
  );
}
