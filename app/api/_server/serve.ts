import { randomUUID } from 'node:crypto';
import { pino, type Logger } from 'pino';
import type { z } from 'zod';
import { EncoreError, type ErrorCode } from '../../../lib/contracts/errors.ts';
import { getStudio, toProblem } from '../../../lib/studio/services/index.ts';
import { checkOrigin, checkToken } from './access.ts';
import { readBody, readFile } from './body.ts';
import type { AnyOperation, Reply } from './operation.ts';

interface RouteContext {
  params: Promise<Record<string, string | string[] | undefined>>;
}

export type RouteHandler = (request: Request, context: RouteContext) => Promise<Response>;

let logger: Logger | undefined;

function log(): Logger {
  return (logger ??= pino({ name: 'web', level: getStudio().env.logLevel }));
}

/** Turns an operation into the route handler that Next calls: access, schemas in, operation, schema out, one error shape. */
export function serve(operation: AnyOperation): RouteHandler {
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
  return new Response(JSON.stringify(toProblem(error)), {
    status: error.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-request-id': requestId,
      ...(error.code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}),
      ...(error.code === 'queue_full' || error.code === 'database_unavailable' ? { 'retry-after': '5' } : {}),
    },
  });
}
