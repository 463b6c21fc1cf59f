import styles from './reference.module.css';

/** The part of JSON Schema that zod writes. */
export interface JsonSchema {
  $ref?: string;
  type?: string;
  enum?: (string | number | boolean | null)[];
  const?: string | number | boolean | null;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  required?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  multipleOf?: number;
  format?: string;
  description?: string;
}

/** An object as a list of its fields, anything else in one line. */
export function SchemaView({ schema }: { schema: JsonSchema }) {
  if (schema.properties === undefined) {
    return <TypeLine schema={schema} />;
  }
  const required = new Set(schema.required);
  return (
    <dl className={styles.fields}>
      {Object.entries(schema.properties).map(([name, field]) => (
        <div key={name}>
          <dt>
            <code>{name}</code>
            {!required.has(name) && <span> optional</span>}
          </dt>
          <dd>
            {field.properties === undefined ? <TypeLine schema={field} /> : <SchemaView schema={field} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function TypeLine({ schema }: { schema: JsonSchema }) {
  const name = schema.$ref?.split('/').at(-1);
  if (name !== undefined) return <a href={`#schema-${name}`}>{name}</a>;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    return choices.map((choice, index) => (
      <span key={index}>
        {index > 0 && ' or '}
        {choice.properties === undefined ? <TypeLine schema={choice} /> : <SchemaView schema={choice} />}
      </span>
    ));
  }
  if (schema.items !== undefined) {
    return (
      <>
        list of{' '}
        {schema.items.properties === undefined ? (
          <TypeLine schema={schema.items} />
        ) : (
          <SchemaView schema={schema.items} />
        )}
      </>
    );
  }
  if (typeof schema.additionalProperties === 'object') {
    return (
      <>
        names with <TypeLine schema={schema.additionalProperties} />
      </>
    );
  }
  return <>{describeValue(schema)}</>;
}

/** "integer, 1 to 1000, default 1" */
export function describeValue(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const parts = [
    schema.enum === undefined
      ? (schema.format ?? schema.type ?? 'anything')
      : schema.enum.map((value) => JSON.stringify(value)).join(', '),
  ];
  const isBounded = (value: number | undefined): value is number =>
    value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const { minimum, maximum, minLength, maxLength } = schema;
  if (isBounded(minimum) && isBounded(maximum)) parts.push(`${minimum} to ${maximum}`);
  else if (isBounded(minimum)) parts.push(`at least ${minimum}`);
  else if (isBounded(maximum)) parts.push(`at most ${maximum}`);
  if (minLength !== undefined && maxLength !== undefined)
    parts.push(`${minLength} to ${maxLength} characters`);
  else if (maxLength !== undefined) parts.push(`at most ${maxLength} characters`);
  if (schema.multipleOf !== undefined) parts.push(`a multiple of ${schema.multipleOf}`);
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.join(', ');
}
