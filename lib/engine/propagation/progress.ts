/**
 * How far a run is, in multiply-accumulates, and what is left of it in seconds. A key step counts for more than a
 * decoded one and the VAE counts too, so that a bar moves evenly.
 *
 * The estimate assumes that what is left runs at the speed measured since the first `begin`; the first call of each
 * kind is slower (its graph is opened then), so its time counts only until a second call of that kind was measured.
 */
export class CostMeter {
  private readonly total: number;
  private done = 0;
  private readonly now: () => number;
  private readonly warm = new Map<string, { cost: number; seconds: number }>();
  private readonly cold = new Map<string, { cost: number; seconds: number }>();

  /** `now` in milliseconds. */
  constructor(total: number, now: () => number = () => performance.now()) {
    this.total = total;
    this.now = now;
  }

  /** Runs one piece of work and books its cost and its time under its kind. */
  async measure<T>(kind: string, cost: number, work: () => Promise<T>): Promise<T> {
    const start = this.now();
    const result = await work();
    const seconds = (this.now() - start) / 1000;
    this.done += cost;
    if (!this.cold.has(kind)) this.cold.set(kind, { cost, seconds });
    else {
      const sum = this.warm.get(kind) ?? { cost: 0, seconds: 0 };
      this.warm.set(kind, { cost: sum.cost + cost, seconds: sum.seconds + seconds });
    }
    return result;
  }

  /** 0 to 1. */
  get fraction(): number {
    return this.total === 0 ? 1 : Math.min(this.done / this.total, 1);
  }

  /** null before anything was measured. */
  get etaSeconds(): number | null {
    const measured = [...this.cold.keys()].map((kind) => this.warm.get(kind) ?? this.cold.get(kind)!);
    const cost = measured.reduce((sum, entry) => sum + entry.cost, 0);
    if (cost === 0) return null;
    const seconds = measured.reduce((sum, entry) => sum + entry.seconds, 0);
    return (Math.max(this.total - this.done, 0) * seconds) / cost;
  }
}
