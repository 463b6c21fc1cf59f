import { routes } from '../../_server/serve.ts';
import { listPresetsOperation, createPresetOperation } from '../../_operations/presets.ts';

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes(listPresetsOperation, createPresetOperation);
