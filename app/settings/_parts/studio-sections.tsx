'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import Link from 'next/link';
import { Button } from '../../_components/button.tsx';
import { deviceName } from '../../_components/device-names.ts';
import { SelectField } from '../../_components/fields.tsx';
import { Section } from '../../_components/page.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api, lockedStore } from '../../_lib/api.ts';
import { formatBytes } from '../../_lib/format.ts';
import { useHealth, useInstalls, useModels, useSettings, useUpdateSettings } from '../../_lib/queries.ts';
import { Toggle } from './toggle.tsx';
import styles from './settings-page.module.css';

// What the studio keeps, for everyone who uses it.

/** What holds for every picture from now on, unless its request says otherwise. */
export function NewPictures() {
  const { models } = useModels();
  const { data: settings } = useSettings();
  const update = useUpdateSettings();
  const client = useQueryClient();
  const { notifyError } = useNotify();
  const chooseModel = (defaultModel: string) =>
    update.mutate(
      { defaultModel },
      { onSuccess: () => void client.invalidateQueries({ queryKey: ['models'] }), onError: notifyError },
    );
  return (
    <Section title="New pictures" note="For everyone who uses this studio.">
      <div className={styles.stack}>
        {models.length > 0 && (
          <div className={styles.choice}>
            <SelectField
              label="Model, where none is chosen"
              value={models[0]?.id ?? ''}
              options={models.map(({ id, name }) => ({ value: id, label: name }))}
              onChange={chooseModel}
            />
            <p className={styles.text}>
              Steps, size, guidance and scheduler come from the model itself. Your own sets of them are kept
              as presets on the <Link href="/">Create page</Link>.
            </p>
          </div>
        )}
        {settings !== undefined && (
          <Toggle
            label="Say in each file how it was made"
            isOn={settings.embedMetadata}
            onChange={(embedMetadata) => update.mutate({ embedMetadata }, { onError: notifyError })}
          >
            Prompt, seed and settings are written into the file, so that it can be made again from the file
            alone. That it was made by a machine is written either way.
          </Toggle>
        )}
      </div>
    </Section>
  );
}

/** @param needsToken the studio was started with a token */
export function Access({ needsToken }: { needsToken: boolean }) {
  const { notifyError } = useNotify();
  const signOut = useMutation({
    mutationFn: api.closeSession,
    onSuccess: () => lockedStore.set(true),
    onError: notifyError,
  });
  return (
    <Section title="Access">
      {needsToken ? (
        <div className={styles.choice}>
          <p className={styles.text}>
            A token is needed, and this browser has it for 30 days. Programs send it as{' '}
            <code>Authorization: Bearer</code>.
          </p>
          <Button onClick={() => signOut.mutate()} disabled={signOut.isPending}>
            Sign this browser out
          </Button>
        </div>
      ) : (
        <p className={styles.text}>
          The studio answers on this machine only. To reach it from others, start it with a token of your own:{' '}
          <code>ENCORE_TOKEN=… ENCORE_HOST=0.0.0.0 npm start</code>
        </p>
      )}
    </Section>
  );
}

export function ModelHub() {
  const { data: installs } = useInstalls();
  return (
    <Section title="Model hub">
      {installs !== undefined && (
        <div className={styles.choice}>
          <p className={styles.text}>
            Models are fetched from <code>{installs.hub.address}</code>, with{' '}
            {formatBytes(installs.usedBytes)} of {formatBytes(installs.budgetBytes)} used.{' '}
            {installs.hub.hasToken
              ? 'A token for private and gated repositories is set; it is sent to the hub alone.'
              : 'No token for private and gated repositories is set.'}
          </p>
          <p className={styles.text}>
            <code>ENCORE_HUB</code>, <code>ENCORE_HUB_TOKEN</code> and <code>ENCORE_MODEL_BUDGET_BYTES</code>{' '}
            set these when the studio is started. <Link href="/models">Add a model</Link>.
          </p>
        </div>
      )}
    </Section>
  );
}

export function ForPrograms() {
  return (
    <Section title="For programs">
      <p className={styles.text}>
        Everything that these pages do, a program can do too.{' '}
        <Link href="/reference">Read the API reference</Link>, or fetch its{' '}
        <a href="/api/v1/openapi.json">OpenAPI description</a>.
      </p>
    </Section>
  );
}

export function ThisStudio() {
  const { data: health } = useHealth();
  if (health === undefined) return <Section title="This studio">{null}</Section>;
  const { version, worker } = health;
  const facts: [string, string][] = [
    ['Version', version],
    ['Worker', worker.alive ? 'running' : 'not running'],
    ['Device', worker.device === null ? 'not known yet' : deviceName(worker.device)],
    [
      'Videos',
      worker.ffmpeg === null
        ? 'no ffmpeg found'
        : `${worker.ffmpeg.formats.join(', ')} by ffmpeg ${worker.ffmpeg.version}`,
    ],
  ];
  if (worker.held?.model != null)
    facts.push(['Kept in memory', `${worker.held.model}, ${formatBytes(worker.held.bytes)}`]);
  return (
    <Section title="This studio">
      <dl className={`film ${styles.facts}`}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
