'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Pause, Play, RotateCw, X } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import type { Installation, InstallationList } from '../../../lib/contracts/models.ts';
import { Button } from '../../_components/button.tsx';
import { TextField } from '../../_components/fields.tsx';
import { IconButton } from '../../_components/icon-button.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { formatBytes } from '../../_lib/format.ts';
import { placeInstallation } from '../../_lib/live.ts';
import { useInstalls } from '../../_lib/queries.ts';
import { sentences } from '../../_lib/sentences.ts';
import { describeInstallation, readRepository } from './installation.ts';
import { problemText } from './problem-text.ts';
import styles from './models-page.module.css';

/** Fetches a repository of a hub by its name, and shows what is on its way. */
export function Hub() {
  const { data: installs } = useInstalls();
  const client = useQueryClient();
  const [repo, setRepo] = useState('');
  const [revision, setRevision] = useState('');
  const [file, setFile] = useState('');
  const install = useMutation({
    mutationFn: api.install,
    onSuccess: (installation) => {
      setRepo('');
      setFile('');
      setRevision('');
      placeInstallation(client, installation);
    },
  });
  return (
    <form
      className={styles.add}
      aria-labelledby="from-hub"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        install.mutate({
          repo: readRepository(repo),
          revision: revision.trim() || undefined,
          file: file.trim() || undefined,
        });
      }}
    >
      <h3 id="from-hub" className={styles.name}>
        From a hub
      </h3>
      <p className={styles.text}>
        By the name of its repository
        {installs !== undefined && (
          <>
            {' '}
            on <code>{new URL(installs.hub.address).host}</code>
          </>
        )}
        . Only <code>.safetensors</code> weights are fetched, and every file is checked by its hash.
      </p>
      <TextField
        label="Repository"
        value={repo}
        placeholder="organisation/name"
        spellCheck={false}
        autoCapitalize="none"
        error={problemText(install.error)}
        onChange={(value) => {
          setRepo(value);
          install.reset();
        }}
      />
      <details className={styles.more}>
        <summary>A certain version or file</summary>
        <div className={styles.pair}>
          <TextField
            label="Branch, tag or commit"
            value={revision}
            placeholder="main"
            spellCheck={false}
            autoCapitalize="none"
            onChange={setRevision}
          />
          <TextField
            label="One file of many"
            value={file}
            placeholder="model.safetensors"
            spellCheck={false}
            autoCapitalize="none"
            onChange={setFile}
          />
        </div>
      </details>
      <Button type="submit" disabled={repo.trim() === '' || install.isPending}>
        {install.isPending ? 'Asking the hub…' : 'Fetch'}
      </Button>
      {installs !== undefined && <Budget installs={installs} />}
      {installs !== undefined && installs.items.length > 0 && (
        <ul className={styles.installs} aria-label="On the way">
          {installs.items.map((installation) => (
            <Row key={installation.id} installation={installation} />
          ))}
        </ul>
      )}
    </form>
  );
}

function Budget({ installs: { usedBytes, budgetBytes, hub } }: { installs: InstallationList }) {
  const share = budgetBytes === 0 ? 1 : Math.min(1, usedBytes / budgetBytes);
  return (
    <div className={styles.budget}>
      <span className={styles.track} aria-hidden>
        <span style={{ transform: `scaleX(${share})` }} />
      </span>
      <p>
        {formatBytes(usedBytes)} of {formatBytes(budgetBytes)} for models from hubs.{' '}
        {hub.hasToken
          ? 'A token for gated repositories is set.'
          : 'Gated repositories need a token in ENCORE_HUB_TOKEN.'}
      </p>
    </div>
  );
}

function Row({ installation }: { installation: Installation }) {
  const client = useQueryClient();
  const { notifyError } = useNotify();
  const change = useMutation({
    mutationFn: (verb: 'pause' | 'resume' | 'cancel') => api.changeInstall(installation.id, verb),
    onSuccess: (answer) => placeInstallation(client, answer),
    onError: notifyError,
  });
  const forget = useMutation({
    mutationFn: () => api.forgetInstall(installation.id),
    onSuccess: () => placeInstallation(client, installation, true),
    onError: notifyError,
  });
  const { repo, status, error } = installation;
  const { headline, detail, progress } = describeInstallation(installation);
  const isBusy = change.isPending || forget.isPending;
  const isMoving = status === 'running' || status === 'queued';
  const canGoOn = status === 'paused' || status === 'failed' || status === 'cancelled';
  return (
    <li className={styles.install} data-status={status}>
      <div className={styles.installHead}>
        <p className={styles.repo}>{repo}</p>
        <div className={styles.verbs}>
          {isMoving && (
            <IconButton label={`Pause ${repo}`} disabled={isBusy} onClick={() => change.mutate('pause')}>
              <Pause />
            </IconButton>
          )}
          {canGoOn && (
            <IconButton
              label={`${status === 'paused' ? 'Go on with' : 'Try again:'} ${repo}`}
              disabled={isBusy}
              onClick={() => change.mutate('resume')}
            >
              {status === 'paused' ? <Play /> : <RotateCw />}
            </IconButton>
          )}
          {isMoving || status === 'paused' ? (
            <IconButton label={`Cancel ${repo}`} disabled={isBusy} onClick={() => change.mutate('cancel')}>
              <X />
            </IconButton>
          ) : (
            <IconButton
              label={`Take ${repo} off this list`}
              disabled={isBusy}
              onClick={() => forget.mutate()}
            >
              <X />
            </IconButton>
          )}
        </div>
      </div>
      {(isMoving || status === 'paused') && (
        <div
          role="progressbar"
          aria-label={`Progress of ${repo}`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={progress === null ? undefined : Math.floor(progress * 100)}
          aria-valuetext={[headline, detail].filter(Boolean).join(', ')}
          className={styles.track}
        >
          <span style={{ transform: `scaleX(${progress ?? 0})` }} />
        </div>
      )}
      <p className={styles.state}>
        <span role="status">{headline}</span>
        {detail !== null && ` · ${detail}`}
      </p>
      {error !== null && (
        <p role="alert" className={styles.fault}>
          {sentences(error.detail, error.remedy)}
        </p>
      )}
    </li>
  );
}
