import { EncoreError } from '../../contracts/errors.ts';

/** A pair of adjacent symbols that may be joined; earlier pairs in the list are joined first. */
export type Merge = readonly [left: string, right: string];

/** GPT-2's printable stand-in for each of the 256 bytes: bytes that print stand for themselves. */
const byteSymbols: readonly string[] = (() => {
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();
const byteOfSymbol = new Map(byteSymbols.map((symbol, byte) => [symbol, byte]));

/** Marks a symbol that ends a word. */
export const endOfWord = '</w>';

/** The first 512 tokens of CLIP, in its order: bytes that print, the other bytes, and all of them ending a word. */
export const baseSymbols: readonly string[] = (() => {
  const printing = byteSymbols.filter((symbol) => symbol.charCodeAt(0) < 256);
  const others = byteSymbols.filter((symbol) => symbol.charCodeAt(0) >= 256);
  const symbols = [...printing, ...others];
  return [...symbols, ...symbols.map((symbol) => symbol + endOfWord)];
})();

/**
 * Byte-level byte pair encoding with end-of-word marks (Sennrich et al., 2016; Radford et al., 2019), as in
 * tokenizers' `models/bpe`: the pair of lowest rank is joined first, among equals the leftmost.
 */
export class BytePairEncoding {
  private readonly vocabulary: ReadonlyMap<string, number>;
  private readonly ranks: ReadonlyMap<string, number>;
  private readonly unknownId: number;
  private readonly tokens = new Map<number, string>();
  private readonly cache = new Map<string, readonly number[]>();

  /** Throws `checkpoint_invalid` where a merge makes a token that the vocabulary lacks. */
  constructor(vocabulary: ReadonlyMap<string, number>, merges: readonly Merge[], unknownId: number) {
    this.vocabulary = vocabulary;
    this.unknownId = unknownId;
    this.ranks = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
    for (const [token, id] of vocabulary) this.tokens.set(id, token);
    for (const [left, right] of merges) {
      if (!vocabulary.has(left + right)) {
        throw new EncoreError(
          'checkpoint_invalid',
          `the merge "${left} ${right}" makes a token that is not in the vocabulary`,
        );
      }
    }
  }

  /** Ids of one word (no spaces inside). Symbols outside the vocabulary become the unknown id, one each. */
  encodeWord(word: string): readonly number[] {
    const known = this.cache.get(word);
    if (known !== undefined) return known;
    const ids = this.join(word).map((symbol) => this.vocabulary.get(symbol) ?? this.unknownId);
    // Prompts repeat words; hostile ones must not grow the cache without end.
    if (this.cache.size < 10_000) this.cache.set(word, ids);
    return ids;
  }

  /** Text of ids; word ends become spaces, bytes that are no UTF-8 become U+FFFD. */
  decode(ids: readonly number[]): string {
    const symbols = ids.map((id) => this.tokens.get(id) ?? '').join('');
    const words = symbols.split(endOfWord).map((part) => {
      const bytes = Array.from(part, (symbol) => byteOfSymbol.get(symbol)).filter((b) => b !== undefined);
      return Buffer.from(bytes).toString('utf8');
    });
    return words.join(' ').trim();
  }

  private join(word: string): string[] {
    const symbols = Array.from(Buffer.from(word, 'utf8'), (byte) => byteSymbols[byte]!);
    if (symbols.length === 0) return symbols;
    symbols[symbols.length - 1] += endOfWord;
    const rank = (i: number) => this.ranks.get(`${symbols[i]} ${symbols[i + 1]}`) ?? Infinity;
    const ranks = symbols.slice(1).map((_, i) => rank(i));
    for (;;) {
      let best = 0;
      for (let i = 1; i < ranks.length; i++) if (ranks[i]! < ranks[best]!) best = i;
      if ((ranks[best] ?? Infinity) === Infinity) return symbols;
      symbols.splice(best, 2, symbols[best]! + symbols[best + 1]!);
      ranks.splice(best, 1);
      if (best > 0) ranks[best - 1] = rank(best - 1);
      if (best < ranks.length) ranks[best] = rank(best);
    }
  }
}
