'use client';
import { Menu } from '@base-ui/react/menu';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import type { Preset } from '../../lib/contracts/presets.ts';
import { Button } from '../_components/button.tsx';
import { Dialog } from '../_components/dialog.tsx';
import { TextField } from '../_components/fields.tsx';
import { useNotify } from '../_components/toaster.tsx';
import { api } from '../_lib/api.ts';
import { draftStore, type Draft } from '../_lib/draft.ts';
import { applyPreset, presetOf } from '../_lib/presets.ts';
import { usePresets } from '../_lib/queries.ts';
import menu from '../_components/menu.module.css';
import styles from './presets.module.css';

/** Settings under a name: a menu to take them from, and two dialogs to keep them in order. */
export function Presets({ draft }: { draft: Draft }) {
  const { presets } = usePresets();
  const { notify } = useNotify();
  const [open, setOpen] = useState<'save' | 'manage' | null>(null);
  const own = presets.filter((preset) => !preset.builtIn);
  const apply = (preset: Preset) => {
    const before = draftStore.get();
    draftStore.set(applyPreset(before, preset.values));
    notify({
      title: `Set to “${preset.name}”.`,
      action: { label: 'Undo', run: () => draftStore.set(before) },
    });
  };
  return (
    <>
      <Menu.Root>
        <Menu.Trigger className={styles.trigger}>
          Presets <ChevronDown aria-hidden />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner className={menu.positioner} sideOffset={6} align="end">
            <Menu.Popup className={menu.popup}>
              {presets.map((preset) => (
                <Menu.Item key={preset.id} className={menu.item} onClick={() => apply(preset)}>
                  {preset.name}
                </Menu.Item>
              ))}
              {presets.length > 0 && <Menu.Separator className={styles.line} />}
              <Menu.Item className={menu.item} onClick={() => setOpen('save')}>
                Save these settings…
              </Menu.Item>
              {own.length > 0 && (
                <Menu.Item className={menu.item} onClick={() => setOpen('manage')}>
                  Rename or delete…
                </Menu.Item>
              )}
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      <Dialog
        open={open === 'save'}
        onOpenChange={() => setOpen(null)}
        title="Save as a preset"
        description="Keeps every setting that you changed, but neither the words nor the pictures."
      >
        <SaveForm draft={draft} own={own} onDone={() => setOpen(null)} />
      </Dialog>
      <Dialog open={open === 'manage'} onOpenChange={() => setOpen(null)} title="Your presets">
        <ul className={styles.list}>
          {own.map((preset) => (
            <OwnPreset key={preset.id} preset={preset} />
          ))}
        </ul>
      </Dialog>
    </>
  );
}

function SaveForm({ draft, own, onDone }: { draft: Draft; own: Preset[]; onDone: () => void }) {
  const [name, setName] = useState('');
  const client = useQueryClient();
  const { notify, notifyError } = useNotify();
  const same = own.find((preset) => preset.name === name.trim());
  const values = presetOf(draft);
  const save = useMutation({
    mutationFn: () =>
      same === undefined
        ? api.createPreset({ name: name.trim(), values })
        : api.updatePreset(same.id, { values }),
    onError: notifyError,
    onSuccess: (preset) => {
      void client.invalidateQueries({ queryKey: ['presets'] });
      notify({ title: `Saved as “${preset.name}”.` });
      onDone();
    },
  });
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        // The form lies in the page's own form as far as React's events go.
        event.stopPropagation();
        save.mutate();
      }}
    >
      <TextField label="Name" value={name} maxLength={100} onChange={setName} />
      <Button type="submit" tone="mark" disabled={name.trim() === '' || save.isPending}>
        {same === undefined ? 'Save' : 'Replace'}
      </Button>
    </form>
  );
}

function OwnPreset({ preset }: { preset: Preset }) {
  const [name, setName] = useState(preset.name);
  const client = useQueryClient();
  const { notify, notifyError } = useNotify();
  const settled = {
    onError: notifyError,
    onSettled: () => client.invalidateQueries({ queryKey: ['presets'] }),
  };
  const rename = useMutation({
    mutationFn: () => api.updatePreset(preset.id, { name: name.trim() }),
    ...settled,
  });
  const again = useMutation({
    mutationFn: () => api.createPreset({ name: preset.name, values: preset.values }),
    ...settled,
  });
  const remove = useMutation({
    mutationFn: () => api.removePreset(preset.id),
    ...settled,
    onSuccess: () =>
      notify({
        title: `“${preset.name}” deleted.`,
        action: { label: 'Undo', run: () => again.mutate() },
      }),
  });
  const isChanged = name.trim() !== '' && name.trim() !== preset.name;
  return (
    <li className={styles.own}>
      <TextField label={`Name of ${preset.name}`} value={name} maxLength={100} onChange={setName} />
      <Button disabled={!isChanged || rename.isPending} onClick={() => rename.mutate()}>
        Rename
      </Button>
      <Button tone="quiet" disabled={remove.isPending} onClick={() => remove.mutate()}>
        Delete
      </Button>
    </li>
  );
}
