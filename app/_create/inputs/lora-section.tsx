'use client';
import { Menu } from '@base-ui/react/menu';
import { Plus, X } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { inputLimits } from '../../../lib/contracts/task-inputs.ts';
import type { Adapter, Model } from '../../../lib/contracts/models.ts';
import { IconButton } from '../../_components/icon-button.tsx';
import { Slider } from '../../_components/slider.tsx';
import type { Draft } from '../../_lib/draft.ts';
import { setLora } from '../../_lib/inputs.ts';
import { useAdapters } from '../../_lib/queries.ts';
import { fits } from '../../_lib/request.ts';
import { InputSection } from './input-section.tsx';
import menu from '../../_components/menu.module.css';
import styles from './inputs.module.css';

/** Weights beyond this are for experiments; the API takes them. */
const REACH = 2;

interface LoraSectionProps {
  draft: Draft;
  model: Model;
  onInsert: (words: string) => void;
  onClose: () => void;
}

/** What was learned besides the model: LoRAs with their weights, and the words that call them and embeddings up. */
export function LoraSection({ draft, model, onInsert, onClose }: LoraSectionProps) {
  const { adapters: loras } = useAdapters('lora');
  const { adapters: embeddings } = useAdapters('embedding');
  const chosen = draft.loras.map(({ id, weight }) => ({
    id,
    weight,
    adapter: loras.find((each) => each.id === id),
  }));
  const others = loras.filter((each) => fits(each, model) && !draft.loras.some(({ id }) => id === each.id));
  const usable = embeddings.filter((each) => fits(each, model));
  return (
    <InputSection title="Styles and subjects" removeLabel="Use no LoRA" onRemove={onClose}>
      {loras.length === 0 && usable.length === 0 && (
        <p className={styles.note}>
          No LoRA is installed yet. Put a <code>.safetensors</code> file into <code>models/</code> of the data
          folder, or <Link href="/models">add one under Models</Link>.
        </p>
      )}
      {loras.length > 0 && others.length + chosen.length === 0 && (
        <p className={styles.note}>None of the installed LoRAs was made for {model.name}.</p>
      )}
      {chosen.length > 0 && (
        <ul className={styles.loras}>
          {chosen.map(({ id, weight, adapter }) => (
            <li key={id} className={styles.lora}>
              <div className={styles.loraLine}>
                <Slider
                  label={adapter?.name ?? id}
                  min={-REACH}
                  max={REACH}
                  step={0.05}
                  value={Math.min(REACH, Math.max(-REACH, weight))}
                  valueText={weight.toFixed(2)}
                  onChange={(next) => setLora(id, next)}
                />
                <IconButton label={`Take ${adapter?.name ?? id} away`} onClick={() => setLora(id, null)}>
                  <X />
                </IconButton>
              </div>
              {adapter === undefined && <p className={styles.missing}>It is not installed any more.</p>}
              {adapter !== undefined && !fits(adapter, model) && (
                <p className={styles.missing}>It was made for another kind of model than {model.name}.</p>
              )}
              <Triggers words={adapter?.triggers ?? []} onInsert={onInsert} />
            </li>
          ))}
        </ul>
      )}
      {others.length > 0 && draft.loras.length < inputLimits.maxLoras && <AddLora loras={others} />}
      {usable.length > 0 && (
        <div className={styles.embeddings}>
          <p className={styles.note}>Embeddings, called up by a word:</p>
          <Triggers words={usable.flatMap((each) => each.triggers)} onInsert={onInsert} />
        </div>
      )}
    </InputSection>
  );
}

function AddLora({ loras }: { loras: Adapter[] }) {
  return (
    <Menu.Root>
      <Menu.Trigger className={styles.addLora}>
        <Plus aria-hidden /> Add a LoRA
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className={menu.positioner} sideOffset={6} align="start">
          <Menu.Popup className={menu.popup}>
            {loras.map(({ id, name, base }) => (
              <Menu.Item key={id} className={menu.item} onClick={() => setLora(id, 1)}>
                {name}
                {base !== null && <span className={`film ${styles.base}`}>{base}</span>}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

const FEW = 6;

/** Words that call something up, to be put into the prompt. */
function Triggers({ words, onInsert }: { words: string[]; onInsert: (words: string) => void }) {
  const [showAll, setShowAll] = useState(false);
  if (words.length === 0) return null;
  return (
    <p className={styles.triggers}>
      {words.slice(0, showAll ? undefined : FEW).map((word) => (
        <button
          key={word}
          type="button"
          className={styles.trigger}
          aria-label={`Put “${word}” into the prompt`}
          onClick={() => onInsert(word)}
        >
          {word}
        </button>
      ))}
      {words.length > FEW && !showAll && (
        <button type="button" className={styles.trigger} onClick={() => setShowAll(true)}>
          {words.length - FEW} more
        </button>
      )}
    </p>
  );
}
