'use client';
import { useEffect } from 'react';
import type { Model } from '../../../lib/contracts/models.ts';
import type { Draft } from '../../_lib/draft.ts';
import { clearDesk, type Desk as DeskState } from '../../_lib/desk.ts';
import { drawnSize } from '../../_lib/sizes.ts';
import { BorderFrame } from './border-frame.tsx';
import { DrawingPad } from './drawing-pad.tsx';
import { MaskPainter } from './mask-painter.tsx';

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

  if (model === undefined) return null;
  if (desk.kind === 'drawing') {
    if (reference === undefined) return null;
    return <DrawingPad reference={reference} paper={drawnSize(draft, model)} />;
  }
  if (start === undefined) return null;
  return desk.kind === 'mask' ? (
    <MaskPainter start={start} />
  ) : (
    <BorderFrame start={start} size={drawnSize(draft, model)} />
  );
}
