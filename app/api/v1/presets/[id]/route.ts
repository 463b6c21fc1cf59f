import { routes } from '../../../_server/serve.ts';
import { updatePresetOperation, deletePresetOperation } from '../../../_operations/presets.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(
  updatePresetOperation,
  deletePresetOperation,
);
