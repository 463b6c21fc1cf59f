import styles from './schedule-strip.module.css';

interface ScheduleStripProps {
  steps: number;
  keySteps: readonly number[];
  /** Steps that are finished. Left out: all of them, as in a plan or a receipt. */
  done?: number;
}

const KEY = { width: 0.66, top: 0 };
const REUSED = { width: 0.3, top: 9 };
const HEIGHT = 22;

/** One path for any number of bars: `M x top h width v height h -width z`, one unit to a step. */
function bars(indices: number[], { width, top }: { width: number; top: number }): string {
  return indices
    .map((i) => `M${(i + (1 - width) / 2).toFixed(2)} ${top}h${width}V${HEIGHT}h${-width}z`)
    .join('');
}

/**
 * The run as an edge of film: a tall bar where the encoder works, a short one where its features are used again.
 */
export function ScheduleStrip({ steps, keySteps, done = steps }: ScheduleStripProps) {
  const isKey = new Set(keySteps);
  const all = Array.from({ length: steps }, (_, i) => i);
  const ticks = frameNumbers(steps);
  return (
    <div className={styles.strip} role="img" aria-label={describeSchedule(steps, keySteps)}>
      <svg viewBox={`0 0 ${steps} ${HEIGHT}`} preserveAspectRatio="none" className={styles.bars} aria-hidden>
        <path
          className={styles.reused}
          d={bars(
            all.filter((i) => !isKey.has(i) && i < done),
            REUSED,
          )}
        />
        <path
          className={styles.reusedAhead}
          d={bars(
            all.filter((i) => !isKey.has(i) && i >= done),
            REUSED,
          )}
        />
        <path
          className={styles.key}
          d={bars(
            all.filter((i) => isKey.has(i) && i < done),
            KEY,
          )}
        />
        <path
          className={styles.keyAhead}
          d={bars(
            all.filter((i) => isKey.has(i) && i >= done),
            KEY,
          )}
        />
      </svg>
      <div className={`film ${styles.numbers}`} aria-hidden>
        {ticks.map((i) => (
          <span key={i} style={{ left: `${((i + 0.5) / steps) * 100}%` }}>
            {i}
          </span>
        ))}
      </div>
    </div>
  );
}

/** About six numbers, at round steps. */
function frameNumbers(steps: number): number[] {
  const gap = [1, 2, 5, 10, 20, 50, 100, 200].find((candidate) => steps / candidate <= 7) ?? 500;
  return Array.from({ length: Math.ceil(steps / gap) }, (_, i) => i * gap);
}

export function describeSchedule(steps: number, keySteps: readonly number[]): string {
  if (keySteps.length === steps) return `The encoder works at every one of ${steps} steps.`;
  return `The encoder works at ${keySteps.length} of ${steps} steps: ${keySteps.join(', ')}.`;
}
