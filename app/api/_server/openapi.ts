import { z } from 'zod';
import {
  capabilitiesSchema,
  generationListSchema,
  generationPatchSchema,
  healthSchema,
  installedListSchema,
  queueSchema,
} from '../../../lib/contracts/api.ts';
import { EncoreError, errorCodes, type ErrorCode } from '../../../lib/contracts/errors.ts';
import { eventSchema } from '../../../lib/contracts/events.ts';
import {
  assetSchema,
  generationParamsSchema,
  generationRequestSchema,
  generationSchema,
  planSchema,
  problemSchema,
  receiptSchema,
} from '../../../lib/contracts/generation.ts';
import {
  adapterSchema,
  installationListSchema,
  installationSchema,
  installRequestSchema,
  modelSchema,
} from '../../../lib/contracts/models.ts';
import {
  generationInputSchema,
  pictureSchema,
  uploadListSchema,
  uploadSchema,
} from '../../../lib/contracts/pictures.ts';
import {
  presetInputSchema,
  presetListSchema,
  presetPatchSchema,
  presetSchema,
  presetValuesSchema,
} from '../../../lib/contracts/presets.ts';
import {
  boardInputSchema,
  boardListSchema,
  boardSchema,
  bulkResultSchema,
  bulkSchema,
  pictureInfoSchema,
  settingsSchema,
} from '../../../lib/contracts/studio.ts';
import type { AnyOperation, ResponseSpec } from './operation.ts';

/** Schemas that get a name of their own; everything that holds one of them refers to it. */
const answers = z.registry<{ id: string }>();
answers.add(generationSchema, { id: 'Generation' });
answers.add(generationListSchema, { id: 'GenerationList' });
answers.add(generationParamsSchema, { id: 'GenerationParams' });
answers.add(planSchema, { id: 'Plan' });
answers.add(assetSchema, { id: 'Asset' });
answers.add(receiptSchema, { id: 'Receipt' });
answers.add(problemSchema, { id: 'Problem' });
answers.add(eventSchema, { id: 'Event' });
answers.add(modelSchema, { id: 'Model' });
answers.add(adapterSchema, { id: 'Adapter' });
answers.add(installedListSchema, { id: 'ModelList' });
answers.add(installationSchema, { id: 'Installation' });
answers.add(installationListSchema, { id: 'InstallationList' });
answers.add(pictureSchema, { id: 'Picture' });
answers.add(generationInputSchema, { id: 'InputPicture' });
answers.add(uploadSchema, { id: 'Upload' });
answers.add(uploadListSchema, { id: 'UploadList' });
answers.add(presetSchema, { id: 'Preset' });
answers.add(presetValuesSchema, { id: 'PresetValues' });
answers.add(presetListSchema, { id: 'PresetList' });
answers.add(queueSchema, { id: 'Queue' });
answers.add(healthSchema, { id: 'Health' });
answers.add(boardSchema, { id: 'Board' });
answers.add(boardListSchema, { id: 'BoardList' });
answers.add(bulkResultSchema, { id: 'BulkResult' });
answers.add(pictureInfoSchema, { id: 'PictureInfo' });
answers.add(settingsSchema, { id: 'Settings' });
answers.add(capabilitiesSchema, { id: 'Capabilities' });

/** Bodies differ from answers in that what has a default may be left out. */
const bodies = z.registry<{ id: string }>();
bodies.add(generationRequestSchema, { id: 'GenerationRequest' });
bodies.add(generationPatchSchema, { id: 'GenerationPatch' });

bodies.add(boardInputSchema, { id: 'BoardInput' });
bodies.add(bulkSchema, { id: 'Bulk' });
bodies.add(presetInputSchema, { id: 'PresetInput' });
bodies.add(presetPatchSchema, { id: 'PresetPatch' });
bodies.add(installRequestSchema, { id: 'InstallRequest' });

/** Refusals that every operation may answer with. */
const common: ErrorCode[] = [
  'invalid_request',
  'unauthorized',
  'forbidden_origin',
  'database_unavailable',
  'internal',
];

