import { ReadingPage } from '../../_components/page.tsx';
import { Appearance, CreatePageReset, Notices } from './browser-sections.tsx';
import { Access, Defaults, Files, ForPrograms, ModelHub, Pause, ThisStudio } from './studio-sections.tsx';

/** @param needsToken the studio was started with a token */
export function SettingsPage({ needsToken }: { needsToken: boolean }) {
  return (
    <ReadingPage title="Settings">
      <Appearance />
      <Notices />
      <CreatePageReset />
      <Defaults />
      <Files />
      <Pause />
      <Access needsToken={needsToken} />
      <ModelHub />
      <ForPrograms />
      <ThisStudio />
    </ReadingPage>
  );
}
