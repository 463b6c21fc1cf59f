'use client';
import { Plus } from 'lucide-react';
import { useId, useState, type ReactNode } from 'react';
import type { Adapter, Installed, Model } from '../../../lib/contracts/models.ts';
import { Button } from '../../_components/button.tsx';
import { ReadingPage, Section } from '../../_components/page.tsx';
import { useInstalled, useInstalls } from '../../_lib/queries.ts';
import { AddFromDisk } from './add-from-disk.tsx';
import { AdapterEntry, ModelEntry } from './entries.tsx';
import { Hub } from './hub.tsx';
import styles from './models-page.module.css';

const isModel = (item: Installed): item is Model => item.kind === 'model';

const adapterKinds: { kind: Adapter['kind']; title: string; note: string; none: ReactNode }[] = [
  {
    kind: 'controlnet',
    title: 'ControlNets',
    note: 'Make a picture follow a drawing or the lines of another.',
    none: 'None yet.',
  },
  {
    kind: 'lora',
    title: 'LoRAs',
    note: 'Teach a model a subject or a style.',
    none: 'None yet. A .safetensors file as kohya, diffusers or ai-toolkit write it works.',
  },
  {
    kind: 'embedding',
    title: 'Embeddings',
    note: 'Words with a meaning of their own.',
    none: 'None yet. A .safetensors file with one embedding works.',
  },
  {
    kind: 'motion',
    title: 'Motion adapters',
    note: 'Let the frames of a video see each other (AnimateDiff).',
    none: 'None yet. A folder of diffusers’ MotionAdapter works.',
  },
];

export function ModelsPage() {
  const { installed, isSuccess } = useInstalled();
  const { data: installs } = useInstalls();
  const [isOpen, setOpen] = useState<boolean>();
  const id = useId();
  // What is on its way from a hub is shown without being asked for.
  const isAdding = isOpen ?? (installs?.items.length ?? 0) > 0;
  const models = installed.filter(isModel);
  const adapters = installed.filter((item): item is Adapter => !isModel(item));
  return (
    <ReadingPage
      title="Models"
      actions={
        <Button aria-expanded={isAdding} aria-controls={id} onClick={() => setOpen(!isAdding)}>
          <Plus aria-hidden /> Add a model
        </Button>
      }
    >
      <div id={id} hidden={!isAdding}>
        <Section
          title="Add a model"
          note="Or a ControlNet, a LoRA, an embedding, a motion adapter. Nothing is converted; what lies on this machine is not even copied."
        >
          <div className={styles.ways}>
            <AddFromDisk />
            <Hub />
          </div>
        </Section>
      </div>
      <Section title="Models" note="Draw by themselves.">
        {models.length > 0 ? (
          <ul className={styles.entries}>
            {models.map((model, index) => (
              <ModelEntry key={model.id} model={model} isDefault={index === 0} />
            ))}
          </ul>
        ) : (
          isSuccess && (
            <p className={styles.text}>
              There is none, so nothing can be made. The bundled one lies in the folder models/toybox.
            </p>
          )
        )}
      </Section>
      {adapterKinds.map(({ kind, title, note, none }) => {
        const ofKind = adapters.filter((adapter) => adapter.kind === kind);
        return (
          <Section key={kind} title={title} note={note}>
            {ofKind.length > 0 ? (
              <ul className={styles.entries}>
                {ofKind.map((adapter) => (
                  <AdapterEntry key={adapter.id} adapter={adapter} models={models} />
                ))}
              </ul>
            ) : (
              isSuccess && <p className={styles.text}>{none}</p>
            )}
          </Section>
        );
      })}
    </ReadingPage>
  );
}
