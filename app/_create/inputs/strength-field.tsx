'use client';
import { Slider } from '../../_components/slider.tsx';
import type { Start } from '../../_lib/draft.ts';
import { updateStart } from '../../_lib/inputs.ts';
import { defaultStrengthOf } from '../../_lib/request.ts';

/** How much of the picture is drawn anew. */
export function StrengthField({ start }: { start: Start }) {
  const value = start.strength ?? defaultStrengthOf(start.use);
  return (
    <Slider
      label="Strength"
      min={0}
      max={1}
      step={0.01}
      value={value}
      valueText={value.toFixed(2)}
      onChange={(strength) =>
        updateStart({ strength: strength === defaultStrengthOf(start.use) ? undefined : strength })
      }
    />
  );
}
