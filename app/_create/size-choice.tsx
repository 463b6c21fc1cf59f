'use client';
import type { Model } from '../../lib/contracts/models.ts';
import { updateDraft, type Draft } from '../_lib/draft.ts';
import { sizePresets } from '../_lib/sizes.ts';
import styles from './size-choice.module.css';

/** Shapes as pictures; any other size in pixels is under Details. */
export function SizeChoice({ draft, model }: { draft: Draft; model: Model | undefined }) {
  if (model === undefined) return null;
  const width = draft.width ?? model.defaults.width;
  const height = draft.height ?? model.defaults.height;
  const presets = sizePresets(model.defaults, model.sideMultiple);
  const longest = Math.max(...presets.flatMap((preset) => [preset.width, preset.height]));
  return (
    <fieldset>
      <legend className={styles.legend}>Size</legend>
      <div className={styles.row}>
        {presets.map((preset) => {
          const isDefault = preset.width === model.defaults.width && preset.height === model.defaults.height;
          return (
            <label key={preset.name} className={styles.choice}>
              <input
                type="radio"
                name="size"
                checked={preset.width === width && preset.height === height}
                onChange={() =>
                  updateDraft(
                    isDefault
                      ? { width: undefined, height: undefined }
                      : { width: preset.width, height: preset.height },
                  )
                }
              />
              <span className={styles.card}>
                <span className={styles.easel}>
                  <span
                    className={styles.shape}
                    style={{ width: (preset.width / longest) * 26, height: (preset.height / longest) * 26 }}
                  />
                </span>
                <span className={styles.name}>
                  {preset.name}
                  <span className="film">
                    {preset.width} × {preset.height}
                  </span>
                </span>
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
