'use client';
import { Film, ImagePlus, Layers, PencilLine } from 'lucide-react';
import { useRef } from 'react';
import type { Model } from '../../../lib/contracts/models.ts';
import { uploadTypes } from '../../../lib/contracts/pictures.ts';
import { updateDraft, type Draft } from '../../_lib/draft.ts';
import { clearDesk, deskStore } from '../../_lib/desk.ts';
import { canDo } from '../../_lib/hand-over.ts';
import { addReference, canAddReference, newReference, withVideo } from '../../_lib/inputs.ts';
import { drawnSize } from '../../_lib/sizes.ts';
import { emptySketch } from '../../_lib/sketch/sketch.ts';
import styles from './add-row.module.css';

interface AddRowProps {
  draft: Draft;
  model: Model | undefined;
  showLoras: boolean;
  onShowLoras: () => void;
  onPicture: (file: File) => void;
}

/** What a picture can be made from besides words, one small button each. What is pressed opens below. */
export function AddRow({ draft, model, showLoras, onShowLoras, onPicture }: AddRowProps) {
  const file = useRef<HTMLInputElement>(null);
  if (model === undefined) return <div className={styles.row} />;
  const draw = () => {
    const reference = newReference({
      kind: 'drawing',
      sketch: emptySketch,
      shape: drawnSize(draft, model),
    });
    addReference(reference);
    deskStore.set({ kind: 'drawing', key: reference.key });
  };
  return (
    <div className={styles.row} role="group" aria-label="Add to the words">
      <input
        ref={file}
        type="file"
        accept={uploadTypes.join(',')}
        hidden
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen !== undefined) onPicture(chosen);
          event.target.value = '';
        }}
      />
      <button type="button" className={styles.add} onClick={() => file.current?.click()}>
        <ImagePlus aria-hidden /> Picture
      </button>
      {canDo('reference', model) && (
        <button type="button" className={styles.add} disabled={!canAddReference(draft)} onClick={draw}>
          <PencilLine aria-hidden /> Draw
        </button>
      )}
      {canDo('video', model) && (
        <button
          type="button"
          className={styles.add}
          aria-pressed={draft.video !== undefined}
          onClick={() => {
            if (draft.video === undefined) clearDesk();
            updateDraft(draft.video === undefined ? withVideo() : { video: undefined });
          }}
        >
          <Film aria-hidden /> Video
        </button>
      )}
      <button type="button" className={styles.add} aria-pressed={showLoras} onClick={onShowLoras}>
        <Layers aria-hidden /> LoRA
      </button>
    </div>
  );
}
