'use client';
import Link from 'next/link';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { useModels } from '../../_lib/queries.ts';
import { compareFacts } from './compare-facts.ts';
import styles from './compare-page.module.css';

/** What was different in making the two, row by row; what was alike in one line. */
export function Differences({ a, b }: { a: Generation; b: Generation }) {
  const { models } = useModels();
  const nameOf = (id: string) => models.find((model) => model.id === id)?.name ?? id;
  const { different, alike } = compareFacts(a, b, nameOf);
  return (
    <>
      <table className={styles.table}>
        <caption className="visually-hidden">How the two were made</caption>
        <thead>
          <tr>
            <td />
            <Head generation={a} name="Left" />
            <Head generation={b} name="Right" />
          </tr>
        </thead>
        <tbody>
          {different.map(({ name, left, right }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{left ?? '–'}</td>
              <td>{right ?? '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {alike.length > 0 && (
        <p className={styles.alike}>
          Alike in both: {alike.map(([name, value]) => `${name.toLowerCase()} ${value}`).join(' · ')}
        </p>
      )}
    </>
  );
}

function Head({ generation, name }: { generation: Generation; name: string }) {
  return (
    <th scope="col">
      <span className={styles.which}>{name}</span>
      <Link href={`/library/${generation.id}`} className={styles.prompt}>
        {generation.params.prompt}
      </Link>
    </th>
  );
}
