'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { ModelKind } from '../../../lib/contracts/models.ts';
import { Button } from '../../_components/button.tsx';
import { TextField } from '../../_components/fields.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { problemText } from './problem-text.ts';
import styles from './models-page.module.css';

const kindNames: Record<ModelKind, string> = {
  model: 'a model',
  controlnet: 'a ControlNet',
  lora: 'a LoRA',
  embedding: 'an embedding',
  motion: 'a motion adapter',
};

/** A folder or file of the machine that the studio runs on. What it is, its contents say. */
export function AddFromDisk() {
  const client = useQueryClient();
  const [path, setPath] = useState('');
  const { notify } = useNotify();
  const add = useMutation({
    mutationFn: api.addModel,
    onSuccess: async (item) => {
      setPath('');
      notify({ title: `${item.name} can be used now.`, description: `It is ${kindNames[item.kind]}.` });
      await client.invalidateQueries({ queryKey: ['models'] });
    },
  });
  return (
    <form
      className={styles.add}
      aria-labelledby="from-disk"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        add.mutate(path.trim());
      }}
    >
      <h3 id="from-disk" className={styles.name}>
        From this machine
      </h3>
      <p className={styles.text}>
        A folder in diffusers layout, or one <code>.safetensors</code> file: a checkpoint, a ControlNet, a LoRA or
        an embedding. What it is, is read from it.
      </p>
      <TextField
        label="Folder or file"
        value={path}
        placeholder="/models/stable-diffusion-v1-5"
        spellCheck={false}
        autoCapitalize="none"
        error={problemText(add.error)}
        onChange={(value) => {
          setPath(value);
          add.reset();
        }}
      />
      <Button type="submit" disabled={path.trim() === '' || add.isPending}>
        {add.isPending ? 'Looking at it…' : 'Add'}
      </Button>
    </form>
  );
}
