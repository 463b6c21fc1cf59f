import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';

/** A number of things of which there is at least one. */
export const count = z.int().min(1);

/**
 * Loops over layers run this often before the first missing weight ends them: far above any model, far below a hang.
 */
export const layerCount = count.max(200);

/**
 * A component's config.json by its schema, which says what is built here.
 * @throws EncoreError `checkpoint_unsupported` naming the class, the field and its value
 */
export function parseConfig<T>(className: string, schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const value = JSON.stringify(issue.path.reduce<unknown>((at, key) => (at as never)?.[key], json));
  const field = ['config', ...issue.path].join('.');
  throw new EncoreError(
    'checkpoint_unsupported',
    `${className}: ${field} = ${(value ?? 'missing').slice(0, 100)}: ${issue.message}`,
  );
}