const ref = (id: string) => ({ $ref: `#/components/schemas/${id}` });

/**
 * The OpenAPI 3.1 document of the operations. Its schemas are JSON Schema 2020-12, which zod writes itself from the
 * very schemas that requests are parsed with.
 */
export function openApiDocument(operations: readonly AnyOperation[], version: string) {
  const uri = (id: string) => ref(id).$ref;
  const components = {
    ...z.toJSONSchema(bodies, { io: 'input', uri }).schemas,
    ...z.toJSONSchema(answers, { io: 'output', uri }).schemas,
  };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    (paths[operation.path] ??= {})[operation.method.toLowerCase()] = describe(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Encore',
      version,
      description: `Every refusal is \`application/problem+json\` (RFC 9457) with one of these codes: ${errorCodes.join(', ')}. A token is needed only where the studio was started with ENCORE_TOKEN.`,
    },
    servers: [{ url: '/api/v1' }],
    security: [{}, { token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: Object.fromEntries(
        Object.entries(components).map(([id, schema]) => [id, withoutIdentity(schema)]),
      ),
    },
  };
}

function describe(operation: AnyOperation) {
  const {
    id,
    tag,
    summary,
    description,
    params,
    query,
    body,
    examples = {},
    file,
    requestHeaders = {},
    responses,
  } = operation;
  const codes: ErrorCode[] = [...common, ...(operation.errors ?? [])];
  if (params !== undefined) codes.push('not_found');
  if (query !== undefined || body !== undefined) codes.push('invalid_parameter');
  if (body !== undefined || file !== undefined) codes.push('payload_too_large');
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(operation.open === true ? { security: [{}] } : {}),
    parameters: [
      ...parameters(params, 'path'),
      ...parameters(query, 'query'),
      ...Object.entries(requestHeaders).map(([name, meaning]) => ({
        name,
        in: 'header',
        description: meaning,
        schema: { type: 'string' },
      })),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: schemaOf(body, 'input'),
                examples: Object.fromEntries(
                  Object.entries(examples).map(([name, value]) => [name, { value }]),
                ),
              },
            },
          },
        }),
    ...(file === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            description: file.description,
            content: {
              'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
              ...(file.form === true ? { 'multipart/form-data': { schema: formSchema } } : {}),
            },
          },
        }),
    responses: {
      ...Object.fromEntries(Object.entries(responses).map(([status, spec]) => [status, response(spec)])),
      ...refusals(codes),
    },
  };
}

const formSchema = {
  type: 'object',
  required: ['file'],
  properties: { file: { type: 'string', format: 'binary' } },
};

function parameters(schema: z.ZodType | undefined, place: 'path' | 'query') {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output') {
  const name = answers.get(schema)?.id ?? bodies.get(schema)?.id;
  return name === undefined ? withoutIdentity(z.toJSONSchema(schema, { io })) : ref(name);
}

function response({ description, schema, contentType, headers = {} }: ResponseSpec) {
  const json = schema === undefined ? undefined : schemaOf(schema, 'output');
  const content =
    json !== undefined
      ? { 'application/json': { schema: json } }
      : contentType !== undefined
        ? Object.fromEntries([contentType].flat().map((type) => [type, { schema: { type: 'string' } }]))
        : undefined;
  return {
    description,
    ...(content === undefined ? {} : { content }),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, meaning]) => [
        name,
        { description: meaning, schema: { type: 'string' } },
      ]),
    ),
  };
}

function refusals(codes: readonly ErrorCode[]) {
  const byStatus: Record<number, ErrorCode[]> = {};
  for (const code of new Set(codes)) (byStatus[new EncoreError(code, '').status] ??= []).push(code);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, list]) => [
      status,
      { description: list.join(', '), content: { 'application/problem+json': { schema: ref('Problem') } } },
    ]),
  );
}

/** Inside an OpenAPI document the place says what a schema is called and which dialect it is written in. */
function withoutIdentity(schema: object): object {
  return Object.fromEntries(
    Object.entries(schema).filter(([key]) => !['$schema', '$id', 'id'].includes(key)),
  );
}
