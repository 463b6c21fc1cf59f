'use client';
import { useId, useState, type CSSProperties, type KeyboardEvent, type ReactNode } from 'react';
import { boxOf, UNITS, type Sketch } from '../../_lib/sketch/sketch.ts';
import { moveMarquee, startMarquee, type Marquee } from './marquee.ts';
import { useSketchCanvas, type Look, type Shape, type SketchTool } from './use-sketch-canvas.ts';
import styles from './sketch-board.module.css';

interface SketchBoardProps {
  label: string;
  /** `mask` lets the picture through, `ink` is opaque. */
  look: Look;
  /** Pixels of the picture; only their ratio is seen. */
  shape: Shape;
  sketch: Sketch;
  tool: SketchTool;
  onChange: (sketch: Sketch) => void;
  /** What lies under the paint. */
  children?: ReactNode;
}

/**
 * A surface to paint on, as large as its place allows. The keyboard has a rectangle: arrow keys move it, with Shift they
 * change its size, Enter paints it and Backspace wipes it out.
 */
export function SketchBoard({ label, look, shape, sketch, tool, onChange, children }: SketchBoardProps) {
  const id = useId();
  const [marquee, setMarquee] = useState<Marquee | null>(null);
  const [cursor, setCursor] = useState<{ x: number; y: number } | null>(null);
  const { canvas, apply, ...paintWith } = useSketchCanvas({ look, shape, sketch, tool, onChange });
  const unit = boxOf(shape.width, shape.height);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moved = moveMarquee(marquee ?? startMarquee(unit), event.key, event.shiftKey, unit);
    if (moved !== null) setMarquee(marquee === null ? startMarquee(unit) : moved);
    else if (marquee !== null && event.key === 'Enter') {
      apply({ kind: 'rectangle', erase: tool.erase, ...marquee });
    } else if (marquee !== null && (event.key === 'Backspace' || event.key === 'Delete')) {
      apply({ kind: 'rectangle', erase: true, ...marquee });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      className={styles.board}
      data-look={look}
      style={{ '--w': shape.width, '--h': shape.height } as CSSProperties}
    >
      {children}
      <div
        role="application"
        aria-label={label}
        aria-describedby={`${id}-how`}
        tabIndex={0}
        className={styles.surface}
        onKeyDown={onKeyDown}
        onBlur={() => setMarquee(null)}
        onPointerLeave={() => setCursor(null)}
        {...paintWith}
        onPointerMove={(event) => {
          paintWith.onPointerMove(event);
          const box = event.currentTarget.getBoundingClientRect();
          setCursor({
            x: (event.clientX - box.left) / box.width,
            y: (event.clientY - box.top) / box.height,
          });
        }}
      >
        <canvas ref={canvas} className={styles.canvas} aria-hidden />
        {cursor !== null && (
          <span
            className={styles.cursor}
            data-erase={tool.erase}
            style={{
              left: `${cursor.x * 100}%`,
              top: `${cursor.y * 100}%`,
              width: `${(tool.size / unit.width) * 100}%`,
            }}
          />
        )}
        {marquee !== null && (
          <span
            className={styles.marquee}
            style={{
              left: `${(marquee.x / unit.width) * 100}%`,
              top: `${(marquee.y / unit.height) * 100}%`,
              width: `${(marquee.width / unit.width) * 100}%`,
              height: `${(marquee.height / unit.height) * 100}%`,
            }}
          />
        )}
      </div>
      <p id={`${id}-how`} className="visually-hidden">
        Arrow keys move a rectangle, with Shift they change its size. Enter paints it, Backspace wipes it out.
      </p>
      <p role="status" className="visually-hidden">
        {marquee !== null &&
          `Rectangle at ${percent(marquee.x, UNITS)}, ${percent(marquee.y, UNITS)}, ${percent(marquee.width, UNITS)} wide, ${percent(marquee.height, UNITS)} high`}
      </p>
    </div>
  );
}

function percent(part: number, whole: number): string {
  return `${Math.round((part / whole) * 100)} percent`;
}
