// The world of the coupling report: three chains whose pools and gas differ, one portfolio over them,
// every price from the tape. Pools stand at the market price whenever a decision is made: between two
// decisions arbitrage has brought them back, so that no trade finds its own impact again. Owns the
// problem files; their costs are all the costs there are.

import { GAS } from '../../contracts-abi/gas.ts';
import { formatDecimal } from '../../solver/market/decimal.ts';
import type {
  Problem,
  ProblemGroup,
  ProblemNode,
  ProblemVenue,
  RebalanceObjective,
} from '../../solver/types/problem.ts';

export const ASSETS = ['BTC', 'ETH', 'USD'] as const;
export const TARGETS = [0.5, 0.3, 0.2] as const;
/** Prior of POLICY.md's reference run: volatilities 65 % and 85 %, correlation 0.8; nothing is fitted. */
export const COVARIANCE = [
  [0.4225, 0.442, 0],
  [0.442, 0.7225, 0],
  [0, 0, 0],
] as const;
const DECIMALS = [8, 18, 6] as const;

export interface ChainSetting {
  readonly id: number;
  readonly name: string;
  /** Share of the portfolio that starts here. */
  readonly share: number;
  /** Dollars on each side of every pool, at the market price. */
  readonly depth: number;
  readonly feePips: number;
  readonly gasGwei: number;
}
export const CHAINS: readonly ChainSetting[] = [
  { id: 1, name: 'deep and dear', share: 0.5, depth: 40e6, feePips: 500, gasGwei: 2 },
  { id: 2, name: 'middling', share: 0.3, depth: 10e6, feePips: 500, gasGwei: 0.05 },
  { id: 3, name: 'shallow and cheap', share: 0.2, depth: 1.5e6, feePips: 3000, gasGwei: 0.01 },
];
/** Dollars per ether, for gas alone. */
const ETHER = 3000;
/** What verifying and executing a message takes at its end, gas: PROTOCOL.md's send, the DVNs' part. */
const MESSAGE_GAS = 266_000n;
/** Our fee on a transfer, as quoted. */
const BRIDGE_PIPS = 200;

/** Base units per chain and asset. */
export type Holdings = readonly (readonly bigint[])[];
export type Prices = readonly number[];

const dollarsOfGas = (chain: ChainSetting, gas: bigint): number =>
  Number(gas) * chain.gasGwei * 1e-9 * ETHER;
const fixed = (dollars: number): string => dollars.toFixed(6);
const nodeId = (chain: ChainSetting, a: number): string => `${chain.id}:${ASSETS[a]}`;
export const unitsOf = (a: number, dollars: number, prices: Prices): bigint =>
  BigInt(Math.max(0, Math.floor((dollars / (prices[a] ?? 1)) * 1e6))) *
  10n ** BigInt((DECIMALS[a] ?? 0) - 6);
export const dollarsOf = (a: number, amount: bigint, prices: Prices): number =>
  (Number(amount) / 10 ** (DECIMALS[a] ?? 0)) * (prices[a] ?? 0);

export const worths = (holdings: Holdings, prices: Prices): number[] =>
  ASSETS.map((_, a) => holdings.reduce((sum, row) => sum + dollarsOf(a, row[a] ?? 0n, prices), 0));

/** At the targets on every chain. */
export const startingHoldings = (worth: number, prices: Prices): Holdings =>
  CHAINS.map(({ share }) =>
    ASSETS.map((_, a) => unitsOf(a, worth * share * (TARGETS[a] ?? 0), prices)),
  );

