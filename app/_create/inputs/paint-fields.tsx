'use client';
import { Brush } from 'lucide-react';
import { inputLimits, type maskedContents } from '../../../lib/contracts/task-inputs.ts';
import { Button } from '../../_components/button.tsx';
import { SelectField } from '../../_components/fields.tsx';
import { Segments } from '../../_components/segments.tsx';
import { Slider } from '../../_components/slider.tsx';
import type { Start } from '../../_lib/draft.ts';
import { deskStore, useDesk } from '../../_lib/desk.ts';
import { updateStart } from '../../_lib/inputs.ts';
import { StrengthField } from './strength-field.tsx';

const contents: { value: (typeof maskedContents)[number]; label: string }[] = [
  { value: 'original', label: 'What is there now' },
  { value: 'fill', label: 'The colours around it' },
  { value: 'latent-noise', label: 'Noise' },
  { value: 'latent-nothing', label: 'Nothing' },
];

/** A1111's default, which people of the field are used to. */
const FEATHER = 4;

/** A1111's, like the feather. */
const PADDING = 32;

const areas = [
  { value: 'whole', label: 'The whole picture' },
  { value: 'masked', label: 'Only what is masked' },
] as const;

/** What of the picture is drawn anew, and from what. */
export function PaintFields({ start }: { start: Start }) {
  const desk = useDesk();
  const feather = start.maskBlur ?? FEATHER;
  const padding = start.paddingMaskCrop;
  return (
    <>
      {desk?.kind !== 'mask' && (
        <Button onClick={() => deskStore.set({ kind: 'mask' })}>
          <Brush aria-hidden /> Paint the mask
        </Button>
      )}
      <StrengthField start={start} />
      <Slider
        label="Feather"
        min={0}
        max={64}
        value={feather}
        valueText={`${feather} px`}
        onChange={(maskBlur) => updateStart({ maskBlur: maskBlur === FEATHER ? undefined : maskBlur })}
      />
      <SelectField
        label="Begin with"
        value={start.maskedContent ?? 'original'}
        options={contents}
        onChange={(value) =>
          updateStart({ maskedContent: contents.find((each) => each.value === value)?.value })
        }
      />
      <Segments
        legend="What is drawn"
        name="masked-area"
        options={areas}
        value={padding === undefined ? 'whole' : 'masked'}
        onChange={(area) => updateStart({ paddingMaskCrop: area === 'whole' ? undefined : PADDING })}
      />
      {padding !== undefined && (
        <Slider
          label="Seen around it"
          min={0}
          max={inputLimits.maxPaddingMaskCrop}
          step={4}
          value={padding}
          valueText={`${padding} px`}
          onChange={(paddingMaskCrop) => updateStart({ paddingMaskCrop })}
        />
      )}
    </>
  );
}
