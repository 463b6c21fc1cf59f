'use client';
import type { Model } from '../../lib/contracts/models.ts';
import { updateDraft, type Draft } from '../_lib/draft.ts';
import { drawnSize, sizePresets, type SizePreset } from '../_lib/sizes.ts';
import styles from './size-choice.module.css';

interface Choice extends SizePreset {
  /** What the draft says for it: nothing where it is the size that comes by itself. */
  value: { width: number | undefined; height: number | undefined };
}

const byItself = { width: undefined, height: undefined };

function choicesFor({ start }: Draft, model: Model): Choice[] {
  const { defaults, sideMultiple } = model;
  const presets = sizePresets(defaults, sideMultiple).map((preset) => {
    const isDefault = preset.width === defaults.width && preset.height === defaults.height;
    const { width, height } = preset;
    return { ...preset, value: isDefault && start === undefined ? byItself : { width, height } };
  });
  if (start === undefined) return presets;
  return [{ name: 'As it is', ...drawnSize({ start }, model), value: byItself }, ...presets];
}

/** Shapes as pictures; any other size in pixels is under Details. */
export function SizeChoice({ draft, model }: { draft: Draft; model: Model | undefined }) {
  if (model === undefined) return null;
  const size = drawnSize(draft, model);
  const choices = choicesFor(draft, model);
  const longest = Math.max(...choices.flatMap(({ width, height }) => [width, height]));
  const chosen =
    choices.find(({ value }) => value.width === draft.width && value.height === draft.height) ??
    choices.find(({ width, height }) => width === size.width && height === size.height);
  return (
    <fieldset>
      <legend className={styles.legend}>Size</legend>
      <div className={styles.row} data-count={choices.length}>
        {choices.map((choice) => (
          <label key={choice.name} className={styles.choice}>
            <input
              type="radio"
              name="size"
              checked={choice === chosen}
              onChange={() => updateDraft(choice.value)}
            />
            <span className={styles.card}>
              <span className={styles.easel}>
                <span
                  className={styles.shape}
                  style={{ width: (choice.width / longest) * 26, height: (choice.height / longest) * 26 }}
                />
              </span>
              <span className={styles.name}>
                {choice.name}
                <span className="film">
                  {choice.width} × {choice.height}
                </span>
              </span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
