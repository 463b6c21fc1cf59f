'use client';
import { useEffect, useRef } from 'react';
import type { Model } from '../../../lib/contracts/models.ts';
import type { Draft } from '../../_lib/draft.ts';
import { clearDesk, type Desk as DeskState } from '../../_lib/desk.ts';
import { drawnSize } from '../../_lib/sizes.ts';
import { BorderFrame } from './border-frame.tsx';
import { DrawingPad } from './drawing-pad.tsx';
import { MaskPainter } from './mask-painter.tsx';
import styles from './desk.module.css';

/** The table while something is painted on it: the same place in which the picture will appear. */
export function Desk({ desk, draft, model }: { desk: DeskState; draft: Draft; model: Model | undefined }) {
  const { start } = draft;
  const reference =
    desk.kind === 'drawing' ? draft.references.find((each) => each.key === desk.key) : undefined;
  const isGone = desk.kind === 'drawing' ? reference?.source.kind !== 'drawing' : start === undefined;

  // What was painted on was taken away, here or by using an older picture again.
  useEffect(() => {
    if (isGone) clearDesk();
  }, [isGone]);

  // On a narrow page the table lies below what opened it.
  const place = useRef<HTMLDivElement>(null);
  const what = `${desk.kind} ${reference?.key ?? ''}`;
  useEffect(() => {
    place.current?.scrollIntoView({ block: 'nearest' });
  }, [what]);

  if (isGone || model === undefined) return null;
  const size = drawnSize(draft, model);
  return (
    <div ref={place} className={styles.place}>
      {reference !== undefined && <DrawingPad reference={reference} paper={size} />}
      {start !== undefined && desk.kind === 'mask' && <MaskPainter start={start} />}
      {start !== undefined && desk.kind === 'borders' && <BorderFrame start={start} size={size} />}
    </div>
  );
}
