'use client';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import Link from 'next/link';
import { useRouter, useSearchParams } from 'next/navigation';
import { useEffect, useMemo, type ReactNode } from 'react';
import { BackLink } from '../../_components/back-link.tsx';
import { Note } from '../../_components/note.tsx';
import { formatInteger } from '../../_lib/format.ts';
import { libraryLink, readFilter } from '../../_lib/library-filter.ts';
import { useGeneration, useOutline } from '../../_lib/queries.ts';
import { Detail } from './detail.tsx';
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
          {at >= 0 && (
            <p className={styles.place}>
              {formatInteger(at + 1)} of {formatInteger(ids.length)}
            </p>
          )}
          <Neighbour href={newerLink} label="Newer picture">
            <ChevronLeft aria-hidden />
          </Neighbour>
          <Neighbour href={olderLink} label="Older picture">
            <ChevronRight aria-hidden />
          </Neighbour>
        </nav>
      </div>
      {error !== null && generation === undefined ? (
        <Note title="This picture is not here" level={1}>
          <p>{error.message}</p>
        </Note>
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

interface NeighbourProps {
  href: string | undefined;
  label: string;
  children: ReactNode;
}

function Neighbour({ href, label, children }: NeighbourProps) {
  if (href === undefined) {
    return (
      <span className={styles.neighbour} data-disabled aria-hidden>
        {children}
      </span>
    );
  }
  return (
    <Link replace href={href} className={styles.neighbour} aria-label={label}>
      {children}
    </Link>
  );
}
