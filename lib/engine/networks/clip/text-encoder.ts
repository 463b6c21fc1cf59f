import type { WeightSource } from '../../checkpoint/weight-source.ts';
import { EncoreError } from '../../../contracts/errors.ts';
import { float32, int64 } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { Sessions } from '../sessions.ts';
import type { OpenGraph } from '../sessions.ts';
import { buildClipText } from './build.ts';
import type { ClipTextConfig } from './config.ts';

export interface EncodedText {
  /** [R, L, D], after the final norm. */
  lastHiddenState: Tensor<'float32'>;
  /** [R, D], at the end token. */
  pooled: Tensor<'float32'>;
  /** [R, P], where the model has a projection. */
  textEmbeds: Tensor<'float32'> | null;
}

/** Vectors read instead of the id at their position. */
export type Inserted = ReadonlyMap<number, Float32Array>;

/** CLIPTextModel, with one session per number of rows and tokens. */
export class ClipTextEncoder {
  readonly config: ClipTextConfig;
  private readonly weights: WeightSource;
  private readonly sessions: Sessions;

  constructor(config: ClipTextConfig, weights: WeightSource, open: OpenGraph) {
    this.config = config;
    this.weights = weights;
    this.sessions = new Sessions(open);
  }

  /**
   * Rows of token ids, all of one length of at most `config.positions`. Throws `invalid_parameter` for ids outside the
   * vocabulary, rows of different lengths and too many tokens. `inserted` has one entry for each row, or none; its vectors
   * are `config.width` wide.
   */
  async encode(
    rows: readonly (readonly number[])[],
    clipSkip = 0,
    inserted: readonly Inserted[] = [],
  ): Promise<EncodedText> {
    const tokens = rows[0]?.length ?? 0;
    const { vocabulary } = this.config;
    if (tokens === 0 || rows.some((row) => row.length !== tokens)) {
      throw new EncoreError(
        'invalid_parameter',
        `token rows must have one length, got ${rows.map((r) => r.length).join(', ')}`,
      );
    }
    const foreign = rows.flat().find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
    if (foreign !== undefined) {
      throw new EncoreError(
        'invalid_parameter',
        `token ${foreign} is not in the vocabulary of ${vocabulary}`,
        {
          remedy: 'Check that the tokenizer and the text encoder belong together.',
        },
      );
    }
    const inserts = inserted.some((row) => row.size > 0);
    const size = { rows: rows.length, tokens, clipSkip, inserts, weights: this.weights };
    const ids = int64([rows.length, tokens], rows.flat());
    const feeds = { input_ids: ids, ...(inserts ? this.insertFeeds(rows.length, tokens, inserted) : {}) };
    const key = `${rows.length} ${tokens} ${clipSkip} ${inserts}`;
    const build = () => buildClipText(this.config, size);
    const out = await this.sessions.with(key, build, (session) => session.run(feeds));
    return {
      lastHiddenState: out['last_hidden_state'] as Tensor<'float32'>,
      pooled: out['pooler_output'] as Tensor<'float32'>,
      textEmbeds: (out['text_embeds'] as Tensor<'float32'> | undefined) ?? null,
    };
  }

  private insertFeeds(rows: number, tokens: number, inserted: readonly Inserted[]) {
    const { width } = this.config;
    const kept = float32([rows, tokens, 1], new Float32Array(rows * tokens).fill(1));
    const vectors = float32([rows, tokens, width]);
    inserted.forEach((row, r) => {
      for (const [position, vector] of row) {
        kept.data[r * tokens + position] = 0;
        vectors.data.set(vector, (r * tokens + position) * width);
      }
    });
    return { kept, inserted: vectors };
  }

  async dispose(): Promise<void> {
    await this.sessions.dispose();
  }
}
