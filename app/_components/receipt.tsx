import Link from 'next/link';
import type { Generation, Receipt as ReceiptData } from '../../lib/contracts/generation.ts';
import { formatBytes, formatSeconds } from '../_lib/format.ts';
import styles from './receipt.module.css';

/** What a picture was asked for and what making it took. */
export function Receipt({ generation, seed = generation.seed }: { generation: Generation; seed?: number }) {
  const { params, receipt } = generation;
  return (
    <div className={styles.receipt}>
      <dl className={`film ${styles.list}`}>
        <Row name="Seed" value={String(seed)} />
        <Row name="Size" value={`${params.width} × ${params.height}`} />
        <Row name="Steps" value={`${params.steps} ${params.scheduler}`} />
        <Row name="Guidance" value={String(params.guidanceScale)} />
        <Row name="Model" value={params.model} />
        {receipt !== null && <Row name="Device" value={receipt.device} />}
      </dl>
      {receipt !== null && <Work receipt={receipt} />}
      <Proof generation={generation} />
    </div>
  );
}

/** Whether an exact run of the same seed was made, and how far apart the two are. */
function Proof({ generation }: { generation: Generation }) {
  const { id, verifies, verifiedBy, comparison } = generation;
  const other = verifies ?? verifiedBy;
  if (other === null) return null;
  const link = `/compare?${new URLSearchParams(verifies === null ? { a: id, b: other } : { a: other, b: id })}`;
  return (
    <p className={styles.note}>
      {verifies === null ? 'Verified by an exact run. ' : 'The exact run of another picture’s seed. '}
      {comparison !== null &&
        (comparison.psnr === null
          ? 'Not a single value differs. '
          : `They differ by ${comparison.meanDifference.toFixed(1)} of 255 on average. `)}
      <Link href={link}>See both</Link>
    </p>
  );
}

function Row({ name, value }: { name: string; value: string }) {
  return (
    <div className={styles.row}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const stages = [
  ['textEncoder', 'Text'],
  ['encoder', 'Encoder'],
  ['decoder', 'Decoder'],
  ['scheduler', 'Scheduler'],
  ['vae', 'Picture'],
] as const satisfies [keyof ReceiptData['seconds'], string][];

function Work({ receipt }: { receipt: ReceiptData }) {
  const { seconds, exactEstimate } = receipt;
  const longest = Math.max(...stages.map(([stage]) => seconds[stage]), 1e-9);
  const unetSeconds = seconds.encoder + seconds.decoder;
  return (
    <>
      <p className={styles.passes}>
        <strong>
          {receipt.encoderRuns}
          <span> of {receipt.encoderRuns + receipt.encoderRunsSaved}</span>
        </strong>
        encoder passes
        {receipt.encoderRunsSaved > 0 && <em>{receipt.encoderRunsSaved} saved</em>}
      </p>
      <dl className={`film ${styles.list}`} aria-label="Seconds by stage">
        {stages.map(([stage, label]) => (
          <div key={stage} className={styles.bar}>
            <dt>{label}</dt>
            <dd>
              <span
                className={styles.measure}
                style={{ width: `${(seconds[stage] / longest) * 100}%` }}
                aria-hidden
              />
              <span className={styles.value}>{formatSeconds(seconds[stage])}</span>
            </dd>
          </div>
        ))}
        {seconds.load > 0.05 && <Row name="Model loaded in" value={formatSeconds(seconds.load)} />}
        <Row name="All in all" value={formatSeconds(seconds.total)} />
        {receipt.peakMemoryBytes > 0 && (
          <Row name="Memory at most" value={formatBytes(receipt.peakMemoryBytes)} />
        )}
      </dl>
      {exactEstimate !== null && receipt.encoderRunsSaved > 0 && unetSeconds > 0 && (
        <p className={styles.note} title={exactEstimate.method}>
          Every step in full would have taken about {formatSeconds(exactEstimate.unetSeconds)} instead of{' '}
          {formatSeconds(unetSeconds)} in encoder and decoder
          {exactEstimate.unetSeconds > unetSeconds * 1.02 &&
            `: ${(exactEstimate.unetSeconds / unetSeconds).toFixed(1)} times as long`}
          . <span className={styles.method}>{exactEstimate.method}</span>
        </p>
      )}
      {receipt.notices.map((notice) => (
        <p key={notice} className={styles.note}>
          {notice}
        </p>
      ))}
    </>
  );
}
