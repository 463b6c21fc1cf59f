'use client';
import type { Model } from '../../../lib/contracts/models.ts';
import type { Draft } from '../../_lib/draft.ts';
import { useAdapters } from '../../_lib/queries.ts';
import { suitableControlNets, takesReferences, taskOf } from '../../_lib/request.ts';
import { LoraSection } from './lora-section.tsx';
import { ReferenceSection } from './reference-section.tsx';
import { StartSection } from './start-section.tsx';
import { VideoSection } from './video-section.tsx';

interface InputsProps {
  draft: Draft;
  model: Model;
  showLoras: boolean;
  onCloseLoras: () => void;
  onInsert: (words: string) => void;
}

/** Everything that the picture is made from besides the words; nothing while that is nothing. */
export function Inputs(props: InputsProps) {
  const { draft, model } = props;
  const { adapters } = useAdapters('controlnet');
  const controlNets = suitableControlNets(adapters, model);
  return (
    <>
      {draft.start !== undefined && <StartSection draft={draft} start={draft.start} model={model} />}
      {takesReferences(taskOf(draft)) &&
        draft.references.map((reference) => (
          <ReferenceSection key={reference.key} reference={reference} controlNets={controlNets} />
        ))}
      {draft.video !== undefined && <VideoSection video={draft.video} model={model} />}
      {props.showLoras && (
        <LoraSection draft={draft} model={model} onInsert={props.onInsert} onClose={props.onCloseLoras} />
      )}
    </>
  );
}
