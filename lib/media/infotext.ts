/**
 * A1111's infotext: prompt, `Negative prompt: ...`, then one line of `Key: value` pairs. What this field's programs
 * write into pictures and read from them. Grammar: AUTOMATIC1111 modules/infotext_utils.py.
 */
export interface Infotext {
  prompt: string;
  negativePrompt: string;
  /** In the order of the file; names as they are written there. */
  fields: Map<string, string>;
}

const FIELD = /\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g;
/** A last line with fewer pairs is part of the prompt. */
const LEAST_FIELDS = 3;
const NEGATIVE = 'Negative prompt:';

export function writeInfotext({ prompt, negativePrompt, fields }: Infotext): string {
  const pairs = [...fields].map(([key, value]) => `${key}: ${quote(value)}`);
  const lines = [prompt];
  if (negativePrompt !== '') lines.push(`${NEGATIVE} ${negativePrompt}`);
  if (pairs.length > 0) lines.push(pairs.join(', '));
  return lines.join('\n');
}

/** Never fails: text that is no infotext is a prompt. */
export function parseInfotext(text: string): Infotext {
  const lines = text.trim().split(/\r?\n/);
  const fields = readFields(lines.at(-1) ?? '');
  if (fields !== null) lines.pop();
  const prompt: string[] = [];
  const negative: string[] = [];
  let into = prompt;
  for (const line of lines) {
    const trimmed = line.trim();
    if (trimmed.startsWith(NEGATIVE)) {
      into = negative;
      into.push(trimmed.slice(NEGATIVE.length).trim());
    } else {
      into.push(trimmed);
    }
  }
  return {
    prompt: prompt.join('\n').trim(),
    negativePrompt: negative.join('\n').trim(),
    fields: fields ?? new Map<string, string>(),
  };
}

function readFields(line: string): Map<string, string> | null {
  const matches = [...line.matchAll(FIELD)];
  if (matches.length < LEAST_FIELDS) return null;
  return new Map(matches.map((match) => [match[1] as string, unquote((match[2] as string).trim())]));
}

/** JSON quoting where the grammar would otherwise end or split the value. */
function quote(value: string): string {
  return /[,\n:]/.test(value) || value.startsWith('"') ? JSON.stringify(value) : value;
}

function unquote(value: string): string {
  if (!value.startsWith('"') || !value.endsWith('"') || value.length < 2) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
