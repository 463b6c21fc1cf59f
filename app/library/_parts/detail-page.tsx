'use client';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import Link from 'next/link';
import { useRouter, useSearchParams } from 'next/navigation';
import { useEffect, useMemo, useState, type CSSProperties } from 'react';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { BackLink } from '../../_components/back-link.tsx';
import { Breakable } from '../../_components/breakable.tsx';
import { PictureActions } from '../../_components/picture-actions.tsx';
import { Receipt } from '../../_components/receipt.tsx';
import { isVideo, Result } from '../../_components/result.tsx';
import { ScheduleStrip } from '../../_components/schedule-strip.tsx';
import { formatWhen } from '../../_lib/format.ts';
import { libraryLink, readFilter } from '../../_lib/library-filter.ts';
import { useLive } from '../../_lib/live.ts';
import { useGeneration, useHold, useOutline } from '../../_lib/queries.ts';
import { scheduleOfParams } from '../../_lib/run-schedule.ts';
import { describe } from '../../_lib/states.ts';
import { useNow } from '../../_lib/use-now.ts';
import { setLastSeen } from './last-seen.ts';
import styles from './detail-page.module.css';

/** One generation by itself: its pictures as large as the window allows, and everything that made them. */
export function DetailPage({ id, initialPicture }: { id: string; initialPicture: number }) {
  const { data: generation, error } = useGeneration(id);
  const query = useSearchParams();
  const filter = useMemo(() => readFilter(query), [query]);
  const { ids } = useOutline(filter);
  const router = useRouter();
  const at = ids.indexOf(id);
  const newer = at > 0 ? ids[at - 1] : undefined;
  const older = at >= 0 ? ids[at + 1] : undefined;
  const newerLink = newer && libraryLink(filter, newer);
  const olderLink = older && libraryLink(filter, older);
  useEffect(() => setLastSeen(id), [id]);

  // So that the browser's own history and its tabs say which picture it is.
  const words = generation?.params.prompt;
  useEffect(() => {
    if (words !== undefined) document.title = `${words} · Encore`;
  }, [words]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector('[role="dialog"], [role="menu"]') !== null) return;
      const target =
        event.key === 'ArrowLeft' ? newerLink : event.key === 'ArrowRight' ? olderLink : undefined;
      if (target !== undefined) router.replace(target);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [newerLink, olderLink, router]);

  return (
    <div className={styles.page}>
      <div className={styles.bar}>
        <BackLink href={libraryLink(filter)}>Library</BackLink>
        <nav className={styles.neighbours} aria-label="Neighbours">
          <Neighbour href={newerLink} label="Newer picture">
            <ChevronLeft aria-hidden />
          </Neighbour>
          <Neighbour href={olderLink} label="Older picture">
            <ChevronRight aria-hidden />
          </Neighbour>
        </nav>
      </div>
      {error !== null && generation === undefined ? (
        <div className={styles.missing}>
          <h1>This picture is not here</h1>
          <p>{error.message}</p>
        </div>
      ) : (
        generation !== undefined && (
          <Detail
            key={generation.id}
            generation={generation}
            initialPicture={initialPicture}
            onRemoved={() => router.push(olderLink ?? libraryLink(filter))}
          />
        )
      )}
    </div>
  );
}

function Neighbour({
  href,
  label,
  children,
}: {
  href: string | undefined;
  label: string;
  children: React.ReactNode;
}) {
  if (href === undefined) return <span className={styles.neighbour} data-disabled />;
  return (
    <Link replace href={href} className={styles.neighbour} aria-label={label}>
      {children}
    </Link>
  );
}

interface DetailProps {
  generation: Generation;
  initialPicture: number;
  onRemoved: () => void;
}

function Detail({ generation, initialPicture, onRemoved }: DetailProps) {
  const [picture, setPicture] = useState(initialPicture);
  const live = useLive(generation.id);
  const now = useNow();
  const router = useRouter();
  const { assets, params, status, receipt } = generation;
  const asset = assets[picture] ?? assets[0];
  const { headline, detail } = describe(generation, live, useHold());
  const schedule = scheduleOfParams(params, receipt);

  return (
    <div className={styles.detail}>
      <div className={styles.stage}>
        <div className={styles.light}>
          {asset !== undefined ? (
            isVideo(asset) ? (
              <Result asset={asset} alt={params.prompt} />
            ) : (
              <a href={asset.url} className={styles.print} aria-label="Open the file itself">
                <Result asset={asset} alt={params.prompt} />
              </a>
            )
          ) : (
            <div className={styles.noPicture}>
              <p className={styles.headline}>{headline}</p>
              {detail !== null && (
                <p>
                  <Breakable>{detail}</Breakable>
                </p>
              )}
              {status === 'failed' && generation.error?.remedy !== undefined && (
                <p>{generation.error.remedy}</p>
              )}
            </div>
          )}
        </div>
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
        {now !== null && <p className={styles.when}>{formatWhen(generation.createdAt, now)}</p>}
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
