// What quotes on one market share changes nothing: every problem, digest, result and offer is byte for
// byte that of a quoter which met the market for the first time.

import { describe, expect, it } from 'vitest';
import { verify } from '../../solver/certificate/verify.ts';
import { canonicalJson } from '../../solver/market/jsonText.ts';
import { keccakOf } from '../../solver/market/keccak.ts';
import { parseProblemText, problemDigest } from '../../solver/market/problemFile.ts';
import { parseResultText } from '../../solver/market/resultFile.ts';
import { shareProblem } from '../../solver/market/sharedProblem.ts';
import { solveProblem } from '../../solver/quoting/solve.ts';
import { present } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import type { RebalanceRequest } from '../../solver/types/service.ts';
import { random } from '../engine/generate.ts';
import { balanced, engine, makeWorld, units } from './world.ts';

function requests(count: number, seed: number) {
  const rng = random(seed);
  return Array.from({ length: count }, (_, k) => {
    const first = rng.integer(1, 90) * 100;
    const second = rng.integer(0, (10_000 - first) / 100) * 100;
    const weights = [first, second, 10_000 - first - second];
    const request: RebalanceRequest = {
      ...balanced,
      ...(k % 5 === 4 ? { scope: { chains: [31338, 31340] } } : {}),
      targets: balanced.targets.map((target, i) => ({ ...target, weightBps: weights[i] ?? 0 })),
    };
    return { request, weth: units('WETH', rng.integer(1, 40)) };
  });
}

async function ask(
  world: ReturnType<typeof makeWorld>,
  { request, weth }: ReturnType<typeof requests>[number],
) {
  world.balances.set('31338:WETH', weth);
  const before = world.stored.length;
  const quote = await world.quoter.quote(request);
  return isRefusal(quote) ? quote.refused : present(world.stored[before], 'a stored quote');
}

describe('quotes on one market', () => {
  it('property: are those of a quoter that never met it (seed 20)', async () => {
    const one = makeWorld();
    let offered = 0;
    for (const item of requests(40, 20)) {
      const [shared, alone] = [await ask(one, item), await ask(makeWorld(), item)];
      if (typeof shared === 'string' || typeof alone === 'string') {
        expect(shared).toBe(alone);
        continue;
      }
      offered++;
      expect(shared.problem).toBe(alone.problem);
      expect(shared.result).toBe(alone.result);
      const problem = parseProblemText(shared.problem);
      expect(shared.problem).toBe(canonicalJson(problem.source));
      expect(shared.result).toBe(canonicalJson(solveProblem(engine, problem)));
      expect(verify(problem, parseResultText(shared.result))).toEqual({ ok: true });
      const { head = '', objective = '', tail = '' } = shared.problemText ?? {};
      expect(head + objective + tail).toBe(shared.problem);
    }
    expect(offered).toBeGreaterThan(20);
    const texts = one.stored.map(({ problemText }) => problemText?.shared);
    expect(new Set(texts).size).toBeLessThan(4);
  });

  it('behavior: pools, prices, inventory and gas that change are seen at once', async () => {
    const world = makeWorld();
    const [item] = requests(1, 3);
    const first = await ask(world, present(item, 'a request'));
    const market = present(world.markets.get(present([...world.markets.keys()][0], 'chain')), 'm');
    market.gasPrice *= 3n;
    const dearer = await ask(world, present(item, 'a request'));
    world.reserved.set('31338:USDC', units('USDC', 1));
    const scarcer = await ask(world, present(item, 'a request'));
    market.pools = market.pools.slice(1);
    const fewer = await ask(world, present(item, 'a request'));
    const texts = [first, dearer, scarcer, fewer].map((quote) =>
      typeof quote === 'string' ? quote : quote.problemText?.shared,
    );
    expect(new Set(texts).size).toBe(4);
  });
});

describe('shareProblem', () => {
  it('property: text and digest are the canonical ones, with and without groups and settings', () => {
    const problem = {
      version: 1 as const,
      nodes: ['a', 'b'].map((id) => ({ id, asset: id, chain: 1, decimals: 6, price: '1' })),
      venues: [],
      objective: { kind: 'swap' as const, sell: { node: 'a', amount: '5' }, buy: 'b' },
    };
    for (const more of [
      {},
      { settings: { workMax: 7 } },
      { groups: [] },
      { groups: [], settings: {} },
    ]) {
      const file = { ...problem, ...more };
      const objective = { ...problem.objective, sell: { node: 'a', amount: '77' } };
      const { parsed, text } = shareProblem(file).with(objective);
      expect(text.head + text.objective + text.tail).toBe(canonicalJson({ ...file, objective }));
      expect(parsed.digest).toBe(problemDigest({ ...file, objective }));
      const { objective: _, ...market } = file;
      expect(text.shared).toBe(keccakOf(canonicalJson(market)));
    }
  });
});
