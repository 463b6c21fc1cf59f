import Link from 'next/link';
import { ReadingPage, Section } from './_components/page.tsx';

export default function NotFound() {
  return (
    <ReadingPage title="Nothing is here">
      <Section title="Where to go">
        <p>
          <Link href="/">Make a picture</Link>, or look at <Link href="/library">those you have</Link>.
        </p>
      </Section>
    </ReadingPage>
  );
}
