import { EncoreError } from '../../contracts/errors.ts';
import { BytePairEncoding } from './byte-pair-encoding.ts';
import { readClipTokenizerFiles, type AddedToken, type ClipTokenizerFiles } from './clip-files.ts';

/** A text as the encoder reads it: start, words, end, padding. */
export interface EncodedText {
  /** Exactly as many as were asked for. */
  readonly ids: readonly number[];
  /** Tokens of the text alone, before anything was cut off. */
  readonly tokens: number;
  /** The end of the text that did not fit, as the tokenizer reads it; empty where all of it did. */
  readonly dropped: string;
}

/**
 * CLIP's tokenizer, id for id that of transformers 5 (models/clip/tokenization_clip.py): NFC, white space to single
 * spaces, lower case, words by CLIP's pattern, byte-level BPE with `</w>`.
 */
export class ClipTokenizer {
  readonly bosId: number;
  readonly eosId: number;
  readonly padId: number;
  /** Positions of the text encoder, bos and eos included. 77 for every Stable Diffusion. */
  readonly maxLength: number;
  private readonly bpe: BytePairEncoding;
  private readonly added: ReadonlyMap<string, AddedToken>;
  private readonly addedAsGiven: RegExp | undefined;
  private readonly addedNormalized: RegExp | undefined;

  constructor(files: ClipTokenizerFiles) {
    const id = (content: string) => files.added.get(content)!.id;
    this.bosId = id(files.special.bos_token);
    this.eosId = id(files.special.eos_token);
    this.padId = id(files.special.pad_token);
    this.maxLength = files.modelMaxLength ?? 77;
    this.bpe = new BytePairEncoding(files.vocabulary, files.merges, id(files.special.unk_token));
    // A token that is looked for in the cleaned text is itself cleaned.
    this.added = new Map(
      [...files.added].map(([content, token]) => [token.normalized ? normalize(content) : content, token]),
    );
    this.addedAsGiven = matcher(this.added, false);
    this.addedNormalized = matcher(this.added, true);
  }

  /** Throws `checkpoint_not_found`, `checkpoint_invalid`. */
  static async load(folder: string): Promise<ClipTokenizer> {
    return new ClipTokenizer(await readClipTokenizerFiles(folder));
  }

  /** Ids of the text alone: no start, no end, any length. */
  tokenize(text: string): number[] {
    const ids: number[] = [];
    for (const part of split(text, this.addedAsGiven, this.added)) {
      if (typeof part === 'number') {
        ids.push(part);
        continue;
      }
      for (const piece of split(normalize(part), this.addedNormalized, this.added)) {
        if (typeof piece === 'number') ids.push(piece);
        else for (const [word] of piece.matchAll(wordPattern)) ids.push(...this.bpe.encodeWord(word));
      }
    }
    return ids;
  }

  /** Start, text, end, cut or padded to `length` ids. Throws `invalid_parameter` for a length below 2. */
  encode(text: string, length = this.maxLength): EncodedText {
    if (!Number.isInteger(length) || length < 2) {
      throw new EncoreError('invalid_parameter', `a text needs at least 2 positions, got ${length}`);
    }
    const tokens = this.tokenize(text);
    const kept = tokens.slice(0, length - 2);
    const ids = [this.bosId, ...kept, this.eosId];
    while (ids.length < length) ids.push(this.padId);
    return { ids, tokens: tokens.length, dropped: this.decode(tokens.slice(length - 2)) };
  }

  /** Text of ids as CLIP sees it: lower case, single spaces, special tokens left out. */
  decode(ids: readonly number[]): string {
    const special = new Set([...this.added.values()].map((token) => token.id));
    return this.bpe.decode(ids.filter((id) => !special.has(id)));
  }
}

/** CLIP's pattern; \s is Unicode white space, as in Oniguruma, not JavaScript's \s (which has U+FEFF and lacks U+0085). */
const wordPattern = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu;

function normalize(text: string): string {
  const clean = text.normalize('NFC').replace(/\p{White_Space}+/gu, ' ');
  // Character by character: toLowerCase of a whole word would turn a final sigma into another letter.
  return Array.from(clean, (character) => character.toLowerCase()).join('');
}

/** Finds added tokens, longest first, with the white space they swallow. */
function matcher(added: ReadonlyMap<string, AddedToken>, normalized: boolean): RegExp | undefined {
  const contents = [...added].filter(([, token]) => token.normalized === normalized);
  if (contents.length === 0) return undefined;
  const alternatives = contents
    .sort(([a], [b]) => b.length - a.length)
    .map(([content, { lstrip, rstrip }]) => {
      const literal = content.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      return `${lstrip ? '\\p{White_Space}*' : ''}(?:${literal})${rstrip ? '\\p{White_Space}*' : ''}`;
    });
  return new RegExp(alternatives.join('|'), 'gu');
}

function* split(
  text: string,
  pattern: RegExp | undefined,
  added: ReadonlyMap<string, AddedToken>,
): Generator<string | number> {
  let end = 0;
  for (const match of pattern === undefined ? [] : text.matchAll(pattern)) {
    const token = added.get(match[0]) ?? added.get(match[0].trim());
    if (token === undefined) continue;
    if (match.index > end) yield text.slice(end, match.index);
    yield token.id;
    end = match.index + match[0].length;
  }
  if (end < text.length) yield text.slice(end);
}
