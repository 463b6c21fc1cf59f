import sharp from 'sharp';
import { EncoreError } from '../contracts/errors.ts';
import { readPlan } from '../contracts/plan.ts';
import { type PictureInfo, type Reusable, reusableSchema } from '../contracts/studio.ts';
import { readComfyGraph } from './comfy-graph.ts';
import { readExifTexts } from './exif.ts';
import { parseInfotext } from './infotext.ts';
import { JSON_KEYWORD } from './metadata.ts';
import { isPng, readChunks, readTexts } from './png-chunks.ts';
import { schedulerOfSampler } from './sampler-names.ts';
import { readComment } from './video-comment.ts';
import { readXmpJson } from './xmp.ts';

type Source = NonNullable<PictureInfo['source']>;
type Facts = { [K in keyof Reusable]?: unknown } & { sampler?: unknown; schedule?: unknown };
interface Found {
  source: Source;
  facts: Facts;
}

/**
 * What a picture, or the text out of one, of Encore, A1111 (and its kin), Fooocus, SwarmUI, ComfyUI, InvokeAI or NovelAI
 * says about how it was made. The pixels are not decoded. `params.model` is the name in the file: whether it is installed
 * is not known here.
 * @throws EncoreError `invalid_parameter` for what is no picture, or a damaged one
 */
export async function readPicture(file: Uint8Array): Promise<PictureInfo> {
  const raw = await readTextsOf(file);
  const found = interpret(raw);
  const { sampler, schedule, ...facts } = found?.facts ?? {};
  const samplerName = typeof sampler === 'string' ? sampler : null;
  if (samplerName !== null) {
    facts.scheduler ??= schedulerOfSampler(samplerName, typeof schedule === 'string' ? schedule : '');
  }
  return {
    source: found?.source ?? null,
    params: usable(facts),
    modelName: typeof facts.model === 'string' ? facts.model : null,
    samplerName,
    raw: Object.fromEntries(raw),
  };
}

async function readTextsOf(file: Uint8Array): Promise<Map<string, string>> {
  const text = readText(file);
  if (text !== null && fromParameters(text, false) !== null) return new Map([['parameters', text]]);
  const comment = readComment(file);
  if (comment !== null) return new Map([[comment.startsWith('{') ? JSON_KEYWORD : 'comment', comment]]);
  if (isPng(file)) return readTexts(readChunks(file));
  // sharp refuses an empty file before there is a promise.
  const { exif, xmp } = await Promise.resolve(file)
    .then((bytes) => sharp(bytes).metadata())
    .catch((cause: unknown) => {
      throw new EncoreError('invalid_parameter', 'This is not a picture that can be read.', {
        remedy: 'PNG, JPEG, WebP, AVIF and GIF files are.',
        cause,
      });
    });
  const texts = new Map<string, string>();
  const json = xmp === undefined ? null : readXmpJson(xmp.toString('utf8'));
  if (json !== null) texts.set(JSON_KEYWORD, json);
  if (exif === undefined) return texts;
  const { userComment, fields } = readExifTexts(exif);
  if (userComment !== null) texts.set('UserComment', userComment);
  for (const field of fields) {
    const match = /^(prompt|workflow):([\s\S]+)$/.exec(field);
    if (match !== null) texts.set(match[1] as string, match[2] as string);
  }
  return texts;
}

/** Longer than what any program writes. */
const MAX_TEXT_BYTES = 100_000;

/** The words of a file that is nothing but words: what is copied from a page, or lies beside a picture. */
function readText(file: Uint8Array): string | null {
  if (file.length > MAX_TEXT_BYTES || file.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file);
  } catch {
    return null;
  }
}

function interpret(raw: Map<string, string>): Found | null {
  const json = (key: string) => parseObject(raw.get(key));
  const encore = object(json(JSON_KEYWORD)?.params);
  if (encore !== null) return { source: 'encore', facts: encore };
  const invoke = json('invokeai_metadata');
  if (invoke !== null) return { source: 'invokeai', facts: fromInvoke(invoke) };
  const parameters = raw.get('parameters') ?? raw.get('UserComment');
  if (parameters !== undefined) return fromParameters(parameters, raw.has('fooocus_scheme'));
  const comfy = readComfyGraph(json('prompt'));
  if (comfy !== null) return { source: 'comfyui', facts: comfy };
  const novel = json('Comment');
  if (novel !== null && raw.get('Software')?.startsWith('NovelAI'))
    return { source: 'novelai', facts: fromNovel(novel) };
  return null;
}

