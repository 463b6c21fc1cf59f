import { randomUUID } from 'node:crypto';
import { destination, pino, type Logger } from 'pino';
import type { z } from 'zod';
import { EncoreError, type ErrorCode } from '../../../lib/contracts/errors.ts';
import { getStudio } from '../../../lib/studio/services/index.ts';
import { checkOrigin, checkToken } from './access.ts';
import { readBody, readFile } from './body.ts';
import { type AnyOperation, type Method, methods, type Reply } from './operation.ts';
import { problemResponse } from './problem.ts';

interface RouteContext {
  params: Promise<Record<string, string | string[] | undefined>>;
}

export type RouteHandler = (request: Request, context: RouteContext) => Promise<Response>;

let logger: Logger | undefined;

function log(): Logger {
  // To stderr: what Next says of itself on stdout is not shown by `npm start`.
  return (logger ??= pino({ name: 'web', level: getStudio().env.logLevel }, destination(2)));
}

/** What a route file exports: a handler for every method, so that Next never answers one in a shape of its own. */
type Handlers = Record<Method | 'OPTIONS', RouteHandler>;

function handlers(handlerOf: (method: Method | 'OPTIONS') => RouteHandler): Handlers {
  return Object.fromEntries(
    ([...methods, 'OPTIONS'] as const).map((method) => [method, handlerOf(method)]),
  ) as Handlers;
}

/** The operations of one path; every other method is refused. */
export function routes(...operations: AnyOperation[]): Handlers {
  const served = operations.map(({ method }) => method);
  const allow = [...served, ...(served.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return handlers((method) => {
    if (method === 'OPTIONS')
      return () => Promise.resolve(new Response(null, { status: 204, headers: { allow } }));
    const operation = operations.find((candidate) => candidate.method === method);
    if (operation !== undefined) return serve(operation);
    return (request) => {
      const error = new EncoreError(
        'method_not_allowed',
        `${request.method.slice(0, 20)} is not one of ${allow}.`,
      );
      return Promise.resolve(problemResponse(error, { allow }));
    };
  });
}

/** For every address below /api that has no operation. */
export function nowhere(): Handlers {
  return handlers(() => (request) => {
    const { pathname } = new URL(request.url);
    const error = new EncoreError('not_found', `There is nothing at ${pathname.slice(0, 200)}.`, {
      remedy: 'GET /api/v1/openapi.json lists every address there is.',
    });
    return Promise.resolve(problemResponse(error));
  });
}

/** Turns an operation into the route handler that Next calls: access, schemas in, operation, schema out, one error shape. */
function serve(operation: AnyOperation): RouteHandler {
  return async (request, context) => {
    const requestId = randomUUID();
    try {
      const studio = getStudio();
      checkOrigin(request.headers, request.method, studio.env);
      if (operation.open !== true) checkToken(request.headers, studio.env);
      const params = parse(operation.params, await context.params, 'not_found');
      const query = parse(
        operation.query,
        Object.fromEntries(new URL(request.url).searchParams),
        'invalid_parameter',
      );
      const body =
        operation.body === undefined
          ? undefined
          : parse(operation.body, await readBody(request, operation.form), 'invalid_parameter');
      const { file, fileName } = await readFile(request, operation.file);
      const reply = await operation.run({
        file,
        fileName,
        params,
        query,
        body,
        headers: request.headers,
        signal: request.signal,
        studio,
      });
      return reply instanceof Response ? withId(reply, requestId) : write(operation, reply, requestId);
    } catch (cause) {
      return refuse(cause, operation, requestId);
    }
  };
}

function parse(schema: z.ZodType | undefined, value: unknown, code: ErrorCode): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const detail = errors
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
    .join('; ');
  throw new EncoreError(code, detail, { errors });
}

function write(operation: AnyOperation, { status, body, headers }: Reply, requestId: string): Response {
  const schema = operation.responses[status]?.schema;
  const json = schema === undefined ? body : schema.parse(body);
  return new Response(json === undefined ? null : JSON.stringify(json), {
    status,
    headers: {
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      'cache-control': 'no-store',
      'x-request-id': requestId,
      ...headers,
    },
  });
}

function withId(response: Response, requestId: string): Response {
  response.headers.set('x-request-id', requestId);
  return response;
}

/** What we did not foresee stays here, under the request's id; the client is told no more than that. */
function refuse(cause: unknown, operation: AnyOperation, requestId: string): Response {
  let error: EncoreError;
  if (cause instanceof EncoreError && cause.code !== 'internal') {
    error = cause;
    if (error.status >= 500)
      log().warn({ err: error, operation: operation.id, requestId }, 'request refused');
  } else {
    log().error({ err: cause, operation: operation.id, requestId }, 'request failed');
    error = new EncoreError('internal', `The request failed on our side. It is in the log as ${requestId}.`);
  }
  return problemResponse(error, { 'x-request-id': requestId });
}
