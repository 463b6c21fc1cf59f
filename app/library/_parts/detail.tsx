'use client';
import { Copy, RotateCw, X } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState, type CSSProperties } from 'react';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { Button } from '../../_components/button.tsx';
import { Making } from '../../_components/making.tsx';
import { PictureActions } from '../../_components/picture-actions.tsx';
import { Receipt } from '../../_components/receipt.tsx';
import { isVideo, Result } from '../../_components/result.tsx';
import { ScheduleStrip } from '../../_components/schedule-strip.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { useCopyDetails } from '../../_components/use-copy-details.ts';
import { formatPercent, formatWhen } from '../../_lib/format.ts';
import { useLive } from '../../_lib/live.ts';
import { useVerb } from '../../_lib/queries.ts';
import { scheduleOfParams } from '../../_lib/run-schedule.ts';
import { describe, isActive } from '../../_lib/states.ts';
import { useNow } from '../../_lib/use-now.ts';
import { BoardOf } from './board-menu.tsx';
import styles from './detail-page.module.css';

interface DetailProps {
  generation: Generation;
  initialPicture: number;
  onRemoved: () => void;
}

export function Detail({ generation, initialPicture, onRemoved }: DetailProps) {
  const [picture, setPicture] = useState(initialPicture);
  const now = useNow();
  const router = useRouter();
  const { assets, params, receipt } = generation;
  const asset = assets[picture] ?? assets[0];
  const schedule = scheduleOfParams(params, receipt);

  return (
    <div className={styles.detail}>
      <div className={styles.stage}>
        <div className={styles.light}>
          {asset === undefined ? (
            <Making generation={generation} />
          ) : isVideo(asset) ? (
            <Result asset={asset} alt={params.prompt} />
          ) : (
            <a href={asset.url} className={styles.print} aria-label="Open the file itself">
              <Result asset={asset} alt={params.prompt} />
            </a>
          )}
        </div>
        {asset === undefined && <WhatCanBeDone generation={generation} />}
        {assets.length > 1 && (
          <div className={styles.roll} role="group" aria-label="Pictures of this request">
            {assets.map((each, index) => (
              <button
                key={each.id}
                type="button"
                aria-current={index === picture}
                aria-label={`Picture ${index + 1}, seed ${each.seed}`}
                onClick={() => setPicture(index)}
                style={{ '--ratio': each.width / each.height } as CSSProperties}
              >
                <img src={each.url} alt="" />
              </button>
            ))}
          </div>
        )}
      </div>
      <aside className={styles.side} aria-label="About this picture">
        <h1 className={styles.prompt}>{params.prompt}</h1>
        {params.negativePrompt !== '' && <p className={styles.negative}>without {params.negativePrompt}</p>}
        <div className={styles.when}>
          {now !== null && <p>{formatWhen(generation.createdAt, now)}</p>}
          <BoardOf generation={generation} />
        </div>
        <PictureActions
          generation={generation}
          picture={picture}
          onReuse={() => router.push('/')}
          onRemoved={onRemoved}
        />
        <Inputs generation={generation} />
        <ScheduleStrip steps={schedule.steps} keySteps={schedule.keySteps} />
        <Receipt generation={generation} seed={asset?.seed} />
      </aside>
    </div>
  );
}

/** While there is no picture: to stop it, or to have it made after all. */
function WhatCanBeDone({ generation }: { generation: Generation }) {
  const cancel = useVerb('cancel');
  const retry = useVerb('retry');
  const copyDetails = useCopyDetails();
  const { notifyError } = useNotify();
  const live = useLive(generation.id);
  const { headline, detail, progress } = describe(generation, live);
  const { id, status } = generation;
  if (isActive(status)) {
    const isCancelling = status === 'cancelling';
    return (
      <div className={styles.foot}>
        {/* Without a preview this stands in its place. */}
        {live?.preview != null && (
          <p>
            {headline} {formatPercent(progress ?? 0)}
            {detail !== null && ` · ${detail}`}
          </p>
        )}
        <Button
          disabled={isCancelling || cancel.isPending}
          onClick={() => cancel.mutate(id, { onError: notifyError })}
        >
          <X aria-hidden /> {isCancelling ? 'Cancelling…' : 'Cancel'}
        </Button>
      </div>
    );
  }
  return (
    <div className={styles.foot}>
      <Button disabled={retry.isPending} onClick={() => retry.mutate(id, { onError: notifyError })}>
        <RotateCw aria-hidden /> Try again
      </Button>
      {status === 'failed' && (
        <Button tone="quiet" onClick={() => copyDetails(generation)}>
          <Copy aria-hidden /> Copy details
        </Button>
      )}
    </div>
  );
}

/** The pictures it was made from. */
function Inputs({ generation: { inputs, params } }: { generation: Generation }) {
  if (inputs.length === 0) return null;
  return (
    <section className={styles.inputs} aria-label="Made from">
      <h2>Made from</h2>
      <ul>
        {inputs.map(({ field, url, thumbnailUrl, width, height }) => (
          <li key={field}>
            <a href={url}>
              <img src={thumbnailUrl} alt="" width={width} height={height} loading="lazy" />
              <span>{inputName(field, params.control?.length ?? 0)}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function inputName(field: string, controls: number): string {
  if (field === 'image') return 'Start';
  if (field === 'mask') return 'Mask';
  const number = Number(/^control\.(\d+)/.exec(field)?.[1] ?? 0) + 1;
  return controls > 1 ? `Reference ${number}` : 'Reference';
}
