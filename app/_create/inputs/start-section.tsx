'use client';
import type { Model } from '../../../lib/contracts/models.ts';
import { SelectField } from '../../_components/fields.tsx';
import { Segments } from '../../_components/segments.tsx';
import { startUses, updateDraft, type Draft, type Start, type StartUse } from '../../_lib/draft.ts';
import { clearDesk, openDeskFor } from '../../_lib/desk.ts';
import { canDo } from '../../_lib/hand-over.ts';
import { updateStart } from '../../_lib/inputs.ts';
import { drawnSize } from '../../_lib/sizes.ts';
import { EnlargeFields } from '../second-pass.tsx';
import { ExtendFields } from './extend-fields.tsx';
import { InputSection } from './input-section.tsx';
import { PaintFields } from './paint-fields.tsx';
import { StrengthField } from './strength-field.tsx';
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
