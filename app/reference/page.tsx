import type { Metadata } from 'next';
import { operations } from '../api/_operations/index.ts';
import type { AnyOperation } from '../api/_server/operation.ts';
import { openApiDocument } from '../api/_server/openapi.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { Prose } from '../_components/prose.tsx';
import { SchemaView, type JsonSchema } from './schema-view.tsx';
import styles from './reference.module.css';

export const metadata: Metadata = { title: 'API reference' };

const example = `curl http://127.0.0.1:3000/api/v1/generations \\
  -H 'Content-Type: application/json' \\
  -H 'Prefer: wait=30' \\
  -d '{"task": "text-to-image", "prompt": "a fox in a meadow"}'`;

/** The API for people, from the same declarations that answer its requests. */
export default function Page() {
  const document = openApiDocument(operations, packageJson.version);
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  const schemas = document.components.schemas as Record<string, JsonSchema>;
  return (
    <div className={styles.page}>
      <nav id="operations" className={styles.index} aria-label="Operations">
        {tags.map((tag) => (
          <div key={tag}>
            <p className={styles.tag}>{tag}</p>
            <ul>
              {operations
                .filter((operation) => operation.tag === tag)
                .map(({ id, summary }) => (
                  <li key={id}>
                    <a href={`#${id}`}>{summary}</a>
                  </li>
                ))}
            </ul>
          </div>
        ))}
        <div>
          <p className={styles.tag}>Schemas</p>
          <ul>
            {Object.keys(schemas).map((name) => (
              <li key={name}>
                <a href={`#schema-${name}`}>{name}</a>
              </li>
            ))}
          </ul>
        </div>
      </nav>
      <div className={styles.content}>
        <h1 className={styles.title}>API reference</h1>
        <p className={styles.jump}>
          <a href="#operations">All operations and schemas</a>
        </p>
        <p className={styles.lead}>
          Everything below <code>/api/v1</code>. The same as an{' '}
          <a href="/api/v1/openapi.json">OpenAPI {document.openapi.slice(0, 3)} description</a>. A first
          picture:
        </p>
        <pre className={styles.example} tabIndex={0}>
          <code>{example}</code>
        </pre>
        <p className={styles.lead}>
          A refusal is <code>application/problem+json</code> with a code from a closed list, a sentence and
          often a remedy. Where the studio was started with a token, send{' '}
          <code>Authorization: Bearer TOKEN</code>.
        </p>
        {operations.map((operation) => (
          <OperationView key={operation.id} operation={operation} paths={document.paths} />
        ))}
        <h2 className={styles.section}>Schemas</h2>
        {Object.entries(schemas).map(([name, schema]) => (
          <section key={name} id={`schema-${name}`} className={styles.operation} aria-label={name}>
            <h3 className={styles.summary}>{name}</h3>
            <SchemaView schema={schema} />
          </section>
        ))}
      </div>
    </div>
  );
}

interface Described {
  parameters: { name: string; in: string; required?: boolean; description?: string; schema: JsonSchema }[];
  requestBody?: {
    content: Record<string, { schema: JsonSchema; examples?: Record<string, { value: unknown }> }>;
  };
  responses: Record<string, { description: string; content?: Record<string, { schema: JsonSchema }> }>;
}

function OperationView({
  operation,
  paths,
}: {
  operation: AnyOperation;
  paths: Record<string, Record<string, unknown>>;
}) {
  const { id, method, path, summary, description } = operation;
  const { parameters, requestBody, responses } = paths[path]?.[method.toLowerCase()] as Described;
  const { schema: body, examples = {} } = requestBody?.content['application/json'] ?? {};
  return (
    <section id={id} className={styles.operation} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`} className={styles.summary}>
        {summary}
      </h2>
      <p className={styles.path}>
        <strong>{method}</strong> /api/v1{path}
      </p>
      {description !== undefined && (
        <p className={styles.text}>
          <Prose>{description}</Prose>
        </p>
      )}
      {parameters.length > 0 && (
        <>
          <h3 className={styles.part}>Parameters</h3>
          <dl className={styles.list}>
            {parameters.map((parameter) => (
              <div key={parameter.name}>
                <dt>
                  <code>{parameter.name}</code> <span>{parameter.in}</span>
                </dt>
                <dd>
                  {parameter.description === undefined ? (
                    <SchemaView schema={parameter.schema} />
                  ) : (
                    <Prose>{parameter.description}</Prose>
                  )}
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {body !== undefined && (
        <>
          <h3 className={styles.part}>Body</h3>
          <SchemaView schema={body} />
          {Object.entries(examples).map(([name, { value }]) => (
            <figure key={name} className={styles.sample}>
              <figcaption>{name}</figcaption>
              <pre className={styles.example} tabIndex={0}>
                <code>{JSON.stringify(value, null, 1)}</code>
              </pre>
            </figure>
          ))}
        </>
      )}
      <h3 className={styles.part}>Answers</h3>
      <dl className={styles.list}>
        {Object.entries(responses).map(([status, response]) => {
          const content = Object.entries(response.content ?? {})[0];
          return (
            <div key={status}>
              <dt>
                <code>{status}</code>
              </dt>
              <dd>
                <Prose>{response.description}</Prose>
                {content !== undefined && content[0] === 'application/json' && (
                  <>
                    {': '}
                    <SchemaView schema={content[1].schema} />
                  </>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}
