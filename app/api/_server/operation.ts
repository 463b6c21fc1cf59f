import type { z } from 'zod';
import type { ErrorCode } from '../../../lib/contracts/errors.ts';
import type { Studio } from '../../../lib/studio/services/index.ts';

export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof methods)[number];

/** What an operation may answer with. `schema` is left out where the body is not JSON or there is none. */
export interface ResponseSpec {
  description: string;
  schema?: z.ZodType;
  /** Of a body that is not JSON: each type it may have. */
  contentType?: string | readonly string[];
  headers?: Record<string, string>;
}

export interface Input<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  /** The raw body of an operation that takes a file. */
  file: Uint8Array;
  /** What a form called the file; empty where the body was the file itself. */
  fileName: string;
  headers: Headers;
  /** Aborts when the client goes away. */
  signal: AbortSignal;
  studio: Studio;
}

/** A JSON answer, written through the response schema of its status. */
export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/**
 * One operation of the API: what it takes, what it answers, what it does. The route handler, the OpenAPI document and
 * the reference page are all made from it.
 */
export interface Operation<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
> {
  /** operationId */
  id: string;
  tag:
    'Generations' | 'Pictures' | 'Boards' | 'Presets' | 'Events' | 'Assets' | 'Queue' | 'Models' | 'Studio';
  method: Method;
  /** Below /api/v1, parameters in braces. */
  path: string;
  summary: string;
  description?: string;
  params?: Params;
  query?: Query;
  body?: Body;
  /** Bodies that work, by what they are for. A test parses them. */
  examples?: Record<string, z.input<Body>>;
  /** The body may also be a form of a page (`application/x-www-form-urlencoded`), and be so long. */
  form?: { maxBytes: number };
  /** Takes the bytes of a file for a body, at most so many; with `form` also as the one file of a form. */
  file?: { maxBytes: number; description: string; form?: boolean };
  /** Request headers with a meaning, name -> what it does. */
  requestHeaders?: Record<string, string>;
  responses: Record<number, ResponseSpec>;
  /** Refusals beyond those that any operation may give. */
  errors?: ErrorCode[];
  /** Answers without a token even where one is needed. */
  open?: boolean;
  run: (input: Input<z.infer<Params>, z.infer<Query>, z.infer<Body>>) => Promise<Reply | Response>;
}

export function defineOperation<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  operation: Operation<Params, Query, Body>,
): Operation<Params, Query, Body> {
  return operation;
}

/** Any operation, for code that treats all alike. */
export type AnyOperation = Omit<Operation, 'run'> & {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the input was parsed by the operation's own schemas
  run: (input: any) => Promise<Reply | Response>;
};
