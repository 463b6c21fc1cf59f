'use client';
import { useRouter } from 'next/navigation';
import type { Model } from '../../../lib/contracts/models.ts';
import { schedulers } from '../../../lib/contracts/schedulers.ts';
import { Button } from '../../_components/button.tsx';
import { ReadingPage, Section } from '../../_components/page.tsx';
import { updateDraft } from '../../_lib/draft.ts';
import { formatBytes } from '../../_lib/format.ts';
import { useModels } from '../../_lib/queries.ts';
import styles from './models-page.module.css';

export function ModelsPage() {
  const { models, isSuccess } = useModels();
  return (
    <ReadingPage title="Models">
      {models.map((model, index) => (
        <ModelEntry key={model.id} model={model} isDefault={index === 0} />
      ))}
      {isSuccess && models.length === 0 && (
        <Section title="None yet">
          <p>There is no model, so nothing can be made. The bundled one lies in the folder models/toybox.</p>
        </Section>
      )}
      <Section title="Add another">
        <ol className={styles.how}>
          <li>
            Take a checkpoint in diffusers layout: a folder with <code>model_index.json</code> and <code>.safetensors</code>{' '}
            weights. Nothing has to be converted.
          </li>
          <li>
            Put the folder, or a link to it, into <code>models</code> of the data directory.
          </li>
          <li>It is listed here at once, and can be chosen under Details on the Create page.</li>
        </ol>
      </Section>
    </ReadingPage>
  );
}

function ModelEntry({ model, isDefault }: { model: Model; isDefault: boolean }) {
  const router = useRouter();
  const { defaults } = model;
  const facts: [string, string][] = [
    ['Size on disk', formatBytes(model.bytes)],
    ['Licence', model.licence],
    ['Draws', `${defaults.width} × ${defaults.height}, ${defaults.steps} steps, guidance ${defaults.guidanceScale}`],
    ['Scheduler', schedulers[defaults.scheduler].label],
  ];
  return (
    <Section title={model.name} note={isDefault ? 'Used where no other is chosen.' : undefined}>
      <dl className={`film ${styles.facts}`}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {model.vocabulary.length > 0 && (
        <details className={styles.words}>
          <summary>The {model.vocabulary.length} words it knows</summary>
          <p>{model.vocabulary.join(', ')}</p>
        </details>
      )}
      <Button
        onClick={() => {
          updateDraft({ model: isDefault ? undefined : model.id });
          router.push('/');
        }}
      >
        Draw with it
      </Button>
    </Section>
  );
}
