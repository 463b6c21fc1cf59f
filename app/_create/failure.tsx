'use client';
import { Copy, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import type { Generation } from '../../lib/contracts/generation.ts';
import { Breakable } from '../_components/breakable.tsx';
import { Button } from '../_components/button.tsx';
import { useNotify } from '../_components/toaster.tsx';
import { useVerb } from '../_lib/queries.ts';
import styles from './failure.module.css';

/** In the place of the picture that could not be made: what went wrong, what helps, and what can be done here. */
export function Failure({ generation }: { generation: Generation }) {
  const retry = useVerb('retry');
  const { notify, notifyError } = useNotify();
  const [copied, setCopied] = useState(false);
  const { error } = generation;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(
        JSON.stringify(
          { id: generation.id, error, params: generation.params, attempt: generation.attempt },
          null,
          2,
        ),
      );
      setCopied(true);
    } catch {
      notify({ title: 'The browser does not allow copying here.' });
    }
  };
  return (
    <div className={styles.failure} role="alert">
      <h2 className={styles.title}>{error?.title ?? 'This did not work'}</h2>
      {error !== null && (
        <p className={styles.detail}>
          <Breakable>{error.detail}</Breakable>
        </p>
      )}
      {error?.remedy !== undefined && <p>{error.remedy}</p>}
      <div className={styles.actions}>
        <Button
          tone="mark"
          onClick={() => retry.mutate(generation.id, { onError: notifyError })}
          disabled={retry.isPending}
        >
          <RotateCcw aria-hidden /> Retry
        </Button>
        <Button onClick={() => void copy()}>
          <Copy aria-hidden /> {copied ? 'Copied' : 'Copy details'}
        </Button>
      </div>
    </div>
  );
}
