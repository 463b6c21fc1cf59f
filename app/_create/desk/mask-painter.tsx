'use client';
import { Focus, PaintBucket } from 'lucide-react';
import { IconButton } from '../../_components/icon-button.tsx';
import type { Start } from '../../_lib/draft.ts';
import { updateStart } from '../../_lib/inputs.ts';
import { add, boxOf, type Sketch } from '../../_lib/sketch/sketch.ts';
import { DeskBar, useTool } from './desk-bar.tsx';
import { startMarquee } from './marquee.ts';
import { SketchBoard } from './sketch-board.tsx';
import styles from './desk.module.css';

const BRUSH = 110;

/** Paints over what is to be drawn anew. */
export function MaskPainter({ start }: { start: Start }) {
  const tools = useTool(BRUSH);
  const { picture, mask } = start;
  const change = (next: Sketch) => updateStart({ mask: next });
  const middle = () => {
    const box = startMarquee(boxOf(picture.width, picture.height));
    change(add(mask, { kind: 'rectangle', erase: false, ...box }));
  };
  return (
    <div className={styles.desk}>
      <div className={styles.light}>
        <SketchBoard
          label="Mask"
          look="mask"
          shape={picture}
          sketch={mask}
          tool={tools.tool}
          onChange={change}
        >
          <img src={picture.url} alt="" draggable={false} />
        </SketchBoard>
      </div>
      <DeskBar title="Mask tools" tools={tools} sketch={mask} onChange={change}>
        <span className={styles.pair}>
          <IconButton label="Everything" onClick={() => change(add(mask, { kind: 'fill' }))}>
            <PaintBucket />
          </IconButton>
          <IconButton label="The middle" onClick={middle}>
            <Focus />
          </IconButton>
        </span>
      </DeskBar>
    </div>
  );
}
