import type { Metadata } from 'next';
import { LinkButton } from './_components/button.tsx';
import { Choices, ReadingPage, Section } from './_components/page.tsx';

export const metadata: Metadata = { title: 'Nothing is here' };

export default function NotFound() {
  return (
    <ReadingPage title="Nothing is here">
      <Section title="Where to go">
        <p>The address may be mistyped, or what it named was deleted.</p>
        <Choices>
          <LinkButton href="/">Make a picture</LinkButton>
          <LinkButton href="/library">Look at those you have</LinkButton>
        </Choices>
      </Section>
    </ReadingPage>
  );
}
