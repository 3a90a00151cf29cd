// The small rooms of the market: decimals, canonical JSON, network files, prices, linear venues.

import { describe, expect, it } from 'vitest';
import {
  ceilDiv,
  fixed36,
  floorDiv,
  formatDecimal,
  formatFixed36,
  isqrt,
  parseFixed36,
} from '../../solver/market/decimal.ts';
import { exactIn, exactOut } from '../../solver/market/exact/venue.ts';
import { canonicalJson } from '../../solver/market/jsonText.ts';
import { parseNetwork } from '../../solver/market/networkFile.ts';
import { priceFromFeed } from '../../solver/market/prices.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { makeSnapshot, type UniswapV2State, venueOfPool } from '../../solver/market/snapshot.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { InvalidInput, isRefusal } from '../../solver/types/errors.ts';
import { chainId, evmAddress, hash32 } from '../../solver/types/ids.ts';
import { randomFrom } from './helpers/random.ts';

const address = (digit: string) => evmAddress(`0x${digit.repeat(40)}`);

describe('decimals', () => {
  it('property: formatting and parsing are inverse', () => {
    const random = randomFrom(3);
    for (let i = 0; i < 500; i++) {
      const value = fixed36(random.big(10n ** BigInt(random.int(1, 66))));
      expect(parseFixed36(formatFixed36(value))).toBe(value);
    }
    expect(formatDecimal(-1500n, 3)).toBe('-1.5');
    expect(formatDecimal(5n, 3)).toBe('0.005');
  });
  it('property: isqrt, floorDiv and ceilDiv', () => {
    const random = randomFrom(4);
    for (let i = 0; i < 500; i++) {
      // Beyond a double's range too, and on both sides of squares and of powers of two.
      const any = random.big(10n ** BigInt(random.int(1, 700)));
      const power = 1n << BigInt(random.int(1, 2_200));
      for (const n of [any, any * any - 1n, any * any, power - 1n, power, power + 1n]) {
        if (n < 0n) continue;
        const root = isqrt(n);
        expect(root * root <= n && (root + 1n) * (root + 1n) > n).toBe(true);
      }
    }
    expect([floorDiv(-7n, 2n), ceilDiv(-7n, 2n), floorDiv(7n, 2n), ceilDiv(7n, 2n)]).toEqual([
      -4n,
      -3n,
      3n,
      4n,
    ]);
  });
});

describe('canonicalJson', () => {
  it('behavior: RFC 8785, section 3.2', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '1': 'One',
      '\ud83d\ude00': 'Smiley',
      '\u0080': 'Control',
      numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"\\r":"Carriage Return","1":"One","literals":[null,true,false],' +
        '"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],' +
        '"\u0080":"Control","\u20ac":"Euro Sign","\ud83d\ude00":"Smiley"}',
    );
  });
  it('error: lone surrogates and numbers that are not finite', () => {
    expect(() => canonicalJson({ a: ['\ud800'] })).toThrow(InvalidInput);
    expect(() => canonicalJson([Number.NaN])).toThrow(InvalidInput);
  });
});

describe('priceFromFeed', () => {
  const token = { symbol: 'WETH', feed: address('a'), feedHeartbeatSeconds: 60 };
  const read = (answer: bigint, updatedAt: number, now: number) =>
    priceFromFeed(
      token,
      chainId(5),
      { answer, decimals: 8, updatedAt: unixSeconds(updatedAt) },
      unixSeconds(now),
    );
  it('default: scales by the feed’s decimals', () => {
    expect(read(300_050_000_000n, 100, 160)).toBe(parseFixed36('3000.5'));
    expect(read(1n, 100, 90)).toBe(parseFixed36('0.00000001'));
  });
  it('behavior: a stale price is refused with token, age and limit', () => {
    const refusal = read(1n, 100, 161);
    expect(isRefusal(refusal) && refusal).toMatchObject({
      refused: 'stalePrice',
      details: { token: 'WETH', chainId: 5, ageSeconds: 61, limitSeconds: 60 },
    });
    expect(read(1n, 0, 10)).toMatchObject({ refused: 'stalePrice' });
    expect(read(0n, 100, 100)).toMatchObject({ refused: 'badPrice' });
    expect(read(-5n, 100, 100)).toMatchObject({ refused: 'badPrice' });
  });
});

