'use client';
import type { Reference } from '../../_lib/draft.ts';
import { updateReference } from '../../_lib/inputs.ts';
import { isBlank, type Sketch } from '../../_lib/sketch/sketch.ts';
import { DeskBar, useTool } from './desk-bar.tsx';
import { SketchBoard } from './sketch-board.tsx';
import type { Shape } from './use-sketch-canvas.ts';
import styles from './desk.module.css';

/** Three pixels of 128: the width of the lines that the bundled ControlNet was shown. */
const PEN = 24;

/** Paper to draw on. What is ink here is white on black for the model. */
export function DrawingPad({ reference, paper }: { reference: Reference; paper: Shape }) {
  const tools = useTool(PEN);
  if (reference.source.kind !== 'drawing') return null;
  const { sketch, shape } = reference.source;
  // A paper on which nothing is drawn yet has the shape of the picture that is to come.
  const onto = isBlank(sketch) ? paper : shape;
  const change = (next: Sketch) =>
    updateReference(reference.key, { source: { kind: 'drawing', sketch: next, shape: onto } });
  return (
    <div className={styles.desk}>
      <div className={styles.light}>
        <SketchBoard
          label="Drawing"
          look="ink"
          shape={onto}
          sketch={sketch}
          tool={tools.tool}
          onChange={change}
        />
      </div>
      <DeskBar title="Drawing tools" tools={tools} sketch={sketch} onChange={change} />
    </div>
  );
}
