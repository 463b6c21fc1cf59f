'use client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { FileSearch, ImageUp, Loader, Spline } from 'lucide-react';
import { useEffect, useRef, useState, type ReactNode, type RefObject } from 'react';
import type { Model } from '../../../lib/contracts/models.ts';
import { Dialog } from '../../_components/dialog.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { updateDraft, type Draft, type PictureRef } from '../../_lib/draft.ts';
import { canDo, refOf } from '../../_lib/hand-over.ts';
import { addReference, canAddReference, newReference, newStart, withStart } from '../../_lib/inputs.ts';
import { programs, useReadPicture } from '../use-read-picture.ts';
import styles from './picture-choice.module.css';

interface PictureChoiceProps {
  /** The picture that came; null while none waits for an answer. */
  file: File | null;
  draft: Draft;
  model: Model | undefined;
  onDone: () => void;
}

/** Asks what a picture is for that was dropped, pasted or chosen. */
export function PictureChoice({ file, draft, model, onDone }: PictureChoiceProps) {
  const first = useRef<HTMLDivElement>(null);
  return (
    <Dialog
      open={file !== null}
      onOpenChange={(open) => !open && onDone()}
      title="What is this picture for?"
      initialFocus={first}
    >
      {file !== null && <Choices file={file} draft={draft} model={model} listRef={first} onDone={onDone} />}
    </Dialog>
  );
}

interface ChoicesProps extends PictureChoiceProps {
  file: File;
  listRef: RefObject<HTMLDivElement | null>;
}

function Choices({ file, draft, model, listRef, onDone }: ChoicesProps) {
  const { notifyError } = useNotify();
  const preview = useObjectUrl(file);
  const read = useReadPicture();
  const info = useQuery({
    queryKey: ['picture-info', file.name, file.size, file.lastModified],
    queryFn: () => api.readMetadata(file),
    retry: false,
  });
  const send = useMutation({
    mutationFn: (_purpose: Purpose) => api.upload(file, file.name),
    onError: notifyError,
    onSuccess: (upload, purpose) => {
      take(purpose, refOf(upload));
      onDone();
    },
  });
  const busy = send.isPending ? send.variables : null;
  const said =
    info.data !== undefined && info.data.source !== null && Object.keys(info.data.params).length > 0;

  return (
    <div className={styles.choices}>
      {preview !== null && <img src={preview} alt="" className={styles.preview} />}
      <div className={styles.list} ref={listRef} tabIndex={-1}>
        {canDo('redraw', model) && (
          <Choice
            icon={<ImageUp />}
            title="Start from it"
            says="Draw it anew, a part of it, or what is around it."
            isBusy={busy === 'start'}
            disabled={send.isPending}
            onClick={() => send.mutate('start')}
          />
        )}
        {canDo('reference', model) && (
          <Choice
            icon={<Spline />}
            title="Follow it"
            says="Keep its lines and draw something else along them."
            isBusy={busy === 'reference'}
            disabled={send.isPending || !canAddReference(draft)}
            onClick={() => send.mutate('reference')}
          />
        )}
        <Choice
          icon={<FileSearch />}
          title="Read how it was made"
          says={
            info.isPending
              ? 'Looking…'
              : !said
                ? 'This picture does not say how it was made.'
                : `Made with ${programs[info.data.source ?? 'encore']}${info.data.params.prompt === undefined ? '' : `: “${short(info.data.params.prompt)}”`}`
          }
          disabled={!said || send.isPending}
          onClick={() => {
            if (info.data !== undefined) read(info.data);
            onDone();
          }}
        />
      </div>
    </div>
  );
}

type Purpose = 'start' | 'reference';

function take(purpose: Purpose, picture: PictureRef): void {
  if (purpose === 'start') {
    updateDraft(withStart(newStart(picture)));
  } else addReference(newReference({ kind: 'picture', picture }));
}

interface ChoiceProps {
  icon: ReactNode;
  title: string;
  says: string;
  isBusy?: boolean;
  disabled: boolean;
  onClick: () => void;
}

function Choice({ icon, title, says, isBusy = false, disabled, onClick }: ChoiceProps) {
  return (
    <button type="button" className={styles.choice} disabled={disabled} onClick={onClick}>
      <span className={styles.icon} aria-hidden>
        {isBusy ? <Loader className={styles.spin} /> : icon}
      </span>
      <span>
        <strong>{title}</strong>
        <span className={styles.says}>{isBusy ? 'Sending…' : says}</span>
      </span>
    </button>
  );
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function useObjectUrl(file: File): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(file);
    // eslint-disable-next-line react-hooks/set-state-in-effect -- the address exists only while the component does
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return url;
}
