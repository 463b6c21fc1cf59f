'use client';
import { inputLimits, upscaleSchema, type Upscale } from '../../lib/contracts/task-inputs.ts';
import { Segments } from '../_components/segments.tsx';
import { Slider } from '../_components/slider.tsx';
import { updateDraft, type Draft } from '../_lib/draft.ts';
import styles from './details.module.css';

const enlargeMethods = [
  { value: 'image', label: 'The picture' },
  { value: 'latent', label: 'Its latents' },
] as const satisfies { value: Upscale['method']; label: string }[];

/** What others call high-res fix: drawn once at the size above, enlarged, and drawn again over that. */
export function SecondPass({ draft }: { draft: Draft }) {
  const { upscale } = draft;
  return (
    <div className={styles.pass}>
      <label className={styles.switch}>
        <input
          type="checkbox"
          checked={upscale !== undefined}
          onChange={(event) =>
            updateDraft({ upscale: event.target.checked ? upscaleSchema.parse({}) : undefined })
          }
        />
        Enlarge with a second pass
      </label>
      {upscale !== undefined && (
        <EnlargeFields
          name="second-pass"
          strengthLabel="Strength of the second pass"
          upscale={upscale}
          onChange={(change) => updateDraft({ upscale: { ...upscale, ...change } })}
        />
      )}
    </div>
  );
}

interface EnlargeFieldsProps {
  /** Of the radio buttons; two of these may be on the page. */
  name: string;
  upscale: Upscale;
  strengthLabel: string;
  /** What is enlarged, in pixels, where that is known. */
  from?: { width: number; height: number };
  onChange: (change: Partial<Upscale>) => void;
}

export function EnlargeFields({ name, upscale, strengthLabel, from, onChange }: EnlargeFieldsProps) {
  const { factor, strength, method } = upscale;
  const size =
    from === undefined ? '' : ` to ${Math.round(from.width * factor)} × ${Math.round(from.height * factor)}`;
  return (
    <>
      <Slider
        label="Enlarge"
        min={1.25}
        max={inputLimits.maxUpscale}
        step={0.25}
        value={factor}
        valueText={`${factor} ×${size}`}
        onChange={(next) => onChange({ factor: next })}
      />
      <Slider
        label={strengthLabel}
        min={0}
        max={1}
        step={0.01}
        value={strength}
        valueText={strength.toFixed(2)}
        onChange={(next) => onChange({ strength: next })}
      />
      <Segments
        legend="What is enlarged"
        name={name}
        options={enlargeMethods}
        value={method}
        onChange={(next) => onChange({ method: next })}
      />
    </>
  );
}
