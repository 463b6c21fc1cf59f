import type { TaskName } from '../../lib/contracts/task-inputs.ts';
import type { Handler } from '../loop.ts';
import type { HandlerTools } from './draw.ts';
import { drawPictures } from './draw-pictures.ts';
import { drawVideo } from './draw-video.ts';

/** One handler for each task that has a name, whether it is offered yet or not. */
export function createHandler(tools: HandlerTools): Handler {
  const pictures = drawPictures(tools);
  const handlers: Record<TaskName, Handler> = {
    'text-to-image': pictures,
    'image-to-image': pictures,
    inpaint: pictures,
    reference: pictures,
    'text-to-video': drawVideo(tools),
    upscale: pictures,
  };
  return (work, context) => handlers[work.params.task](work, context);
}
