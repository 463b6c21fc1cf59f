import { EncoreError } from '../../contracts/errors.ts';
import type { Task } from './course.ts';
import { textToImage } from './text-to-image.ts';

/**
 * Pictures from a sentence that follow one or several control pictures. What guides is the same in every task
 * (control.ts); here it may not be missing. diffusers: pipelines/controlnet/pipeline_controlnet.py
 */
export const reference: Task = {
  ...textToImage,
  courses(model, input) {
    if ((input.control ?? []).length === 0) {
      throw new EncoreError(
        'invalid_parameter',
        'reference needs a ControlNet and a picture that guides it',
        {
          errors: [{ path: 'control', message: 'is missing' }],
        },
      );
    }
    return textToImage.courses(model, input);
  },
};
