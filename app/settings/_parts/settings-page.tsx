'use client';
import { Switch } from '@base-ui/react/switch';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import Link from 'next/link';
import { useId, type ReactNode } from 'react';
import { Button } from '../../_components/button.tsx';
import { SelectField } from '../../_components/fields.tsx';
import { ReadingPage, Section } from '../../_components/page.tsx';
import { Segments } from '../../_components/segments.tsx';
import { useTheme } from '../../_components/providers.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api, lockedStore } from '../../_lib/api.ts';
import { askForNotices, doneNoticeStore, useDoneNotice } from '../../_lib/done-notice.ts';
import { formatBytes } from '../../_lib/format.ts';
import { resetSettings } from '../../_lib/draft.ts';
import { useHealth, useInstalls, useModels, useSettings, useUpdateSettings } from '../../_lib/queries.ts';
import { themeNames, themes } from '../../_lib/theme.ts';
import styles from './settings-page.module.css';

interface SettingsPageProps {
  /** The studio was started with a token. */
  needsToken: boolean;
}

export function SettingsPage({ needsToken }: SettingsPageProps) {
  const { theme, setTheme } = useTheme();
  const { data: settings } = useSettings();
  const { data: health } = useHealth();
  const update = useUpdateSettings();
  const { models } = useModels();
  const { data: installs } = useInstalls();
  const isNoticed = useDoneNotice();
  const client = useQueryClient();
  const { notify, notifyError } = useNotify();
  const chooseModel = (defaultModel: string) =>
    update.mutate(
      { defaultModel },
      { onSuccess: () => void client.invalidateQueries({ queryKey: ['models'] }), onError: notifyError },
    );
  const setNotices = async (isOn: boolean) => {
    const isAllowed = !isOn || (await askForNotices());
    doneNoticeStore.set(isOn && isAllowed);
    if (!isAllowed) {
      notify({
        title: 'This browser does not let the studio show notices.',
        description: 'Allow them for this address in its settings, then try again.',
      });
    }
  };
  const signOut = useMutation({
    mutationFn: api.closeSession,
    onSuccess: () => lockedStore.set(true),
    onError: notifyError,
  });

  return (
    <ReadingPage title="Settings">
      <Section title="Light" note="For this browser.">
        <Segments
          legend="Which room to work in"
          name="theme"
          options={themes.map((value) => ({ value, label: themeNames[value] }))}
          value={theme}
          onChange={setTheme}
        />
      </Section>
      <Section title="Defaults" note="For whatever a request leaves open.">
        {settings !== undefined && models.length > 0 && (
          <div className={styles.choice}>
            <SelectField
              label="Model"
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
      </Section>
      <Section title="Pictures">
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
      </Section>
      <Section title="Queue">
        {settings !== undefined && (
          <Toggle
            label="Pause"
            isOn={settings.queuePaused}
            onChange={(queuePaused) => update.mutate({ queuePaused }, { onError: notifyError })}
          >
            What is being made is finished; nothing new is started. The pause outlasts a restart.
          </Toggle>
        )}
      </Section>
      <Section title="News" note="For this browser.">
        <Toggle
          label="Say when a picture is done"
          isOn={isNoticed}
          onChange={(isOn) => void setNotices(isOn)}
        >
          With a notice of the system, while this tab is out of sight.
        </Toggle>
      </Section>
      <Section title="Create page" note="For this browser.">
        <Button
          onClick={() => {
            resetSettings();
            notify({ title: 'The settings of the Create page are as they were at first.' });
          }}
        >
          Reset what was set there
        </Button>
      </Section>
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
            The studio answers on this machine only. To reach it from others, start it with a token of your
            own: <code>ENCORE_TOKEN=… ENCORE_HOST=0.0.0.0 npm start</code>
          </p>
        )}
      </Section>
      <Section title="Hub">
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
              <code>ENCORE_HUB</code>, <code>ENCORE_HUB_TOKEN</code> and{' '}
              <code>ENCORE_MODEL_BUDGET_BYTES</code> set these when the studio is started.{' '}
              <Link href="/models">Add a model</Link>.
            </p>
          </div>
        )}
      </Section>
      <Section title="For programs">
        <p className={styles.text}>
          Everything that these pages do, a program can do too.{' '}
          <Link href="/reference">Read the API reference</Link>, or fetch its{' '}
          <a href="/api/v1/openapi.json">OpenAPI description</a>.
        </p>
      </Section>
      <Section title="This studio">
        {health !== undefined && (
          <dl className={`film ${styles.facts}`}>
            <div>
              <dt>Version</dt>
              <dd>{health.version}</dd>
            </div>
            <div>
              <dt>Worker</dt>
              <dd>{health.worker.alive ? 'running' : 'not running'}</dd>
            </div>
            <div>
              <dt>Device</dt>
              <dd>{health.worker.device ?? 'not known yet'}</dd>
            </div>
            <div>
              <dt>Videos</dt>
              <dd>
                {health.worker.ffmpeg === null
                  ? 'no ffmpeg found'
                  : `${health.worker.ffmpeg.formats.join(', ')} by ffmpeg ${health.worker.ffmpeg.version}`}
              </dd>
            </div>
            {health.worker.held !== null && health.worker.held.model !== null && (
              <div>
                <dt>Kept in memory</dt>
                <dd>
                  {health.worker.held.model}, {formatBytes(health.worker.held.bytes)}
                </dd>
              </div>
            )}
          </dl>
        )}
      </Section>
    </ReadingPage>
  );
}

interface ToggleProps {
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  children: ReactNode;
}

function Toggle({ label, isOn, onChange, children }: ToggleProps) {
  const id = useId();
  return (
    <div className={styles.toggle}>
      <Switch.Root
        id={id}
        checked={isOn}
        onCheckedChange={onChange}
        aria-labelledby={`${id}-label`}
        aria-describedby={`${id}-more`}
        className={styles.switch}
      >
        <Switch.Thumb className={styles.knob} />
      </Switch.Root>
      <div>
        <label id={`${id}-label`} htmlFor={id} className={styles.toggleLabel}>
          {label}
        </label>
        <p id={`${id}-more`} className={styles.text}>
          {children}
        </p>
      </div>
    </div>
  );
}
