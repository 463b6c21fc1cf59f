import type { Command } from 'commander';
import type { GenerationInput } from '../../contracts/generation.ts';
import type { ModelDefaults } from '../../engine/tasks/inspect-model.ts';
import type { GenerateInput } from '../../engine/tasks/task.ts';

/** Options of `encore generate` that belong together. `O` are their values as commander parsed them. */
export interface OptionGroup<O> {
  /** Above them in the help. */
  readonly heading: string;
  declare(command: Command): void;
  /** Their fields of the request, as the API would get them; the contract checks them afterwards. */
  request?(options: O, defaults: ModelDefaults): RequestFields | Promise<RequestFields>;
  /** What the engine is given for them: files read, pictures at the size that is drawn (`soFar`). */
  input?(options: O, soFar: GenerateInput): Promise<Partial<GenerateInput>>;
}

export type RequestFields = Partial<GenerationInput>;
