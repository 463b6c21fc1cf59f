'use client';
import { Button } from '../../_components/button.tsx';
import { Section } from '../../_components/page.tsx';
import { useTheme } from '../../_components/providers.tsx';
import { Segments } from '../../_components/segments.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { askForNotices, doneNoticeStore, useDoneNotice } from '../../_lib/done-notice.ts';
import { resetSettings } from '../../_lib/draft.ts';
import { themeNames, themes } from '../../_lib/theme.ts';
import { Toggle } from './toggle.tsx';
import styles from './settings-page.module.css';

/** What this browser keeps for itself. */
export function ThisBrowser() {
  const { theme, setTheme } = useTheme();
  const { notify } = useNotify();
  return (
    <Section title="This browser" note="Kept here, for nobody else.">
      <div className={styles.stack}>
        <Segments
          legend="The room to work in"
          name="theme"
          options={themes.map((value) => ({ value, label: themeNames[value] }))}
          value={theme}
          onChange={setTheme}
        />
        <Notices />
        <Button
          onClick={() => {
            resetSettings();
            notify({ title: 'The settings of the Create page are as they were at first.' });
          }}
        >
          Reset the Create page
        </Button>
      </div>
    </Section>
  );
}

function Notices() {
  const isNoticed = useDoneNotice();
  const { notify } = useNotify();
  const setNotices = async (isOn: boolean) => {
    const isAllowed = !isOn || (await askForNotices());
    doneNoticeStore.set(isOn && isAllowed);
    if (!isAllowed) {
      notify({
        title: 'This browser does not let the studio show notices.',
        description: 'Allow them for this address in its settings, then try again.',
      });
    }
  };
  return (
    <Toggle label="Say when a picture is done" isOn={isNoticed} onChange={(isOn) => void setNotices(isOn)}>
      A notice of your system, only while this tab is out of sight.
    </Toggle>
  );
}
