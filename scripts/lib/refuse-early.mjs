/**
 * Imported first by the web process. Next answers some requests with a bare 500 before any code of ours sees them: methods
 * that a `Request` cannot have (TRACE), and addresses whose percent signs are no UTF-8. They get the shape of every other
 * refusal.
 */
import { Server } from 'node:http';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const next = Server.prototype.emit;
Server.prototype.emit = function emit(event, ...args) {
  const [request, response] = args;
  const refusal = event === 'request' ? refusalOf(request) : undefined;
  if (refusal === undefined) return next.call(this, event, ...args);
  const { code, headers, ...problem } = refusal;
  response.writeHead(problem.status, { 'content-type': 'application/problem+json', ...headers });
  response.end(JSON.stringify({ type: `/problems/${code}`, code, ...problem, errors: [] }));
  return true;
};

function refusalOf({ method, url }) {
  if (!methods.includes(method)) {
    return {
      code: 'method_not_allowed',
      title: 'This address does not take that method',
      status: 405,
      detail: `No address here takes ${method}.`,
      headers: { allow: methods.join(', ') },
    };
  }
  try {
    decodeURI(url.split('?')[0]);
    return undefined;
  } catch {
    return {
      code: 'invalid_request',
      title: 'The request is not valid',
      status: 400,
      detail: 'The address has percent signs in it that stand for no text.',
    };
  }
}
