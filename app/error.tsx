'use client';
import { Button, LinkButton } from './_components/button.tsx';
import { Choices, ReadingPage, Section } from './_components/page.tsx';

/** A defect of a page itself. Everything that was made is kept by the studio and not touched by it. */
export default function PageError({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  return (
    <ReadingPage title="This page broke">
      <Section title="What now" note={error.digest === undefined ? undefined : `Error ${error.digest}`}>
        <p>Your pictures are safe, and what is being made goes on.</p>
        <Choices>
          <Button onClick={reset}>Try again</Button>
          <LinkButton href="/">Go to the Create page</LinkButton>
        </Choices>
      </Section>
    </ReadingPage>
  );
}