/** `aversion` null: to the targets exactly. `chains`: the indices that take part. */
export function rebalanceProblem(
  holdings: Holdings,
  prices: Prices,
  chains: readonly number[],
  aversion: number | null,
): Problem {
  const members = chains.flatMap((c) => CHAINS[c] ?? []);
  const venues: ProblemVenue[] = [];
  const groups: ProblemGroup[] = [];
  for (const chain of members) {
    const pools = poolsOf(chain, prices);
    const bridges = members.flatMap((to) => (to === chain ? [] : bridgesOf(chain, to)));
    const inbound = members.flatMap((from) => (from === chain ? [] : bridgesOf(from, chain)));
    venues.push(...pools, ...bridges);
    const order =
      GAS.open +
      GAS.openPerInput +
      GAS.fillBatch +
      GAS.fillPerOutput +
      GAS.approve +
      GAS.release +
      GAS.releasePerInput +
      GAS.releasePerOutput;
    groups.push({
      id: `order:${chain.id}`,
      fixedCost: fixed(dollarsOfGas(chain, order)),
      venues: [...pools, ...bridges, ...inbound].map(({ id }) => id),
    });
    for (const to of members) {
      if (to === chain) continue;
      // The proof of a fill at `to` is sent there and verified here.
      const proof =
        dollarsOfGas(to, GAS.submit + GAS.submitPerMessage + GAS.submitPerRecord) +
        dollarsOfGas(chain, MESSAGE_GAS);
      const path = bridgesOf(chain, to).map(({ id }) => id);
      groups.push({ id: `message:${to.id}→${chain.id}`, fixedCost: fixed(proof), venues: path });
    }
  }
  return {
    version: 1,
    nodes: members.flatMap((chain) => nodesOf(chain, prices)),
    venues,
    groups,
    objective: objectiveOf(holdings, chains, aversion),
    settings: { venueInputCap: '1.05' },
  };
}

const nodesOf = (chain: ChainSetting, prices: Prices): ProblemNode[] =>
  ASSETS.map((asset, a) => ({
    id: nodeId(chain, a),
    asset,
    chain: chain.id,
    decimals: DECIMALS[a] ?? 0,
    price: priceText(prices[a] ?? 0),
  }));

const priceText = (price: number): string => formatDecimal(BigInt(Math.round(price * 1e6)), 6);

function poolsOf(chain: ChainSetting, prices: Prices): ProblemVenue[] {
  const pairs = [
    [0, 2],
    [1, 2],
    [0, 1],
  ] as const;
  return pairs.map(([a, b]) => ({
    id: `${chain.id}:${ASSETS[a]}/${ASSETS[b]}`,
    kind: 'constantProduct',
    nodes: [nodeId(chain, a), nodeId(chain, b)],
    reserves: [
      unitsOf(a, chain.depth, prices).toString(),
      unitsOf(b, chain.depth, prices).toString(),
    ],
    feePips: chain.feePips,
    fixedCost: fixed(dollarsOfGas(chain, GAS.swapV2)),
  }));
}

const bridgesOf = (from: ChainSetting, to: ChainSetting): ProblemVenue[] =>
  ASSETS.map((asset, a) => ({
    id: `${asset}:${from.id}→${to.id}`,
    kind: 'bridge',
    nodes: [nodeId(from, a), nodeId(to, a)],
    feePips: BRIDGE_PIPS,
    fixedFee: '0',
    capacity: (10n ** 30n).toString(),
    fixedCost: '0',
  }));

function objectiveOf(
  holdings: Holdings,
  chains: readonly number[],
  aversion: number | null,
): RebalanceObjective {
  const members = chains.map((c) => ({ c, chain: CHAINS[c] as ChainSetting }));
  return {
    kind: 'rebalance',
    holdings: Object.fromEntries(
      members.flatMap(({ c, chain }) =>
        ASSETS.map((_, a) => [nodeId(chain, a), (holdings[c]?.[a] ?? 0n).toString()]),
      ),
    ),
    targets: ASSETS.map((_, a) => ({
      nodes: members.map(({ chain }) => nodeId(chain, a)),
      weight: String(TARGETS[a]),
    })),
    ...(aversion === null
      ? {}
      : {
          risk: {
            aversion: aversion.toFixed(9),
            covariance: COVARIANCE.map((row) => row.map(String)),
          },
        }),
  };
}

/** The holdings after a plan: chains that took part from `final`, the others as they were. */
export const applied = (
  holdings: Holdings,
  chains: readonly number[],
  final: Readonly<Record<string, string>>,
): Holdings =>
  holdings.map((row, c) => {
    const chain = CHAINS[c];
    if (chain === undefined || !chains.includes(c)) return row;
    return ASSETS.map((_, a) => BigInt(final[nodeId(chain, a)] ?? '0'));
  });
