import type { TaskName } from '../../lib/contracts/task-inputs.ts';

/** Tasks as the pages call them. */
export const taskNames: Record<TaskName, string> = {
  'text-to-image': 'From words',
  'image-to-image': 'From a picture',
  inpaint: 'Part drawn anew',
  reference: 'By a reference',
  'text-to-video': 'Video',
  upscale: 'Enlarged',
};
