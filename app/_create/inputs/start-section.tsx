'use client';
import { Brush, MoveDiagonal } from 'lucide-react';
import { inputLimits, type maskedContents } from '../../../lib/contracts/task-inputs.ts';
import type { Model } from '../../../lib/contracts/models.ts';
import { Button } from '../../_components/button.tsx';
import { NumberField, SelectField } from '../../_components/fields.tsx';
import { Segments } from '../../_components/segments.tsx';
import { Slider } from '../../_components/slider.tsx';
import { BORDER_STEP, MAX_BORDER, sides, snapBorder } from '../../_lib/borders.ts';
import { startUses, updateDraft, type Draft, type Start, type StartUse } from '../../_lib/draft.ts';
import { clearDesk, deskStore, openDeskFor, useDesk } from '../../_lib/desk.ts';
import { canDo } from '../../_lib/hand-over.ts';
import { setBorder, updateStart } from '../../_lib/inputs.ts';
import { defaultStrengthOf } from '../../_lib/request.ts';
import { drawnSize } from '../../_lib/sizes.ts';
import { EnlargeFields } from '../second-pass.tsx';
import { InputSection } from './input-section.tsx';
import styles from './inputs.module.css';

const useNames: Record<StartUse, string> = {
  redraw: 'Redraw',
  paint: 'Paint',
  extend: 'Extend',
  enlarge: 'Enlarge',
};

const meaning: Record<StartUse, string> = {
  redraw: 'Draws the whole picture anew from its colours and shapes.',
  paint: 'Draws anew only what you paint over.',
  extend: 'Draws what lies beyond the edges.',
  enlarge: 'Makes it larger and draws the finer detail.',
};

export function StartSection({ draft, start, model }: { draft: Draft; start: Start; model: Model }) {
  const { picture, use } = start;
  const offered = startUses.filter((each) => canDo(each, model));
  const choose = (next: StartUse) => {
    updateStart({ use: next });
    openDeskFor(next);
  };
  return (
    <InputSection
      title="Start from this"
      removeLabel="Take the picture away"
      onRemove={() => {
        clearDesk();
        updateDraft({ start: undefined });
      }}
      picture={<img src={picture.thumbnailUrl} alt="" className={styles.thumb} />}
      note={meaning[use]}
    >
      {offered.length > 1 && (
        <Segments
          legend="What to do with it"
          hideLegend
          name="start-use"
          options={offered.map((value) => ({ value, label: useNames[value] }))}
          value={use}
          onChange={choose}
        />
      )}
      {use === 'redraw' && (
        <>
          <StrengthField start={start} />
          <ResizeField draft={draft} start={start} model={model} />
        </>
      )}
      {use === 'paint' && <PaintFields start={start} />}
      {use === 'extend' && <ExtendFields start={start} />}
      {use === 'enlarge' && (
        <EnlargeFields
          name="enlarge"
          strengthLabel="Strength"
          upscale={start.larger}
          from={drawnSize(draft, model)}
          onChange={(change) => updateStart({ larger: { ...start.larger, ...change } })}
        />
      )}
    </InputSection>
  );
}

function StrengthField({ start }: { start: Start }) {
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

const resizes = [
  { value: 'crop', label: 'Cut to fit' },
  { value: 'pad', label: 'Fill up the edges' },
  { value: 'stretch', label: 'Stretch' },
] as const;

/** Only where the picture has another shape than what is drawn. */
function ResizeField({ draft, start, model }: { draft: Draft; start: Start; model: Model }) {
  const { width, height } = drawnSize(draft, model);
  const isSameShape = Math.abs(start.picture.width / start.picture.height / (width / height) - 1) < 0.02;
  const isAsItIs = draft.width === undefined && draft.height === undefined;
  if (isSameShape || isAsItIs) return null;
  return (
    <SelectField
      label="It has another shape"
      value={start.resize ?? 'crop'}
      options={[...resizes]}
      onChange={(value) => updateStart({ resize: resizes.find((each) => each.value === value)?.value })}
    />
  );
}

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

function PaintFields({ start }: { start: Start }) {
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

const sideNames = { left: 'Left', top: 'Above', right: 'Right', bottom: 'Below' } as const;

function ExtendFields({ start }: { start: Start }) {
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