/** SwarmUI and Fooocus write JSON where others write infotext. */
function fromParameters(text: string, fooocus: boolean): Found | null {
  const json = parseObject(text);
  const swarm = object(json?.sui_image_params);
  if (swarm !== null) return { source: 'swarmui', facts: fromSwarm(swarm) };
  if (json !== null) return { source: 'fooocus', facts: fromFooocus(json) };
  const { prompt: written, negativePrompt, fields } = parseInfotext(text);
  if (fields.size === 0) return null;
  const { prompt, loras } = takeLoras(written);
  const clipSkip = Number(fields.get('Clip skip'));
  const [width, height] = sizeOf(fields.get('Size'));
  const source = fields.get('Version')?.startsWith('Encore') ? 'encore' : fooocus ? 'fooocus' : 'a1111';
  return {
    source,
    facts: {
      prompt,
      negativePrompt,
      steps: fields.get('Steps'),
      guidanceScale: fields.get('CFG scale'),
      seed: fields.get('Seed'),
      width,
      height,
      model: fields.get('Model'),
      sampler: fields.get('Sampler'),
      schedule: fields.get('Schedule type'),
      // With the passes of the run behind it: `faster 9/50`.
      plan: readPlan(fields.get('Encoder propagation')?.replace(/ \d+\/\d+$/, '') ?? ''),
      injection: fields.get('Prior noise injection'),
      clipSkip: Number.isInteger(clipSkip) ? clipSkip - 1 : undefined,
      loras: loras.length === 0 ? undefined : loras,
    },
  };
}

/** `<lora:name:weight>` among the words, as A1111 has them; a second weight, for the text encoder, is not kept apart here. */
function takeLoras(text: string): { prompt: string; loras: { id: string; weight: number }[] } {
  const loras: { id: string; weight: number }[] = [];
  const prompt = text.replace(/ ?<lora:([^:<>]+)(?::(-?[\d.]+))?[^<>]*>/g, (_, id: string, weight = '1') => {
    loras.push({ id, weight: Number(weight) });
    return '';
  });
  return { prompt: prompt.trim(), loras };
}

function fromInvoke(json: Record<string, unknown>): Facts {
  const model = object(json.model);
  return {
    prompt: json.positive_prompt,
    negativePrompt: json.negative_prompt ?? undefined,
    seed: json.seed,
    steps: json.steps,
    guidanceScale: json.cfg_scale,
    width: json.width,
    height: json.height,
    sampler: json.scheduler,
    model: model?.name ?? model?.model_name,
  };
}

function fromSwarm(json: Record<string, unknown>): Facts {
  return {
    prompt: json.prompt,
    negativePrompt: json.negativeprompt,
    seed: json.seed,
    steps: json.steps,
    guidanceScale: json.cfgscale,
    width: json.width,
    height: json.height,
    sampler: json.sampler,
    schedule: json.scheduler,
    model: json.model,
  };
}

function fromFooocus(json: Record<string, unknown>): Facts {
  const [width, height] = sizeOf(json.resolution);
  return {
    prompt: json.prompt,
    negativePrompt: json.negative_prompt,
    seed: json.seed,
    steps: json.steps,
    guidanceScale: json.guidance_scale,
    width,
    height,
    sampler: json.sampler,
    schedule: json.scheduler,
    model: json.base_model,
  };
}

function fromNovel(json: Record<string, unknown>): Facts {
  return {
    prompt: json.prompt,
    negativePrompt: json.uc,
    seed: json.seed,
    steps: json.steps,
    guidanceScale: json.scale,
    width: json.width,
    height: json.height,
    sampler: json.sampler,
    schedule: json.noise_schedule,
  };
}

/** Each value by itself: one that is out of range here does not cost the others. */
function usable(facts: Facts): Reusable {
  const numbers = new Set<string>(['width', 'height', 'steps', 'guidanceScale', 'seed', 'injection']);
  const kept: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(reusableSchema.shape)) {
    const given = facts[key as keyof Reusable];
    const value =
      numbers.has(key) && typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
    const parsed = schema.safeParse(value);
    if (parsed.success && parsed.data !== undefined) kept[key] = parsed.data;
  }
  return kept;
}

/** `512x768`, `(1024, 1024)` or `1024×1024`. */
function sizeOf(text: unknown): [string?, string?] {
  const match = typeof text === 'string' ? /(\d+)\s*[x×,]\s*(\d+)/.exec(text) : null;
  return match === null ? [] : [match[1], match[2]];
}

function parseObject(text: string | undefined): Record<string, unknown> | null {
  if (text === undefined || !text.trimStart().startsWith('{')) return null;
  try {
    return object(JSON.parse(text));
  } catch {
    return null;
  }
}

function object(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