describe('parseNetwork', () => {
  const contracts = Object.fromEntries(
    [
      'portfolioSettler',
      'outputSettler',
      'layerZeroOracle',
      'routeExecutor',
      'layerZeroEndpoint',
      'multicall3',
      'uniswapV2Factory',
      'uniswapV3Factory',
      'wrappedNative',
    ].map((name) => [name, address('1')]),
  );
  const token = (symbol: string, digit: string) => ({
    symbol,
    asset: symbol,
    address: address(digit),
    decimals: 18,
    feed: address('9'),
    feedHeartbeatSeconds: 60,
  });
  const network = () => ({
    version: 1,
    chains: [
      {
        chainId: 31338,
        name: 'one',
        eid: 30001,
        rpcUrl: 'http://127.0.0.1:8545',
        confirmations: 2,
        blockSeconds: 1,
        nativeAsset: 'WETH',
        contracts,
        tokens: [token('WETH', 'a'), token('USDC', 'b')],
        pools: [
          {
            id: 'p',
            kind: 'uniswapV2',
            address: address('c'),
            tokens: [address('a'), address('b')],
            feePips: 3000,
          },
        ],
      },
    ],
    minProofWindowSeconds: 60,
  });
  it('default: accepts what the lab writes', () =>
    expect(parseNetwork(network())).toEqual(network()));
  it('error: each fault at its pointer', () => {
    type Mutable = ReturnType<typeof network>;
    const pointerAfter = (
      bend: (json: Mutable & { chains: Record<string, unknown>[] }) => void,
    ) => {
      const json = network() as Mutable & { chains: Record<string, unknown>[] };
      bend(json);
      try {
        parseNetwork(json);
        return 'accepted';
      } catch (error) {
        return error instanceof InvalidInput ? error.pointer : String(error);
      }
    };
    expect(pointerAfter((n) => n.chains.push(n.chains[0] ?? {}))).toBe('/chains/1/chainId');
    expect(pointerAfter((n) => Object.assign(n.chains[0] ?? {}, { rpcUrl: 'localhost' }))).toBe(
      '/chains/0/rpcUrl',
    );
    expect(pointerAfter((n) => Object.assign(n.chains[0] ?? {}, { nativeAsset: 'ETH' }))).toBe(
      '/chains/0/nativeAsset',
    );
    expect(pointerAfter((n) => n.chains[0]?.pools[0]?.tokens.reverse())).toBe(
      '/chains/0/pools/0/tokens',
    );
    expect(pointerAfter((n) => n.chains[0]?.tokens.pop())).toBe('/chains/0/pools/0/tokens/1');
    expect(pointerAfter((n) => Object.assign(n, { minProofWindowSeconds: '60' }))).toBe(
      '/minProofWindowSeconds',
    );
  });
});

