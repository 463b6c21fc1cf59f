'use client';
import { Search, SlidersHorizontal, Star } from 'lucide-react';
import { useEffect, useEffectEvent, useState } from 'react';
import { Button } from '../../_components/button.tsx';
import type { LibraryFilter } from '../../_lib/library-filter.ts';
import { countMore } from './filters.tsx';
import styles from './search-bar.module.css';

const TYPING_MS = 250;

interface SearchBarProps {
  filter: LibraryFilter;
  onChange: (change: LibraryFilter) => void;
  /** Id of the further filters, and whether they are in sight. */
  moreId: string;
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
}

/** Search and star in sight; the rest behind a button that says how many of them are set. */
export function SearchBar({ filter, onChange, moreId, isOpen, onOpenChange }: SearchBarProps) {
  const isStarred = filter.starred === true;
  const more = countMore(filter);
  return (
    <div className={styles.bar} role="search" aria-label="Library">
      <SearchField value={filter.q ?? ''} onChange={(q) => onChange({ q: q || undefined })} />
      <Button
        aria-pressed={isStarred}
        className={styles.button}
        onClick={() => onChange({ starred: isStarred ? undefined : true })}
      >
        <Star aria-hidden fill={isStarred ? 'currentColor' : 'none'} />
        <span className={styles.label}>Starred</span>
      </Button>
      <Button
        aria-expanded={isOpen}
        aria-controls={moreId}
        className={styles.button}
        onClick={() => onOpenChange(!isOpen)}
      >
        <SlidersHorizontal aria-hidden />
        <span className={styles.label}>Filters</span>
        {more > 0 && <span className={styles.count}>{more}</span>}
      </Button>
    </div>
  );
}

/** Asks when the typing pauses, not at every letter. */
function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const [given, setGiven] = useState(value);
  // The filter may be changed elsewhere: by "Show everything" and by going back.
  if (given !== value) {
    setGiven(value);
    if (value !== text.trim()) setText(value);
  }
  const search = useEffectEvent((words: string) => {
    if (words !== value) onChange(words);
  });
  useEffect(() => {
    const timer = setTimeout(() => search(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label className={styles.search}>
      <Search aria-hidden />
      <span className="visually-hidden">Search in prompts</span>
      <input
        type="search"
        value={text}
        maxLength={200}
        placeholder="Search in prompts"
        onChange={(event) => setText(event.target.value)}
      />
    </label>
  );
}
