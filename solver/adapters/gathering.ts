// Calls that come at the same time go to the database together: one statement, one round trip, and one
// commit for all of them. Each call's answer stays its own. What fails for all is tried again one by one
// where the server itself undid it, so that nobody's mistake is anybody else's. Keeps no answers.

import { assert } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';

/** Calls that wait at most; the next one is told that the store is too busy. */
const WAITING_MAX = 10_000;

export interface Gathering {
  /** Calls in one statement at most. */
  readonly itemsMax: number;
  /** Statements at one time at most. */
  readonly runsMax: number;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  done(answer: Answer): void;
  failed(error: unknown): void;
}

/**
 * `run` answers its items in their order, and must have changed nothing where it throws anything but
 * Fault `storeUnavailable`. Those that come while `runsMax` run wait for one of them to end.
 */
export function gathering<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  { itemsMax, runsMax }: Gathering,
): (item: Item) => Promise<Answer> {
  const waiting: Waiting<Item, Answer>[] = [];
  let runs = 0;
  let scheduled = false;

  const perform = async (batch: readonly Waiting<Item, Answer>[]): Promise<void> => {
    try {
      const answers = await run(batch.map(({ item }) => item));
      assert(answers.length === batch.length, `${answers.length} answers of ${batch.length}`);
      handOut(batch, answers);
    } catch (error) {
      if (batch.length === 1 || !isUndone(error)) {
        for (const { failed } of batch) failed(error);
        return;
      }
      for (const one of batch) await perform([one]);
    }
  };
  const next = (): void => {
    scheduled = false;
    while (runs < runsMax && waiting.length > 0) {
      runs += 1;
      void perform(waiting.splice(0, itemsMax)).finally(() => {
        runs -= 1;
        schedule();
      });
    }
  };
  /** After whatever else came in with this one has had its say. */
  const schedule = () => {
    if (scheduled || runs >= runsMax || waiting.length === 0) return;
    scheduled = true;
    setImmediate(next);
  };
  return (item) =>
    new Promise((done, failed) => {
      if (waiting.length >= WAITING_MAX) {
        const message = `${waiting.length} calls wait for the database`;
        throw new Fault(message, { code: 'storeUnavailable' });
      }
      waiting.push({ item, done, failed });
      schedule();
    });
}

/** The server said so: the statement's transaction was rolled back. */
const isUndone = (error: unknown): boolean =>
  error instanceof Fault && (error.code === 'storeFailed' || error.code === 'storeConflict');

/** One a turn of the event loop: what a caller does next may be long, and the server can work meanwhile. */
function handOut<Answer>(
  batch: readonly Waiting<unknown, Answer>[],
  answers: readonly Answer[],
  from = 0,
): void {
  batch[from]?.done(answers[from] as Answer);
  if (from + 1 < batch.length) setImmediate(() => handOut(batch, answers, from + 1));
}
