'use client';
import { useMutation } from '@tanstack/react-query';
import { Pencil } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import {
  controlModes,
  inputLimits,
  preprocessors,
  type ControlMode,
} from '../../../lib/contracts/task-inputs.ts';
import type { Adapter } from '../../../lib/contracts/models.ts';
import { Button } from '../../_components/button.tsx';
import { SelectField } from '../../_components/fields.tsx';
import { Slider } from '../../_components/slider.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import type { PictureRef, Reference } from '../../_lib/draft.ts';
import { clearDesk, deskStore, useDesk } from '../../_lib/desk.ts';
import { removeReference, updateReference } from '../../_lib/inputs.ts';
import { controlUrl } from '../../_lib/pictures.ts';
import { controlNetOf, preprocessorOf } from '../../_lib/request.ts';
import { emptySketch } from '../../_lib/sketch/sketch.ts';
import { InputSection } from './input-section.tsx';
import { SketchThumb } from './sketch-thumb.tsx';
import styles from './inputs.module.css';

const preprocessorNames: Record<(typeof preprocessors)[number], string> = {
  canny: 'Edges (Canny)',
  scribble: 'Scribble',
  lineart: 'Line art',
  none: 'It is a control picture already',
};

const modeNames: Record<ControlMode, string> = {
  balanced: 'Both alike',
  prompt: 'The words more',
  control: 'The lines more',
};

interface ReferenceSectionProps {
  reference: Reference;
  /** Those that fit the model. */
  controlNets: Adapter[];
}

/** A picture or a drawing whose lines are followed. */
export function ReferenceSection({ reference, controlNets }: ReferenceSectionProps) {
  const { key, source, scale, start, end, mode } = reference;
  const desk = useDesk();
  const isDrawing = source.kind === 'drawing';
  const isOpen = desk?.kind === 'drawing' && desk.key === key;
  const net = controlNetOf(reference, controlNets);
  const preprocessor = preprocessorOf(reference, net);
  const set = (change: Partial<Reference>) => updateReference(key, change);
  return (
    <InputSection
      title={isDrawing ? 'Follow my drawing' : 'Follow this picture'}
      removeLabel={isDrawing ? 'Take the drawing away' : 'Take the reference away'}
      onRemove={() => {
        if (isOpen) clearDesk();
        removeReference(key);
      }}
      picture={
        isDrawing ? (
          <SketchThumb source={source} className={styles.thumb} />
        ) : (
          <img src={source.picture.thumbnailUrl} alt="" className={styles.thumb} />
        )
      }
      note={
        isDrawing ? 'The picture keeps to its lines.' : 'The picture keeps to its lines, not its colours.'
      }
    >
      {net === undefined && (
        <p className={styles.missing}>
          <Link href="/models">Install one under Models</Link>, or put its folder into <code>models/</code>.
        </p>
      )}
      {isDrawing && !isOpen && (
        <Button onClick={() => deskStore.set({ kind: 'drawing', key })}>
          <Pencil aria-hidden /> Draw
        </Button>
      )}
      {!isDrawing && (
        <>
          <SelectField
            label="Lines found by"
            value={preprocessor}
            options={preprocessors.map((value) => ({ value, label: preprocessorNames[value] }))}
            onChange={(value) => {
              const chosen = preprocessors.find((each) => each === value);
              set({ source: { ...source, preprocessor: chosen } });
            }}
          />
          {preprocessor !== 'none' && <ControlPreview id={source.picture.id} preprocessor={preprocessor} />}
          <EditLines referenceKey={key} picture={source.picture} preprocessor={preprocessor} />
        </>
      )}
      {controlNets.length > 1 && net !== undefined && (
        <SelectField
          label="ControlNet"
          value={net.id}
          options={controlNets.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(model) => set({ model })}
        />
      )}
      <Slider
        label="Weight"
        min={0}
        max={inputLimits.maxControlScale}
        step={0.05}
        value={scale}
        valueText={scale.toFixed(2)}
        onChange={(next) => set({ scale: next })}
      />
      <div className={styles.range}>
        <Slider
          label="From"
          min={0}
          max={1}
          step={0.05}
          value={start}
          valueText={`${Math.round(start * 100)} %`}
          onChange={(next) => set({ start: next, end: Math.max(end, Math.min(1, next + 0.05)) })}
        />
        <Slider
          label="To"
          min={0}
          max={1}
          step={0.05}
          value={end}
          valueText={`${Math.round(end * 100)} %`}
          onChange={(next) => set({ end: next, start: Math.min(start, Math.max(0, next - 0.05)) })}
        />
      </div>
      <SelectField
        label="What counts"
        value={mode ?? 'balanced'}
        options={controlModes.map((value) => ({ value, label: modeNames[value] }))}
        onChange={(value) => {
          const chosen = controlModes.find((each) => each === value);
          set({ mode: chosen === 'balanced' ? undefined : chosen });
        }}
      />
    </InputSection>
  );
}

/** Makes a drawing of the lines, to be drawn on. */
function EditLines(props: {
  referenceKey: string;
  picture: PictureRef;
  preprocessor: (typeof preprocessors)[number];
}) {
  const { referenceKey: key, picture, preprocessor } = props;
  const { notifyError } = useNotify();
  const edit = useMutation({
    mutationFn: async () =>
      preprocessor === 'none' ? picture : api.preprocess({ image: picture.id, preprocessor }),
    onError: notifyError,
    onSuccess: ({ id, width, height }) => {
      const sketch = { ...emptySketch, base: id };
      updateReference(key, { source: { kind: 'drawing', sketch, shape: { width, height } } });
      deskStore.set({ kind: 'drawing', key });
    },
  });
  return (
    <Button disabled={edit.isPending} onClick={() => edit.mutate()}>
      <Pencil aria-hidden /> Draw on the lines
    </Button>
  );
}

/** What the model will see of the picture. */
function ControlPreview({ id, preprocessor }: { id: string; preprocessor: string }) {
  const src = controlUrl(id, preprocessor);
  const [failed, setFailed] = useState<string | null>(null);
  if (failed === src) return <p className={styles.missing}>The lines of this picture could not be found.</p>;
  return (
    <figure className={styles.control}>
      <img src={src} alt="The lines that are followed" onError={() => setFailed(src)} />
    </figure>
  );
}
