'use client';
import { useRouter } from 'next/navigation';
import type { ReactNode } from 'react';
import type { Adapter, Installed, Model } from '../../../lib/contracts/models.ts';
import { schedulers } from '../../../lib/contracts/schedulers.ts';
import { Button, LinkButton } from '../../_components/button.tsx';
import { deviceName } from '../../_components/device-names.ts';
import { useNotify } from '../../_components/toaster.tsx';
import { draftStore, updateDraft } from '../../_lib/draft.ts';
import { formatBytes, formatCount } from '../../_lib/format.ts';
import { libraryLink } from '../../_lib/library-filter.ts';
import { useHealth } from '../../_lib/queries.ts';
import { taskNames } from '../../_lib/task-names.ts';
import { RemoveButton } from './remove-button.tsx';
import styles from './models-page.module.css';

const sources: Record<Installed['source'], string> = {
  bundled: 'Came with Encore',
  added: 'Linked from this machine',
  hub: 'From a hub',
};

export function ModelEntry({ model, isDefault }: { model: Model; isDefault: boolean }) {
  const router = useRouter();
  const { data: health } = useHealth();
  const { defaults, vocabulary } = model;
  return (
    <Entry
      item={model}
      note={isDefault ? 'Used where no other is chosen.' : undefined}
      facts={[
        ['Network', model.architecture],
        ['Can make', model.tasks.map((task) => taskNames[task]).join(', ')],
        [
          'Draws',
          `${defaults.width} × ${defaults.height}, ${defaults.steps} steps, guidance ${defaults.guidanceScale}`,
        ],
        ['Scheduler', schedulers[defaults.scheduler].label],
        ['Runs on', health?.worker.device == null ? null : deviceName(health.worker.device)],
      ]}
      actions={
        <>
          <LinkButton
            size="s"
            tone="quiet"
            href={libraryLink({ model: model.id })}
            aria-label={`Its pictures: ${model.name}`}
          >
            Its pictures
          </LinkButton>
          <Button
            size="s"
            onClick={() => {
              updateDraft({ model: isDefault ? undefined : model.id });
              router.push('/');
            }}
          >
            Draw with it
          </Button>
        </>
      }
    >
      {vocabulary.length > 0 && (
        <details className={styles.words}>
          <summary>The {vocabulary.length} words it knows</summary>
          <p>{vocabulary.join(', ')}</p>
        </details>
      )}
    </Entry>
  );
}

export function AdapterEntry({ adapter, models }: { adapter: Adapter; models: readonly Model[] }) {
  const { notify } = useNotify();
  const { kind, contextSize, triggers } = adapter;
  const fitting = models.filter((model) => contextSize === null || model.contextSize === contextSize);
  const addLora = () => {
    draftStore.set((draft) => ({
      ...draft,
      loras: draft.loras.some(({ id }) => id === adapter.id)
        ? draft.loras
        : [...draft.loras, { id: adapter.id, weight: 1 }],
    }));
    notify({ title: `${adapter.name} is part of the next picture.` });
  };
  return (
    <Entry
      item={adapter}
      note={fitting.length === 0 ? 'No model that is installed fits it.' : undefined}
      facts={[
        ['Made for', adapter.base],
        ['Fits', fitting.length > 0 ? fitting.map(({ name }) => name).join(', ') : null],
        ['Rank', adapter.rank === null ? null : String(adapter.rank)],
        ['Keys as', adapter.dialect],
        ['Wants', adapter.preprocessor === null ? null : `${adapter.preprocessor} pictures`],
      ]}
      actions={
        kind === 'lora' && (
          <Button size="s" onClick={addLora}>
            Use in the next picture
          </Button>
        )
      }
    >
      {triggers.length > 0 && (
        <div className={styles.triggers}>
          <p id={`triggers-${adapter.id}`}>Words that call it up</p>
          <ul aria-labelledby={`triggers-${adapter.id}`}>
            {triggers.map((trigger) => (
              <li key={trigger}>
                <button
                  type="button"
                  className={styles.trigger}
                  aria-label={`Add “${trigger}” to the prompt`}
                  onClick={() => {
                    draftStore.set((draft) => ({ ...draft, prompt: withWord(draft.prompt, trigger) }));
                    notify({ title: `“${trigger}” is in the prompt.` });
                  }}
                >
                  {trigger}
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Entry>
  );
}

function withWord(prompt: string, word: string): string {
  const text = prompt.trim();
  if (text === '') return word;
  return text.includes(word) ? prompt : `${text}, ${word}`;
}

interface EntryProps {
  item: Installed;
  note: string | undefined;
  facts: [string, string | null][];
  actions: ReactNode;
  children: ReactNode;
}

/** What every kind has in common: name, size, type, licence, where from, and the way out. */
function Entry({ item, note, facts, actions, children }: EntryProps) {
  const weights = [item.dtype, formatBytes(item.bytes)].filter(Boolean).join(', ');
  const all: [string, string | null][] = [
    ['Weights', weights],
    ['Parameters', item.parameters === null ? null : formatCount(item.parameters)],
    ...facts,
    ['Licence', item.licence],
    ['From', item.repository ?? sources[item.source]],
    ['sha256', item.sha256 === null ? null : item.sha256.slice(0, 16)],
  ];
  return (
    <li className={styles.entry}>
      <div className={styles.head}>
        <h3 className={styles.name}>{item.name}</h3>
        <div className={styles.actions}>
          {actions}
          {item.source !== 'bundled' && <RemoveButton item={item} />}
        </div>
      </div>
      {note !== undefined && <p className={styles.note}>{note}</p>}
      <dl className={`film ${styles.facts}`}>
        {all.map(
          ([name, value]) =>
            value !== null &&
            value !== '' && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {children}
    </li>
  );
}
