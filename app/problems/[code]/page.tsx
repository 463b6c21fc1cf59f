import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { EncoreError, errorCodes } from '../../../lib/contracts/errors.ts';
import { ReadingPage, Section } from '../../_components/page.tsx';
import { Prose } from '../../_components/prose.tsx';
import { operations } from '../../api/_operations/index.ts';
import { advice } from '../advice.ts';
import styles from '../problems.module.css';

export const metadata: Metadata = { title: 'Problem' };

/** What the `type` of a refusal (RFC 9457) leads to. */
export default async function Page({ params }: { params: Promise<{ code: string }> }) {
  const { code: given } = await params;
  const code = errorCodes.find((known) => known === given);
  if (code === undefined) notFound();
  const { title, status } = new EncoreError(code, '');
  const raisedBy = operations.filter(({ errors }) => errors?.includes(code));
  return (
    <ReadingPage title={title}>
      {advice[code] !== undefined && (
        <Section title="What helps">
          <p className={styles.text}>
            <Prose>{advice[code]}</Prose>
          </p>
        </Section>
      )}
      <Section title="For programs">
        <p className={styles.text}>
          Code <code>{code}</code>, HTTP status {status}. The <code>detail</code> of the answer has the values
          that led to it, <code>remedy</code> says what helps.
        </p>
      </Section>
      {raisedBy.length > 0 && (
        <Section title="Where it comes from">
          <ul className={styles.list}>
            {raisedBy.map(({ id, summary }) => (
              <li key={id}>
                <Link href={`/reference#${id}`}>{summary}</Link>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </ReadingPage>
  );
}
