import { ReadingPage } from '../../_components/page.tsx';
import { ThisBrowser } from './browser-section.tsx';
import { Access, ForPrograms, ModelHub, NewPictures, ThisStudio } from './studio-sections.tsx';

/** @param needsToken the studio was started with a token */
export function SettingsPage({ needsToken }: { needsToken: boolean }) {
  return (
    <ReadingPage title="Settings">
      <ThisBrowser />
      <NewPictures />
      <Access needsToken={needsToken} />
      <ModelHub />
      <ForPrograms />
      <ThisStudio />
    </ReadingPage>
  );
}
