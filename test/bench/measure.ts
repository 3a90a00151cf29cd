// Runs engines on cases: interleaved (A B C, A B C, …), a collected heap before each run, the first
// round thrown away. An engine that throws on a case has no plan there; ours must not.

import type { Case, Engine, Opened, Outcome, Times } from './rivals.ts';

/** What takes this long once is not run again: its first run is its figure. */
const SLOW_NS = 4e8;

export interface Measured {
  readonly item: Case;
  /** Nanoseconds by engine, then phase. */
  readonly samples: ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;
  readonly outcomes: ReadonlyMap<string, Outcome | null>;
}

/** One engine on one case. */
class Lane {
  readonly #session: Opened;
  readonly #roundsMax: number;
  readonly #mayFail: boolean;
  #failure: string | null = null;
  #rounds: Times[] = [];

  constructor(session: Opened, roundsMax: number, mayFail: boolean) {
    this.#session = session;
    this.#roundsMax = roundsMax;
    this.#mayFail = mayFail;
  }

  async run(): Promise<void> {
    const last = this.#rounds.at(-1)?.cold ?? 0;
    if (this.#failure !== null || this.#rounds.length >= this.#roundsMax || last > SLOW_NS) return;
    globalThis.gc?.({ type: 'minor' });
    try {
      this.#rounds.push(await this.#session.run());
    } catch (error) {
      if (!this.#mayFail) throw error;
      this.#failure = (error as Error).message.slice(0, 60);
    }
  }

  samples(): ReadonlyMap<string, readonly number[]> {
    const counted = this.#rounds.length > 1 ? this.#rounds.slice(1) : this.#rounds;
    const phases = new Set(this.#rounds.flatMap((times) => Object.keys(times)));
    return new Map(
      [...phases].map((phase) => {
        const of = (rounds: readonly Times[]) => rounds.flatMap((times) => times[phase] ?? []);
        // The exact certificate of a large problem is computed in the first round alone.
        const some = of(counted);
        return [phase, some.length > 0 ? some : of(this.#rounds)] as const;
      }),
    );
  }

  outcome(): Outcome | null {
    if (this.#failure === null) return this.#session.outcome();
    return { value: 0, gapBps: null, bound: null, invalid: this.#failure };
  }
}

export async function measure(
  engines: readonly Engine[],
  cases: readonly Case[],
  rounds: number,
): Promise<readonly Measured[]> {
  const opened: { readonly item: Case; readonly lanes: ReadonlyMap<string, Lane> }[] = [];
  for (const item of cases) {
    const lanes = new Map<string, Lane>();
    for (const [k, engine] of engines.entries()) {
      const session = await engine.open(item);
      if (session === null) continue;
      lanes.set(engine.name, new Lane(session, engine.roundsMax ?? rounds + 1, k > 0));
    }
    opened.push({ item, lanes });
  }
  for (let round = 0; round <= rounds; round++) {
    for (const { lanes } of opened) for (const lane of lanes.values()) await lane.run();
  }
  return opened.map(({ item, lanes }) => ({
    item,
    samples: new Map([...lanes].map(([name, lane]) => [name, lane.samples()])),
    outcomes: new Map([...lanes].map(([name, lane]) => [name, lane.outcome()])),
  }));
}
