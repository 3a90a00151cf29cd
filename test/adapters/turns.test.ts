// Turns of the event loop: one waiter each, in their order, and other work gets between.

import { describe, expect, it } from 'vitest';
import { createTurns, inTurn } from '../../solver/adapters/turns.ts';

describe('turns', () => {
  it('behavior: a bundle is worked off in its order, one per turn of the loop', async () => {
    const turn = createTurns();
    const seen: string[] = [];
    const work = inTurn(turn, async (name: string) => {
      seen.push(name);
      setImmediate(() => seen.push(`after ${name}`));
      return name.toUpperCase();
    });
    expect(await Promise.all(['a', 'b', 'c'].map(work))).toEqual(['A', 'B', 'C']);
    expect(seen.filter((entry) => !entry.startsWith('after'))).toEqual(['a', 'b', 'c']);
    // What `a` left to the loop came before `c` began.
    expect(seen.indexOf('after a')).toBeLessThan(seen.indexOf('c'));
  });

  it('behavior: who comes later, or from within a turn, is served too', async () => {
    const turn = createTurns();
    await turn();
    await Promise.all([turn().then(turn), turn()]);
    await new Promise((done) => setTimeout(done, 5));
    await turn();
  });

  it('error: a failure reaches the caller and nobody else waits for it', async () => {
    const turn = createTurns();
    const work = inTurn(turn, async (fails: boolean) => {
      if (fails) throw new Error('no');
      return 1;
    });
    const [first, second] = await Promise.allSettled([work(true), work(false)]);
    expect([first?.status, second?.status]).toEqual(['rejected', 'fulfilled']);
  });
});
