// The strict reader of problem files: what it accepts, and the pointer of every refusal.

import { readFileSync } from 'node:fs';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../solver/market/jsonText.ts';
import { parseProblem, parseProblemText } from '../../solver/market/problemFile.ts';
import { parseResult } from '../../solver/market/resultFile.ts';
import { InvalidInput } from '../../solver/types/errors.ts';

/** A small problem that uses every venue kind, as plain JSON. */
function swapProblem() {
  return {
    version: 1,
    nodes: [
      { id: '1:A', asset: 'A', chain: 1, decimals: 18, price: '3000.5' },
      { id: '1:B', asset: 'B', chain: 1, decimals: 6, price: '1' },
      { id: '2:B', asset: 'B', chain: 2, decimals: 18 },
    ],
    venues: [
      {
        id: 'cp',
        kind: 'constantProduct',
        nodes: ['1:A', '1:B'],
        reserves: ['5', '6'],
        feePips: 3000,
        fixedCost: '0.12',
      },
      {
        id: 'v3',
        kind: 'concentrated',
        nodes: ['1:A', '1:B'],
        sqrtPriceX96: (2n ** 96n + 5n).toString(),
        tick: 0,
        liquidity: '700',
        feePips: 500,
        ticks: [
          [-20, '500'],
          [-10, '200'],
          [10, '-200'],
          [30, '-500'],
        ],
        fixedCost: '0',
      },
      {
        id: 'ord',
        kind: 'order',
        nodes: ['1:B', '1:A'],
        amountIn: '3',
        amountOut: '2',
        fixedCost: '0',
      },
      {
        id: 'br',
        kind: 'bridge',
        nodes: ['1:B', '2:B'],
        feePips: 100,
        fixedFee: '0',
        capacity: '9',
        fixedCost: '1',
      },
      {
        id: 'w',
        kind: 'weighted',
        nodes: ['2:B', '1:A', '1:B'],
        balances: ['1', (2n ** 112n - 1n).toString(), '7'],
        weights: ['10000000000000000', '490000000000000000', '500000000000000000'],
        scalingFactors: ['1000000000000000000', '1', (10n ** 30n).toString()],
        swapFee: '999999999999999999',
        fixedCost: '0',
      },
      {
        id: 's',
        kind: 'stable',
        nodes: ['1:B', '2:B'],
        balances: ['5', '6'],
        amplification: '5000000',
        amplificationPrecision: '1000',
        scalingFactors: [(10n ** 30n).toString(), '1048000000000000000'],
        swapFee: '0',
        fixedCost: '0.2',
      },
    ],
    groups: [{ id: 'message:1→2', fixedCost: '0.9', venues: ['br', 'ord'] }],
    objective: { kind: 'swap', sell: { node: '1:A', amount: '10' }, buy: '1:B' },
    settings: { gapBps: '0.01', workMax: 2000, venueInputCap: '1.05' },
  };
}

const rebalance = (over: object) => ({
  ...swapProblem(),
  objective: {
    kind: 'rebalance',
    holdings: { '1:A': '5' },
    targets: [
      { nodes: ['1:A'], weight: '0.5' },
      { nodes: ['1:B'], weight: '0.5' },
    ],
    ...over,
  },
});

type Path = readonly (string | number)[];