describe('exact venues', () => {
  const problem = parseProblem({
    version: 1,
    nodes: [
      { id: 'a', asset: 'A', chain: 1, decimals: 8, price: '1' },
      { id: 'b', asset: 'B', chain: 1, decimals: 6, price: '1' },
    ],
    venues: [
      { id: 'o', kind: 'order', nodes: ['a', 'b'], amountIn: '7', amountOut: '3', fixedCost: '0' },
      {
        id: 'br',
        kind: 'bridge',
        nodes: ['a', 'b'],
        feePips: 1000,
        fixedFee: '10',
        capacity: '500',
        fixedCost: '0',
      },
    ],
    objective: { kind: 'swap', sell: { node: 'a', amount: '1' }, buy: 'b' },
  });
  const [order, bridge] = problem.venues;
  if (!order || !bridge) throw new Error('two venues');

  it('behavior: an order pays pro rata, rounded down, and no more than it offers', () => {
    expect([1n, 2n, 3n, 6n, 7n].map((x) => exactOut(order, 0, 1, x))).toMatchObject([
      { refused: 'zeroOutput' },
      { refused: 'zeroOutput' },
      1n,
      2n,
      3n,
    ]);
    expect(exactOut(order, 0, 1, 8n)).toMatchObject({ refused: 'overCapacity' });
    expect(exactOut(order, 1, 0, 1n)).toMatchObject({ refused: 'wrongNodes' });
    expect(exactOut(order, 0, 0, 1n)).toMatchObject({ refused: 'wrongNodes' });
    expect(exactOut(order, 0, 1, 0n)).toMatchObject({ refused: 'zeroAmount' });
    expect(exactIn(order, 0, 1, 2n)).toBe(5n);
  });

  it('behavior: a bridge takes fee, fixed fee and decimals, up to capacity', () => {
    // ⌊12345 / 100 · 0.999⌋ − 10
    expect(exactOut(bridge, 0, 1, 12_345n)).toBe(113n);
    expect(exactOut(bridge, 0, 1, 1000n)).toMatchObject({ refused: 'zeroOutput' });
    expect(exactOut(bridge, 0, 1, 60_000n)).toMatchObject({ refused: 'overCapacity' });
  });

  it('property: exactIn is the smallest input that reaches the output', () => {
    for (const [venue, most] of [
      [order, 3n],
      [bridge, 500n],
    ] as const) {
      for (let want = 1n; want <= most; want += 1n) {
        const input = exactIn(venue, 0, 1, want);
        if (typeof input !== 'bigint') throw new Error(input.message);
        const out = exactOut(venue, 0, 1, input);
        expect(typeof out === 'bigint' && out >= want).toBe(true);
        const less = exactOut(venue, 0, 1, input - 1n);
        expect(typeof less !== 'bigint' || less < want).toBe(true);
      }
    }
  });
});

