import {
  presetInputSchema,
  presetListSchema,
  presetPatchSchema,
  presetSchema,
} from '../../../lib/contracts/presets.ts';
import { createPreset, deletePreset, listPresets, updatePreset } from '../../../lib/studio/services/index.ts';
import { defineOperation } from '../_server/operation.ts';
import { idParams } from './generations.ts';

const preset = { description: 'The preset', schema: presetSchema };

export const listPresetsOperation = defineOperation({
  id: 'listPresets',
  tag: 'Presets',
  method: 'GET',
  path: '/presets',
  summary: 'List the presets',
  responses: {
    200: { description: 'Your own, last changed first, then those of Encore', schema: presetListSchema },
  },
  run: async ({ studio }) => ({ status: 200, body: { items: await listPresets(studio) } }),
});

export const createPresetOperation = defineOperation({
  id: 'createPreset',
  tag: 'Presets',
  method: 'POST',
  path: '/presets',
  summary: 'Keep settings under a name',
  description:
    'A preset is part of a request. `{prompt}` in `promptTemplate` stands for what the person types; whoever uses a preset puts it in.',
  body: presetInputSchema,
  examples: {
    'a look': {
      name: 'Ink',
      values: { promptTemplate: '{prompt}, ink on paper', loras: [{ id: 'ink', weight: 0.8 }] },
    },
    'a pace': { name: 'Quick', values: { steps: 12, plan: 'fastest' } },
  },
  responses: { 201: preset },
  errors: ['conflict'],
  run: async ({ body, studio }) => ({ status: 201, body: await createPreset(studio, body) }),
});

export const updatePresetOperation = defineOperation({
  id: 'updatePreset',
  tag: 'Presets',
  method: 'PATCH',
  path: '/presets/{id}',
  summary: 'Rename a preset, or give it other settings',
  params: idParams,
  body: presetPatchSchema,
  examples: { 'another name': { name: 'Ink and paper' } },
  responses: { 200: preset },
  errors: ['not_found', 'conflict'],
  run: async ({ params, body, studio }) => ({
    status: 200,
    body: await updatePreset(studio, params.id, body),
  }),
});

export const deletePresetOperation = defineOperation({
  id: 'deletePreset',
  tag: 'Presets',
  method: 'DELETE',
  path: '/presets/{id}',
  summary: 'Delete a preset',
  params: idParams,
  responses: { 204: { description: 'Gone' } },
  errors: ['not_found', 'conflict'],
  async run({ params, studio }) {
    await deletePreset(studio, params.id);
    return { status: 204 };
  },
});
