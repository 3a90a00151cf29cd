// Turns of the event loop. A quote costs this thread some pieces of work of about half a millisecond;
// answers of the engine, commits and requests come in bundles, and a bundle worked off at once keeps
// everybody else waiting for its whole length. Here each piece has a turn of its own: between two, the loop
// reads sockets and answers what is cheap.

/** Resolves when it is the caller's turn: one per turn of the loop, first come first served. */
export type Turn = () => Promise<void>;

export function createTurns(): Turn {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    const go = waiting.shift();
    // One that is added while it goes waits for the next turn: setImmediate sees to that.
    if (waiting.length > 0) setImmediate(next);
    go?.();
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(next);
    });
}

/** `work` with a turn before it begins and before its outcome is passed on. */
export function inTurn<In, Out>(turn: Turn, work: (asked: In) => Promise<Out>) {
  return async (asked: In): Promise<Out> => {
    await turn();
    const outcome = await work(asked);
    await turn();
    return outcome;
  };
}
