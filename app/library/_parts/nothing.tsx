import { Button, LinkButton } from '../../_components/button.tsx';
import { Note } from '../../_components/note.tsx';
import type { LibraryFilter } from '../../_lib/library-filter.ts';
import styles from './nothing.module.css';

/** More than a wide window has room for; what is beyond its edge is cut off. */
const FRAMES = 40;

/** In the place of the sheet where it is empty: why, and what to do about it. */
export function Nothing({ filter, onReset }: { filter: LibraryFilter; onReset: () => void }) {
  const { board, q, ...others } = filter;
  const isFiltered = Object.values(others).some((value) => value !== undefined);
  if (q !== undefined || isFiltered || board === 'none') {
    return (
      <Note title="Nothing found">
        <p>
          {q !== undefined && !isFiltered && board === undefined
            ? `No prompt has “${q}” in it.`
            : 'No picture passes all of these filters.'}
        </p>
        <Button onClick={onReset}>Show everything</Button>
      </Note>
    );
  }
  return (
    <Blank>
      {board === undefined ? (
        <Note title="No pictures yet">
          <p>What you make is kept here, with everything that made it.</p>
          <LinkButton href="/">Make the first one</LinkButton>
        </Note>
      ) : (
        <Note title="This board is empty">
          <p>Select pictures in the library, then put them here with “To a board”.</p>
          <Button onClick={onReset}>Show everything</Button>
        </Note>
      )}
    </Blank>
  );
}

/** A contact sheet that nothing was exposed on, numbered as film is. */
function Blank({ children }: { children: React.ReactNode }) {
  return (
    <div className={styles.blank}>
      <ol className={styles.frames} aria-hidden>
        {Array.from({ length: FRAMES }, (_, index) => (
          <li key={index} className={`film ${styles.frame}`} data-number={frameNumber(index)} />
        ))}
      </ol>
      {children}
    </div>
  );
}

/** 1, 1A, 2, 2A, … */
function frameNumber(index: number): string {
  return `${Math.floor(index / 2) + 1}${index % 2 === 0 ? '' : 'A'}`;
}
