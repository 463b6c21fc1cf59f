import type { Task } from '../../lib/contracts/generation.ts';
import type { Handler } from '../loop.ts';
import { drawPictures, type HandlerTools } from './draw-pictures.ts';

/** One handler for each task of the contract; a task without one does not compile. */
export function createHandler(tools: HandlerTools): Handler {
  const handlers: Record<Task, Handler> = {
    'text-to-image': drawPictures(tools),
  };
  return (work, context) => handlers[work.params.task](work, context);
}
