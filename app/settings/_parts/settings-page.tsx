'use client';
import { Switch } from '@base-ui/react/switch';
import Link from 'next/link';
import { useId, type ReactNode } from 'react';
import { Button } from '../../_components/button.tsx';
import { ReadingPage, Section } from '../../_components/page.tsx';
import { Segments } from '../../_components/segments.tsx';
import { useTheme } from '../../_components/providers.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { formatBytes } from '../../_lib/format.ts';
import { resetSettings } from '../../_lib/draft.ts';
import { useHealth, useSettings, useUpdateSettings } from '../../_lib/queries.ts';
import { themeNames, themes } from '../../_lib/theme.ts';
import styles from './settings-page.module.css';

export function SettingsPage() {
  const { theme, setTheme } = useTheme();
  const { data: settings } = useSettings();
  const { data: health } = useHealth();
  const update = useUpdateSettings();
  const { notify, notifyError } = useNotify();

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
