'use client';
import { Dices, Lock, LockOpen } from 'lucide-react';
import { useId } from 'react';
import { limits, schedulerNames, type Generation } from '../../lib/contracts/generation.ts';
import { schedulers } from '../../lib/contracts/schedulers.ts';
import type { Model } from '../../lib/contracts/models.ts';
import { NumberField, SelectField } from '../_components/fields.tsx';
import { IconButton } from '../_components/icon-button.tsx';
import { updateDraft, type Draft } from '../_lib/draft.ts';
import { canDo, seedOf } from '../_lib/hand-over.ts';
import { useModels } from '../_lib/queries.ts';
import { allowsSecondPass, taskOf } from '../_lib/request.ts';
import { drawnSize } from '../_lib/sizes.ts';
import { SecondPass } from './second-pass.tsx';
import styles from './details.module.css';

interface DetailsProps {
  draft: Draft;
  model: Model | undefined;
  current: Generation | undefined;
}

export function Details({ draft, model, current }: DetailsProps) {
  const id = useId();
  const { models } = useModels();
  if (model === undefined) return null;
  const { defaults } = model;
  const size = drawnSize(draft, model);
  return (
    <div className={styles.details}>
      <div className={styles.wide}>
        <label htmlFor={id} className={styles.label}>
          Negative prompt
        </label>
        <textarea
          id={id}
          className={styles.negative}
          rows={2}
          maxLength={limits.promptLength}
          placeholder="What should not be in it"
          value={draft.negativePrompt}
          onChange={(event) => updateDraft({ negativePrompt: event.target.value })}
        />
      </div>
      <div className={styles.wide}>
        <SeedField draft={draft} current={current} />
      </div>
      <NumberField
        label="Steps"
        value={draft.steps ?? defaults.steps}
        min={1}
        max={limits.maxSteps}
        onChange={(steps) => updateDraft({ steps: steps === defaults.steps ? undefined : steps })}
      />
      <NumberField
        label="Guidance"
        value={draft.guidanceScale ?? defaults.guidanceScale}
        min={0}
        max={50}
        step={0.5}
        onChange={(value) =>
          updateDraft({ guidanceScale: value === defaults.guidanceScale ? undefined : value })
        }
      />
      {draft.video === undefined && (
        <NumberField
          label="Pictures"
          value={draft.count}
          min={1}
          max={limits.maxCount}
          onChange={(count) => updateDraft({ count: count ?? 1 })}
        />
      )}
      <SelectField
        label="Scheduler"
        value={draft.scheduler ?? defaults.scheduler}
        options={schedulerNames.map((value) => ({ value, label: schedulers[value].label }))}
        onChange={(value) => updateDraft({ scheduler: schedulerNames.find((name) => name === value) })}
      />
      <NumberField
        label="Width"
        value={size.width}
        min={limits.minSide}
        max={limits.maxSide}
        step={model.sideMultiple}
        onChange={(width) => updateDraft({ width: snap(width, model.sideMultiple) })}
      />
      <NumberField
        label="Height"
        value={size.height}
        min={limits.minSide}
        max={limits.maxSide}
        step={model.sideMultiple}
        onChange={(height) => updateDraft({ height: snap(height, model.sideMultiple) })}
      />
      {allowsSecondPass(taskOf(draft)) && canDo('enlarge', model) && (
        <div className={styles.wide}>
          <SecondPass draft={draft} />
        </div>
      )}
      <div className={styles.wide}>
        <SelectField
          label="Model"
          value={model.id}
          options={models.map(({ id: value, name }) => ({ value, label: name }))}
          onChange={(value) => updateDraft({ model: value === models[0]?.id ? undefined : value })}
        />
      </div>
    </div>
  );
}

/** The nearest side that the model can draw. */
function snap(side: number | undefined, multiple: number): number | undefined {
  return side === undefined ? undefined : Math.max(multiple, Math.round(side / multiple) * multiple);
}

/** Empty means a fresh seed each time; the lock keeps the one of the picture on the table. */
function SeedField({ draft, current }: { draft: Draft; current: Generation | undefined }) {
  const isLocked = draft.seed !== undefined;
  const roll = () => crypto.getRandomValues(new Uint32Array(1))[0];
  return (
    <NumberField
      label="Seed"
      value={draft.seed}
      min={0}
      max={limits.maxSeed}
      placeholder="Fresh for every picture"
      hideSteppers
      onChange={(seed) => updateDraft({ seed })}
    >
      <IconButton label="Roll the dice" onClick={() => updateDraft({ seed: roll() })}>
        <Dices />
      </IconButton>
      <IconButton
        label={isLocked ? 'Use a fresh seed for every picture' : 'Keep the seed of this picture'}
        aria-pressed={isLocked}
        onClick={() =>
          updateDraft({ seed: isLocked ? undefined : current === undefined ? roll() : seedOf(current, 0) })
        }
      >
        {isLocked ? <Lock /> : <LockOpen />}
      </IconButton>
    </NumberField>
  );
}
