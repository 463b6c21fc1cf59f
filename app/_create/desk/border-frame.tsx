'use client';
import { useRef, type CSSProperties, type KeyboardEvent, type PointerEvent } from 'react';
import { Button } from '../../_components/button.tsx';
import type { Size } from '../../../lib/contracts/sizes.ts';
import type { Start } from '../../_lib/draft.ts';
import { leaveDesk } from '../../_lib/desk.ts';
import { noBorders, setBorder, updateStart } from '../../_lib/inputs.ts';
import { BORDER_STEP, MAX_BORDER, sides, snapBorder, viewOf, type Side } from '../../_lib/borders.ts';
import styles from './border-frame.module.css';
import desk from './desk.module.css';

const names: Record<Side, string> = {
  left: 'Left border',
  top: 'Upper border',
  right: 'Right border',
  bottom: 'Lower border',
};

/**
 * Pulls the edges of a picture outwards, to what is to be drawn around it. `size` is the picture's as it is drawn.
 */
export function BorderFrame({ start, size }: { start: Start; size: Size }) {
  const { picture, outpaint } = start;
  const view = viewOf(size, outpaint);
  const part = (length: number, whole: number) => `${(length / whole) * 100}%`;
  const width = size.width + outpaint.left + outpaint.right;
  const height = size.height + outpaint.top + outpaint.bottom;
  return (
    <div className={desk.desk}>
      <div className={desk.light}>
        <div
          className={styles.view}
          style={{ '--w': view.width, '--h': view.height } as CSSProperties}
          role="group"
          aria-label="Borders"
        >
          <div
            className={styles.whole}
            style={{
              left: part(view.x - outpaint.left, view.width),
              top: part(view.y - outpaint.top, view.height),
              width: part(width, view.width),
              height: part(height, view.height),
            }}
          >
            {sides.map((side) => (
              <Handle key={side} side={side} value={outpaint[side]} viewWidth={view.width} />
            ))}
          </div>
          <img
            src={picture.url}
            alt=""
            draggable={false}
            className={styles.picture}
            style={{
              left: part(view.x, view.width),
              top: part(view.y, view.height),
              width: part(size.width, view.width),
              height: part(size.height, view.height),
            }}
          />
        </div>
      </div>
      <div className={desk.bar}>
        <p className={styles.size}>
          <span className="film">
            {width} × {height}
          </span>{' '}
          with the borders
        </p>
        <span className={desk.pair}>
          <Button size="s" tone="quiet" onClick={() => updateStart({ outpaint: { ...noBorders } })}>
            No borders
          </Button>
          <Button size="s" onClick={leaveDesk}>
            Done
          </Button>
        </span>
      </div>
    </div>
  );
}

function Handle({ side, value, viewWidth }: { side: Side; value: number; viewWidth: number }) {
  const drag = useRef<{ from: number; value: number; pixels: number } | null>(null);
  const isAcross = side === 'left' || side === 'right';
  const outwards = side === 'left' || side === 'top' ? -1 : 1;
  const set = (next: number) => setBorder(side, snapBorder(next));
  const position = (event: PointerEvent) => (isAcross ? event.clientX : event.clientY);

  const onKeyDown = (event: KeyboardEvent) => {
    const arrow = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (arrow !== undefined) {
      const isOutwards = event.key === 'ArrowLeft' || event.key === 'ArrowRight' ? isAcross : !isAcross;
      if (!isOutwards) return;
      set(value + arrow * outwards * BORDER_STEP);
    } else if (event.key === 'Home') set(0);
    else if (event.key === 'PageUp') set(value + 8 * BORDER_STEP);
    else if (event.key === 'PageDown') set(value - 8 * BORDER_STEP);
    else return;
    event.preventDefault();
  };

  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={names[side]}
      aria-orientation={isAcross ? 'horizontal' : 'vertical'}
      aria-valuemin={0}
      aria-valuemax={MAX_BORDER}
      aria-valuenow={value}
      aria-valuetext={`${value} pixels`}
      className={styles.handle}
      data-side={side}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const box = event.currentTarget.closest(`.${styles.view ?? ''}`)?.getBoundingClientRect();
        drag.current = { from: position(event), value, pixels: viewWidth / (box?.width || viewWidth) };
      }}
      onPointerMove={(event) => {
        if (drag.current === null) return;
        const { from, value: before, pixels } = drag.current;
        set(before + (position(event) - from) * outwards * pixels);
      }}
      onPointerUp={() => (drag.current = null)}
      onPointerCancel={() => (drag.current = null)}
    />
  );
}
