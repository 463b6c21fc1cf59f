'use client';
import { useRef, useState, type PointerEvent } from 'react';
import type { Motion } from '../../../lib/contracts/task-inputs.ts';
import { drawnPath } from '../../_lib/motion.ts';
import { placeIn } from './pad.ts';
import styles from './motion-pad.module.css';

type Path = NonNullable<Motion['path']>;

/** Largest way from the middle, in 512ths of the picture. */
const REACH = 128;

/**
 * The path of the view as a line from the middle, to be drawn anew by hand. For pointers only: the list beside it has
 * paths that need no drawing.
 */
export function PathPad({ path, onChange }: { path: Path; onChange: (path: Path) => void }) {
  const places = useRef<Path>([]);
  const [drawing, setDrawing] = useState<Path | null>(null);
  const shown = drawing ?? path;
  const [end] = shown.slice(-1);

  const follow = (event: PointerEvent) => {
    places.current.push(placeIn(event, REACH));
    setDrawing([...places.current]);
  };
  const finish = () => {
    const drawn = drawing === null ? undefined : drawnPath(drawing);
    setDrawing(null);
    if (drawn !== undefined) onChange(drawn);
  };

  return (
    <div
      className={styles.pad}
      aria-hidden
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        places.current = [];
        follow(event);
      }}
      onPointerMove={(event) => drawing !== null && follow(event)}
      onPointerUp={finish}
      onPointerCancel={() => setDrawing(null)}
    >
      <svg viewBox={`${-REACH} ${-REACH} ${2 * REACH} ${2 * REACH}`}>
        <path
          d={`M${-REACH} 0H${REACH}M0 ${-REACH}V${REACH}`}
          className={styles.axes}
          vectorEffect="non-scaling-stroke"
        />
        <polyline
          points={[{ x: 0, y: 0 }, ...shown].map(({ x, y }) => `${x},${y}`).join(' ')}
          className={styles.path}
        />
        <circle cx={0} cy={0} r={6} className={styles.origin} />
        {end !== undefined && <circle cx={end.x} cy={end.y} r={9} className={styles.tip} />}
      </svg>
    </div>
  );
}
