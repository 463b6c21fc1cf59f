'use client';
import { MoveDiagonal } from 'lucide-react';
import { Button } from '../../_components/button.tsx';
import { NumberField } from '../../_components/fields.tsx';
import { BORDER_STEP, MAX_BORDER, sides, snapBorder } from '../../_lib/borders.ts';
import type { Start } from '../../_lib/draft.ts';
import { deskStore, useDesk } from '../../_lib/desk.ts';
import { setBorder } from '../../_lib/inputs.ts';
import { StrengthField } from './strength-field.tsx';
import styles from './inputs.module.css';

const sideNames = { left: 'Left', top: 'Above', right: 'Right', bottom: 'Below' } as const;

/** How far the picture goes on at each side. */
export function ExtendFields({ start }: { start: Start }) {
  const desk = useDesk();
  return (
    <>
      {desk?.kind !== 'borders' && (
        <Button onClick={() => deskStore.set({ kind: 'borders' })}>
          <MoveDiagonal aria-hidden /> Pull the edges
        </Button>
      )}
      <div className={styles.columns}>
        {sides.map((side) => (
          <NumberField
            key={side}
            label={sideNames[side]}
            value={start.outpaint[side]}
            min={0}
            max={MAX_BORDER}
            step={BORDER_STEP}
            onChange={(pixels) => setBorder(side, snapBorder(pixels ?? 0))}
          />
        ))}
      </div>
      <StrengthField start={start} />
    </>
  );
}