describe('weighted and stable venues', () => {
  const UNIT = 10n ** 18n;
  const pool = {
    nodes: ['a', 'b', 'c'],
    balances: [1000n * UNIT, 4000n * UNIT, 2000n * 10n ** 6n].map(String),
    scalingFactors: [UNIT, UNIT, 10n ** 30n].map(String),
    swapFee: String(UNIT / 1000n),
    fixedCost: '0',
  };
  const { venues } = parseProblem({
    version: 1,
    nodes: ['a', 'b', 'c', 'd'].map((id) => ({
      id,
      asset: id,
      chain: 1,
      decimals: id === 'c' ? 6 : 18,
      price: '1',
    })),
    venues: [
      {
        ...pool,
        id: 'weighted',
        kind: 'weighted',
        weights: [UNIT / 4n, UNIT / 2n, UNIT / 4n].map(String),
      },
      {
        ...pool,
        id: 'stable',
        kind: 'stable',
        amplification: '200000',
        amplificationPrecision: '1000',
      },
    ],
    objective: { kind: 'swap', sell: { node: 'a', amount: '1' }, buy: 'b' },
  });
  const [weighted, stable] = venues;
  if (!weighted || !stable) throw new Error('two venues');

  it('behavior: a weighted pool pays and charges by its closed form', () => {
    // 999.0 in after the fee of 0.1 %; exponent 1: 2000 · 99.9 / (1000 + 99.9), in six decimals.
    expect(exactOut(weighted, 0, 2, 100n * UNIT)).toBe(181_652_877n);
    // Exponent 1/2: 4000 · (1 − √(1000/1099.9)), 10^−14 of the power below the true value.
    const out = exactOut(weighted, 0, 1, 100n * UNIT);
    const root = 4000 * (1 - Math.sqrt(1000 / 1099.9));
    expect(Number(out) / 1e18).toBeCloseTo(root, 9);
    // Exponent 2: 1000 · ((4000/3900)² − 1) / 0.999.
    const charged = exactIn(weighted, 0, 1, 100n * UNIT);
    expect(Number(charged) / 1e18).toBeCloseTo((1000 * ((40 / 39) ** 2 - 1)) / 0.999, 9);
  });

  it('behavior: a stable pool trades near one to one, and never more than it holds', () => {
    for (const [from, to, unit] of [
      [0, 1, UNIT],
      [1, 0, UNIT],
      [2, 1, 10n ** 6n],
    ] as const) {
      const out = exactOut(stable, from, to, 10n * unit);
      expect(Number(out) / 1e18).toBeGreaterThan(9.8);
      expect(Number(out) / 1e18).toBeLessThan(10.2);
    }
    expect(exactIn(stable, 0, 1, 4000n * UNIT)).toMatchObject({ refused: 'outOfLiquidity' });
    const all = exactOut(stable, 0, 1, 10n ** 30n);
    expect(typeof all === 'bigint' && all < 4000n * UNIT).toBe(true);
  });

  it('property: there and back never pays, over every ordered pair', () => {
    for (const venue of [weighted, stable]) {
      for (const [from, to] of [
        [0, 1],
        [1, 2],
        [2, 0],
        [1, 0],
        [2, 1],
        [0, 2],
      ] as const) {
        for (const amount of [1n, 999n, 10n ** 6n, 10n ** 8n, 10n ** 15n, 10n ** 20n]) {
          const out = exactOut(venue, from, to, amount);
          if (typeof out !== 'bigint') continue;
          const back = exactOut(venue, to, from, out);
          expect(typeof back !== 'bigint' || back < amount).toBe(true);
        }
      }
    }
  });

  it('error: nodes not its own, the 30 % limit, dust, the vault, an empty token', () => {
    for (const venue of [weighted, stable]) {
      expect(exactOut(venue, 0, 3, 5n)).toMatchObject({ refused: 'wrongNodes' });
      expect(exactIn(venue, 1, 1, 5n)).toMatchObject({ refused: 'wrongNodes' });
      expect(exactOut(venue, 0, 1, 0n)).toMatchObject({ refused: 'zeroAmount' });
      expect(exactIn(venue, 0, 1, 0n)).toMatchObject({ refused: 'zeroAmount' });
      expect(exactOut(venue, 0, 2, 1n)).toMatchObject({ refused: 'zeroOutput' });
      expect(exactOut(venue, 0, 1, 2n ** 112n)).toMatchObject({ refused: 'amountTooLarge' });
    }
    expect(exactOut(weighted, 0, 1, 301n * UNIT)).toMatchObject({ refused: 'overCapacity' });
    expect(exactIn(weighted, 0, 1, 1200n * UNIT + 1n)).toMatchObject({ refused: 'overCapacity' });
    const empty = { ...stable, scalingFactors: [1n, UNIT, UNIT] } as typeof stable;
    expect(
      exactOut({ ...empty, balances: [1n, UNIT, UNIT] } as typeof stable, 1, 2, 10n),
    ).toMatchObject({ refused: 'outOfLiquidity' });
  });
});

describe('makeSnapshot', () => {
  const pool = {
    id: 'p',
    kind: 'uniswapV2',
    address: address('c'),
    tokens: [address('a'), address('b')],
    feePips: 3000,
  } as const;
  const state: UniswapV2State = { kind: 'uniswapV2', pool, reserves: [5n, 6n] };
  const block = {
    number: 7n,
    hash: hash32(`0x${'1'.repeat(64)}`),
    parentHash: hash32(`0x${'2'.repeat(64)}`),
    timestamp: unixSeconds(9),
  };
  const prices = new Map([['WETH', parseFixed36('3000')]]);
  const chain = (id: number, states = [state]) => ({
    chainId: chainId(id),
    block,
    pools: states,
    prices,
  });
  it('behavior: the digest ignores order and sees every number', () => {
    const { digest } = makeSnapshot([chain(1), chain(2)]);
    expect(makeSnapshot([chain(2), chain(1)]).digest).toBe(digest);
    const moved = { ...state, reserves: [5n, 7n] as const };
    expect(makeSnapshot([chain(1), chain(2, [moved])]).digest).not.toBe(digest);
  });
  it('default: a pool becomes a venue of the problem format', () => {
    expect(venueOfPool(state, ['1:A', '1:B'], parseFixed36('0.1'))).toEqual({
      id: 'p',
      kind: 'constantProduct',
      nodes: ['1:A', '1:B'],
      reserves: ['5', '6'],
      feePips: 3000,
      fixedCost: '0.1',
    });
  });
});
