import type { Generation } from '../../../lib/contracts/generation.ts';
import type { Difference } from './measure.ts';
import styles from './compare-page.module.css';

/** What the worker measured over all frames of two videos, one of which is the exact run of the other. */
export function videoProof(a: Generation, b: Generation): (Difference & { frames: number }) | undefined {
  const comparison = a.verifies === b.id ? a.comparison : b.verifies === a.id ? b.comparison : null;
  if (comparison?.frames === undefined) return undefined;
  const { psnr, meanDifference: mean, maxDifference: max, frames } = comparison;
  return { mean, max, psnr: psnr ?? Infinity, equal: psnr === null, frames: frames.length };
}

interface NumbersProps {
  /** Null where the two have different sizes. */
  difference: Difference | null | undefined;
  /** Both are there, so that they can be measured. */
  isEnabled: boolean;
}

/** How far the two are apart. */
export function Numbers({ difference, isEnabled }: NumbersProps) {
  if (!isEnabled || difference === undefined)
    return <p className={styles.measured}>Measured when both are there.</p>;
  if (difference === null) return <p className={styles.measured}>The two have different sizes.</p>;
  if (difference.equal) return <p className={styles.measured}>Not a single value differs.</p>;
  const figures: [string, string][] = [
    ['Mean difference', `${difference.mean.toFixed(2)} of 255`],
    ['Largest', String(difference.max)],
    ['PSNR', `${difference.psnr.toFixed(1)} dB`],
  ];
  return (
    <dl className={styles.figures}>
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
