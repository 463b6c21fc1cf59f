'use client';
import { Scale } from 'lucide-react';
import Link from 'next/link';
import type { Generation, Receipt as ReceiptData } from '../../lib/contracts/generation.ts';
import { formatBytes, formatSeconds } from '../_lib/format.ts';
import { useGeneration, useModels } from '../_lib/queries.ts';
import { Button } from './button.tsx';
import { furtherFacts, requestFacts } from './facts.ts';
import { canVerify, useVerify } from './use-verify.ts';
import styles from './receipt.module.css';

/** What a picture was asked for and what making it took. */
export function Receipt({ generation, seed = generation.seed }: { generation: Generation; seed?: number }) {
  const { receipt, params } = generation;
  const { models } = useModels();
  const model = models.find(({ id }) => id === params.model)?.name ?? params.model;
  return (
    <div className={styles.receipt}>
      <dl className={`film ${styles.list}`}>
        {requestFacts(generation, seed, model).map(([name, value], index) => (
          <Row key={index} name={name} value={value} />
        ))}
      </dl>
      {receipt !== null && (
        <>
          <Passes receipt={receipt} />
          <Proof generation={generation} />
          <Work receipt={receipt} />
          <Further receipt={receipt} />
        </>
      )}
    </div>
  );
}

/** Whether an exact run of the same seed was made, and how far apart the two are; else the way to make one. */
function Proof({ generation }: { generation: Generation }) {
  const { id, verifies, verifiedBy } = generation;
  const other = verifies ?? verifiedBy;
  const { verify, isPending } = useVerify(generation);
  const exact = useGeneration(verifiedBy ?? undefined);
  const comparison = generation.comparison ?? exact.data?.comparison ?? null;
  if (other === null) {
    if (!canVerify(generation)) return null;
    return (
      <p className={styles.verify}>
        <Button
          size="s"
          disabled={isPending}
          onClick={verify}
          aria-label="Verify: make it exactly and compare"
          aria-keyshortcuts="v"
        >
          <Scale aria-hidden /> Verify
        </Button>
        <span>draws it once more, every step in full, to compare.</span>
      </p>
    );
  }
  const link = `/compare?${new URLSearchParams(verifies === null ? { a: id, b: other } : { a: other, b: id })}`;
  return (
    <p className={styles.note}>
      {verifies !== null
        ? 'The exact run of another picture’s seed. '
        : comparison === null
          ? 'An exact run was asked for. '
          : 'Verified by an exact run. '}
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

function Further({ receipt }: { receipt: ReceiptData }) {
  return (
    <details className={styles.further}>
      <summary>Hashes and versions</summary>
      <dl className={`film ${styles.list}`}>
        {furtherFacts(receipt).map(([name, value], index) => (
          <Row key={index} name={name} value={value} />
        ))}
      </dl>
    </details>
  );
}

const stages = [
  ['textEncoder', 'Text'],
  ['encoder', 'Encoder'],
  ['decoder', 'Decoder'],
  ['control', 'ControlNet'],
  ['scheduler', 'Scheduler'],
  ['vae', 'Picture'],
  ['ffmpeg', 'Video file'],
] as const satisfies [keyof ReceiptData['seconds'], string][];

function Passes({ receipt }: { receipt: ReceiptData }) {
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
      {receipt.controlRuns !== undefined && (
        <p className={styles.control}>
          {receipt.controlRuns} ControlNet {receipt.controlRuns === 1 ? 'run' : 'runs'}
          {(receipt.controlRunsSaved ?? 0) > 0 && <em>{receipt.controlRunsSaved} saved</em>}
        </p>
      )}
    </>
  );
}

function Work({ receipt }: { receipt: ReceiptData }) {
  const { seconds, exactEstimate } = receipt;
  const taken = stages.flatMap(([stage, label]) => {
    const value = seconds[stage];
    return value === undefined ? [] : [{ label, value }];
  });
  const longest = Math.max(...taken.map(({ value }) => value), 1e-9);
  const unetSeconds = seconds.encoder + seconds.decoder + (seconds.control ?? 0);
  return (
    <>
      <dl className={`film ${styles.list}`} aria-label="Seconds by stage">
        {taken.map(({ label, value }) => (
          <div key={label} className={styles.bar}>
            <dt>{label}</dt>
            <dd>
              <span className={styles.measure} style={{ width: `${(value / longest) * 100}%` }} aria-hidden />
              <span className={styles.value}>{formatSeconds(value)}</span>
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
          {formatSeconds(unetSeconds)} in{' '}
          {seconds.control === undefined ? 'encoder and decoder' : 'encoder, decoder and ControlNet'}
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
