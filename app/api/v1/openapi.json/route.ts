import { operations } from '../../_operations/index.ts';
import { openApiDocument } from '../../_server/openapi.ts';
import packageJson from '../../../../package.json' with { type: 'json' };

let document: string | undefined;

/** Says nothing that the source does not say too, so anyone may read it. */
export function GET(): Response {
  document ??= JSON.stringify(openApiDocument(operations, packageJson.version), null, 2);
  return new Response(document, {
    headers: { 'content-type': 'application/json', 'cache-control': 'no-cache' },
  });
}
