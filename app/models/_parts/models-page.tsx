'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { useState, type FormEvent } from 'react';
import type { Model } from '../../../lib/contracts/models.ts';
import { schedulers } from '../../../lib/contracts/schedulers.ts';
import { Button } from '../../_components/button.tsx';
import { TextField } from '../../_components/fields.tsx';
import { ReadingPage, Section } from '../../_components/page.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api, ApiError } from '../../_lib/api.ts';
import { updateDraft } from '../../_lib/draft.ts';
import { formatBytes, formatCount } from '../../_lib/format.ts';
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
      <Section title="Add another" note="Nothing is converted or copied.">
        <AddModel />
      </Section>
    </ReadingPage>
  );
}

function ModelEntry({ model, isDefault }: { model: Model; isDefault: boolean }) {
  const router = useRouter();
  const client = useQueryClient();
  const { notify, notifyError } = useNotify();
  const remove = useMutation({
    mutationFn: api.removeModel,
    onSuccess: async () => {
      notify({ title: `${model.name} is gone from here; its files are where they were.` });
      await client.invalidateQueries({ queryKey: ['models'] });
    },
    onError: notifyError,
  });
  const { defaults } = model;
  const facts: [string, string][] = [
    ['Network', model.architecture],
    ['Parameters', model.parameters === null ? 'not readable' : formatCount(model.parameters)],
    ['Weights', [model.dtype, formatBytes(model.bytes)].filter(Boolean).join(', ')],
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
      <div className={styles.actions}>
      <Button
        onClick={() => {
          updateDraft({ model: isDefault ? undefined : model.id });
          router.push('/');
        }}
      >
        Draw with it
      </Button>
      {model.source === 'added' && (
          <Button disabled={remove.isPending} onClick={() => remove.mutate(model.id)}>
            Take away
          </Button>
        )}
      </div>
    </Section>
  );
}

function AddModel() {
  const client = useQueryClient();
  const [path, setPath] = useState('');
  const { notify } = useNotify();
  const add = useMutation({
    mutationFn: api.addModel,
    onSuccess: async (model) => {
      setPath('');
      notify({ title: `${model.name} can be used now.` });
      await client.invalidateQueries({ queryKey: ['models'] });
    },
  });
  const problem = add.error instanceof ApiError ? add.error.problem : undefined;
  return (
    <form
      className={styles.add}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        add.mutate(path.trim());
      }}
    >
      <p className={styles.text}>
        The path of a checkpoint on this machine, in diffusers layout: a folder with <code>model_index.json</code> and{' '}
        <code>.safetensors</code> weights.
      </p>
      <TextField
        label="Folder"
        value={path}
        placeholder="/models/stable-diffusion-v1-5"
        spellCheck={false}
        error={problem && [problem.detail, problem.remedy].filter(Boolean).join(' ')}
        onChange={(value) => {
          setPath(value);
          add.reset();
        }}
      />
      <Button type="submit" disabled={path.trim() === '' || add.isPending}>
        {add.isPending ? 'Looking at it…' : 'Add'}
      </Button>
    </form>
  );
}