/** The problem with the value at `path` replaced (deleted when undefined). */
function changed(path: Path, value: unknown, base: object = swapProblem()): unknown {
  const copy = structuredClone(base) as Record<string | number, unknown>;
  let holder = copy;
  for (const key of path.slice(0, -1)) holder = holder[key] as typeof holder;
  const last = path.at(-1) ?? '';
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

function pointerOf(read: () => unknown): string {
  try {
    read();
    return 'accepted';
  } catch (error) {
    if (error instanceof InvalidInput) return error.pointer;
    throw error;
  }
}

const TICKS = ['venues', 1, 'ticks'];
/** Path, wrong value, and the pointer where it differs from the path itself. */
const REFUSED: readonly (readonly [Path, unknown, string?])[] = [
  [['version'], 2],
  [['version'], undefined],
  [['extra'], 1],
  [['nodes'], []],
  [['nodes', 0, 'id'], ''],
  [['nodes', 0, 'id'], 'a\u0000b'],
  [['nodes', 1, 'id'], '1:A'],
  [['nodes', 0, 'chain'], 0],
  [['nodes', 0, 'chain'], '1'],
  [['nodes', 0, 'decimals'], 37],
  [['nodes', 0, 'decimals'], 1.5],
  [['nodes', 0, 'price'], '0'],
  [['nodes', 0, 'price'], '-1'],
  [['nodes', 0, 'price'], '1e3'],
  [['nodes', 0, 'price'], 3000],
  [['nodes', 0, 'price'], `0.${'1'.repeat(37)}`],
  [['nodes', 0, 'price'], '01'],
  [['nodes', 0, 'symbol'], 'A'],
  [['venues', 0, 'kind'], 'curve'],
  [['venues', 0, 'kind'], 'weighted', '/venues/0/reserves'],
  [['venues', 0, 'kind'], 'toString'],
  [['venues', 0, 'nodes'], ['1:A']],
  [['venues', 0, 'nodes', 1], 'nowhere'],
  [['venues', 0, 'nodes', 1], '1:A'],
  [['venues', 0, 'reserves', 0], '0'],
  [['venues', 0, 'reserves', 0], (2n ** 112n).toString()],
  [['venues', 0, 'reserves', 0], 5],
  [['venues', 0, 'reserves', 0], '-5'],
  [['venues', 0, 'reserves', 0], '9'.repeat(5000)],
  [['venues', 0, 'feePips'], 1_000_000],
  [['venues', 0, 'fixedCost'], '-0.1'],
  [['venues', 0, 'fixedCost'], undefined],
  [['venues', 0, 'amountIn'], '1'],
  [['venues', 3, 'id'], 'cp'],
  [['venues', 1, 'sqrtPriceX96'], '1'],
  [['venues', 1, 'tick'], 1],
  [['venues', 1, 'liquidity'], '699'],
  [['venues', 1, 'liquidity'], (2n ** 128n).toString()],
  [[...TICKS, 1, 0], -20],
  [[...TICKS, 0, 0], -887_273],
  [[...TICKS, 3, 1], '-499'],
  [[...TICKS, 2, 1], '-701'],
  [[...TICKS, 2, 1], '--1'],
  [TICKS, [], '/venues/1/liquidity'],
  [['venues', 1, 'tickSpacing'], 0],
  [['venues', 1, 'tickSpacing'], 16_384],
  [['venues', 1, 'tickSpacing'], '10'],
  [['venues', 1, 'tickSpacing'], 20, '/venues/1/ticks/1/0'],
  [['venues', 0, 'tickSpacing'], 10],
  [['venues', 4, 'nodes', 2], '2:B'],
  [['venues', 4, 'nodes', 2], 'nowhere'],
  [['venues', 4, 'nodes'], ['1:A']],
  [['venues', 4, 'nodes'], ['1:A', '1:B'], '/venues/4/weights'],
  [['venues', 4, 'nodes'], Array.from({ length: 9 }, () => '1:A')],
  [
    ['venues', 4, 'weights'],
    ['500000000000000000', '500000000000000000'],
  ],
  [['venues', 4, 'weights', 1], '490000000000000001', '/venues/4/weights'],
  [['venues', 4, 'weights', 0], '9999999999999999'],
  [['venues', 4, 'balances', 0], '0'],
  [['venues', 4, 'balances', 0], (2n ** 112n).toString()],
  [['venues', 4, 'scalingFactors', 1], '0'],
  [['venues', 4, 'scalingFactors', 1], (2n ** 144n).toString()],
  [['venues', 4, 'swapFee'], '1000000000000000000'],
  [['venues', 4, 'mathVersion'], 3],
  [['venues', 4, 'mathVersion'], '2'],
  [['venues', 5, 'mathVersion'], 2],
  [['venues', 4, 'amplification'], '1'],
  [['venues', 5, 'nodes'], Array.from({ length: 6 }, () => '1:A')],
  [['venues', 5, 'amplification'], '999'],
  [['venues', 5, 'amplification'], '5000001'],
  [['venues', 5, 'amplificationPrecision'], '0'],
  [['venues', 5, 'swapFee'], '-1'],
  [['venues', 5, 'scalingFactors'], ['1']],
  [
    ['venues', 5, 'weights'],
    ['1', '1'],
  ],
  [['venues', 2, 'amountIn'], '0'],
  [['venues', 3, 'capacity'], (2n ** 256n).toString()],
  [['groups', 0, 'venues', 0], 'nowhere'],
  [['groups', 0, 'venues', 1], 'br'],
  [['groups', 0, 'venues'], []],
  [['objective', 'kind'], 'lottery'],
  [['objective', 'sell', 'amount'], '0'],
  [['objective', 'sell', 'node'], '2:B'],
  [['objective', 'buy'], '1:A'],
  [['settings', 'workMax'], 0],
  [['settings', 'venueInputCap'], '0'],
  [['settings', 'speed'], 1],
];

describe('parseProblem', () => {
  it('default: indices, bigints and ranges', () => {
    const problem = parseProblem(swapProblem());
    expect(problem.venues.map(({ nodes }) => nodes)).toEqual([
      [0, 1],
      [0, 1],
      [1, 0],
      [1, 2],
      [2, 0, 1],
      [1, 2],
    ]);
    const [, pool, , bridge, weighted, stable] = problem.venues;
    expect(weighted).toMatchObject({
      balances: [1n, 2n ** 112n - 1n, 7n],
      swapFee: 10n ** 18n - 1n,
      mathVersion: 2,
    });
    expect(stable).toMatchObject({ amplification: 5_000_000n, amplificationPrecision: 1000n });
    expect(pool).toMatchObject({ rangeIndex: 1, tickSpacing: 10 });
    expect(pool?.kind === 'concentrated' && pool.ranges.map(({ liquidity }) => liquidity)).toEqual([
      500n,
      700n,
      500n,
    ]);
    // 10^12 for six to eighteen decimals, fee 100 pips.
    expect(bridge).toMatchObject({ numerator: 10n ** 12n * 999_900n, denominator: 1_000_000n });
    expect(problem.groups).toMatchObject([{ venues: [3, 2] }]);
    expect(problem.nodes[0]?.price).toBe(30005n * 10n ** 35n);
    expect(problem.settings).toMatchObject({ workMax: 2000, venueInputCap: 105n * 10n ** 34n });
  });

  it('error: every fault is refused at its pointer', () => {
    for (const [path, value, pointer] of REFUSED) {
      const expected = pointer ?? `/${path.join('/')}`;
      expect(
        pointerOf(() => parseProblem(changed(path, value))),
        JSON.stringify(path),
      ).toBe(expected);
    }
    for (const whole of [null, [], 'x', 7]) expect(pointerOf(() => parseProblem(whole))).toBe('');
  });

  it('behavior: a concentrated venue names its tick spacing, else the fee tells it', () => {
    const spacing = (value: unknown) => {
      const problem = parseProblem(changed(['venues', 1, 'tickSpacing'], value));
      const [, pool] = problem.venues;
      return pool?.kind === 'concentrated' ? pool.tickSpacing : null;
    };
    expect([spacing(undefined), spacing(1), spacing(5)]).toEqual([10, 1, 5]);
  });

  it('error: rebalance objectives', () => {
    const cases: readonly (readonly [Path, unknown, string])[] = [
      [['holdings', '1:C'], '1', '/objective/holdings/1:C'],
      [['holdings'], {}, '/objective/holdings'],
      [['holdings', '1:A'], '-1', '/objective/holdings/1:A'],
      [['targets', 0, 'weight'], '0.49', '/objective/targets'],
      [['targets', 0, 'weight'], `0.5${'0'.repeat(34)}1`, '/objective/targets'],
      [['targets', 0, 'weight'], '1.5', '/objective/targets/0/weight'],
      [['targets', 1, 'nodes', 0], '1:A', '/objective/targets/1/nodes/0'],
      [['targets', 1, 'nodes', 0], '2:B', '/objective/targets/1/nodes/0'],
      [['risk'], { aversion: '0', covariance: [] }, '/objective/risk/aversion'],
      [['risk'], { aversion: '1', covariance: [['1']] }, '/objective/risk/covariance'],
      [
        ['risk'],
        risk([
          ['1', '0'],
          ['0.1', '1'],
        ]),
        '/objective/risk/covariance/0/1',
      ],
      [
        ['risk'],
        risk([
          ['1', '2'],
          ['2', '1'],
        ]),
        '/objective/risk/covariance',
      ],
      [
        ['risk'],
        risk([
          ['0', '1'],
          ['1', '5'],
        ]),
        '/objective/risk/covariance',
      ],
    ];
    for (const [path, value, pointer] of cases) {
      const json = changed(['objective', ...path], value, rebalance({}));
      expect(
        pointerOf(() => parseProblem(json)),
        JSON.stringify(path),
      ).toBe(pointer);
    }
    expect(pointerOf(() => parseProblem(rebalance({})))).toBe('accepted');
    const semidefinite = risk([
      ['1', '-1'],
      ['-1', '1'],
    ]);
    expect(pointerOf(() => parseProblem(rebalance({ risk: semidefinite })))).toBe('accepted');
  });

  it('behavior: the digest is of the canonical JSON, whatever the order of keys', () => {
    const { digest } = parseProblem(swapProblem());
    const { objective, ...rest } = swapProblem();
    expect(parseProblemText(JSON.stringify({ objective, ...rest }, null, 3)).digest).toBe(digest);
    expect(parseProblem(changed(['venues', 0, 'feePips'], 3001)).digest).not.toBe(digest);
    expect(parseProblem(changed(['objective', 'sell', 'amount'], '3001')).digest).not.toBe(digest);
    const keccak = (text: string) => `0x${bytesToHex(keccak_256(new TextEncoder().encode(text)))}`;
    const market = keccak(canonicalJson(rest));
    expect(digest).toBe(keccak(canonicalJson({ objective, market })));
  });

  it('error: duplicate keys, depth and broken JSON in text', () => {
    const text = JSON.stringify(swapProblem());
    const twice = text.replace('"feePips":3000', '"feePips":3000,"fee\\u0050ips":3001');
    expect(pointerOf(() => parseProblemText(twice))).toBe('/venues/0/feePips');
    expect(pointerOf(() => parseProblemText('['.repeat(80) + ']'.repeat(80)))).toBe(
      '/0'.repeat(72),
    );
    expect(() => parseProblemText('{')).toThrow(/not JSON/);
  });

  it('behavior: reads the shared vectors', () => {
    const path = 'test/vectors/problems/rebalance-three-chains.json';
    const problem = parseProblemText(readFileSync(path, 'utf8'));
    expect(problem.objective).toMatchObject({
      kind: 'rebalance',
      targetOfNode: [0, 1, 0, 1, 2, 1],
    });
  });
});

const risk = (covariance: readonly (readonly string[])[]) => ({ aversion: '1', covariance });

describe('parseResult', () => {
  const result = () => ({
    version: 1,
    problem: `0x${'0'.repeat(64)}`,
    engine: `0x${'f'.repeat(64)}`,
    status: 'solved',
    value: '-1.5',
    bound: '2',
    gapBps: '0.003',
    prices: { a: '1' },
    legs: [{ venue: 'v', in: { node: 'a', amount: '1' }, out: { node: 'b', amount: '2' } }],
    final: { b: '2' },
    costs: { fees: '0', impact: '-1', fixed: '0' },
  });
  it('default: accepts the format', () => expect(parseResult(result())).toEqual(result()));
  it('error: refuses at the pointer', () => {
    const cases: readonly (readonly [Path, unknown])[] = [
      [['problem'], '0x12'],
      [['engine'], `0x${'F'.repeat(64)}`],
      [['status'], 'maybe'],
      [['value'], '1e5'],
      [['value'], 1],
      [['legs', 0, 'in', 'amount'], '01'],
      [['legs', 0, 'fee'], '1'],
      [['final', 'b'], '-2'],
      [['orders'], {}],
      [['costs', 'gas'], '1'],
      [['timing'], 1],
    ];
    for (const [path, value] of cases) {
      const json = changed(path, value, result());
      expect(
        pointerOf(() => parseResult(json)),
        JSON.stringify(path),
      ).toBe(`/${path.join('/')}`);
    }
  });
});
