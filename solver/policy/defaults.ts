// What an absent field of a policy means: the choice of a person who is careful with another's
// money, each with its why. Numbers are in the parsed policy's units. Owns no parsing.

import type { BreakerPolicy } from './guards/breakers.ts';
import type { OraclePolicy } from './guards/oracle.ts';
import type { CostLimits, TradeLimits } from './types.ts';

export const DAY_SECONDS = 86_400;
export const BUDGET_DAYS = 30;

export const DEFAULT_NAME = 'policy';

/**
 * 200 bps a year. Half of all monthly returns then lie within 0.4 % of the targets' own; POLICY.md's
 * table puts the cost at 12 bps a year for 50/30/20 BTC/ETH/cash, against 36 for a calendar.
 */
export const DEFAULT_TRACKING_ERROR = 0.02;

/**
 * Half-way: within 3 % of the cheapest landing at equal tracking error (POLICY.md's table, 1–4 %)
 * and fewer settlements than the edge, where the next hour's drift is outside again.
 */
export const DEFAULT_LANDING = 0.5;

export const DEFAULT_TIME_ZONE = 'UTC';

export const DEFAULT_COSTS: CostLimits = {
  // All of a portfolio at 30 bps costs 30: only a bad market or a bug costs more than 50.
  maxBpsPerSettlement: 50,
  // Lets a first purchase of everything (30 bps) and a month of tight tracking pass; a policy
  // that trades to and fro stops after a few rounds.
  budgetBps30d: 50,
  maxSlippageBps: 50,
  // A settlement on three roll-ups costs cents to a dollar or two; 50 means a congested chain.
  maxGasUsd: 50,
  // Below this the fixed cost is over a tenth of what is traded.
  minTradeUsd: 10,
  // The reference ε of POLICY.md; own settlements tell better later.
  proportional: 0.003,
  // A settlement on roll-ups with its messages.
  fixedUsd: 1,
};

export const DEFAULT_LIMITS: TradeLimits = {
  // A plain policy turns over about half its worth in a year; twice the portfolio within a month
  // is a runaway, and still lets an owner buy everything and change his mind once.
  turnover30d: 2,
  buyOnly: [],
  sellOnly: [],
  reduceOnly: false,
};

export const DEFAULT_ORACLES: OraclePolicy = {
  // One source can be wrong alone.
  quorum: 2,
  // Chainlink's slowest heartbeat for majors on roll-ups is a day, but its deviation threshold
  // keeps the price fresh whenever it moves; an hour refuses a feed that has stopped in a storm.
  maxAgeSeconds: 3_600,
  // Feeds update at deviations of 0.1–0.5 %; two honest ones differ by less than 1 %.
  maxDeviationBps: 100,
  // Needs a time-weighted average beside the readings, which not every keeper is given; where it
  // is, 500 (a spike, or a pool pushed within a block) is a good choice.
  maxTwapGapBps: null,
  depegFloors: {},
  // Whoever cannot see should not move, not even to sell. With leverage it is reduceOnly: one bad
  // price of an asset an account does not touch must not stop its deleveraging.
  onFailure: 'halt',
};

/** USDC touched 0.9128 in March 2023; honest noise stays within half a cent. */
export const DEFAULT_DEPEG_FLOOR = 0.98;

export const DEFAULT_BREAKERS: BreakerPolicy = {
  // A quarter of worth in a day has happened to BTC and ETH in March 2020, May 2021 and in 2022:
  // times when pools are thin and feeds lag.
  drawdown: { windowSeconds: DAY_SECONDS, max: 0.25 },
  maxMovePerHour: 0.2,
  maxConsecutiveFailures: 3,
  maxMessagingOutageSeconds: 3_600,
  // Long enough for a spike to pass, short enough that drift does not pile up.
  resumeAfterSeconds: 6 * 3_600,
  // A rebalance can wait. With leverage it is reduceOnly: a halted policy could not deleverage.
  onTrip: 'halt',
};

/** One settlement's effects must be on chain and counted before the next is thought of. */
export const DEFAULT_COOLDOWN_SECONDS = 3_600;

/**
 * Equal slices: the cheapest under linear impact, and what a schedule should do that does not know how
 * much its owner fears the drift meanwhile. Six make a large trade's impact a sixth of each time.
 */
export const DEFAULT_SLICES = { count: 6, urgency: 0 } as const;

/** The band has no default: its aversion is per dollar, so it goes with the size of the book. */
export const DEFAULT_HEDGE = {
  netDelta: 0,
  gammaBand: null,
  vegaBand: null,
  proportional: DEFAULT_COSTS.proportional,
} as const;

/** As ratios of the target where a ratio is meant; the form of the FLI tokens (leverage_cdp.json). */
export const DEFAULT_LEVERAGE = {
  // Around a target of 2: 1.8 and 2.2.
  minOfTarget: 0.9,
  maxOfTarget: 1.1,
  // Twice the room max leaves: 2.4 around a target of 2.
  emergencyOfTarget: 1.2,
  recenteringSpeed: 0.05,
  intervalSeconds: DAY_SECONDS,
  emergencyCooldownSeconds: 600,
  maxChunkUsd: 100_000,
  // With a worst move of a quarter between two looks, health of 1.467 is kept: held through every
  // stress window, and a target of 2 at a threshold of 0.8 is reachable (test/policy/stress).
  healthFloor: 1.1,
} as const;

/** At or below this annual volatility an asset is what others are sold into: cash. */
export const SAFE_VOLATILITY = 0.05;

// The prior: POLICY.md's fixed one (BTC 65 %, ETH 85 %, correlation 0.8; nothing is fitted). A
// stable coin is 0: the rule must not trade it for its own sake, and its risk is its depeg floor's.
// An unknown risky asset is taken as wilder than ETH and as one that falls with the market: too high
// a volatility only makes the rule trade at smaller displacements.
export const PRIOR_UNKNOWN_VOLATILITY = 1;
export const PRIOR_CORRELATION = 0.7;
export const PRIOR_MAJORS_CORRELATION = 0.8;
/** Forms of one asset part by a staking yield or a short depeg. */
export const PRIOR_SAME_ASSET_CORRELATION = 0.99;

export type PriorFamily = 'stable' | 'btc' | 'eth' | 'other';
export const PRIOR_VOLATILITY: Readonly<Record<PriorFamily, number>> = {
  stable: 0,
  btc: 0.65,
  eth: 0.85,
  other: PRIOR_UNKNOWN_VOLATILITY,
};

/** Worth a dollar by definition: no feed can say otherwise. */
const NUMERAIRE_NAMES: ReadonlySet<string> = new Set(['CASH', 'USD']);
const FAMILIES: ReadonlyMap<string, PriorFamily> = new Map([
  ...['CASH', 'USD', 'USDC', 'USDT', 'DAI', 'USDS', 'PYUSD', 'LUSD', 'FRAX', 'GHO', 'CRVUSD'].map(
    (name): [string, PriorFamily] => [name, 'stable'],
  ),
  ...['BTC', 'WBTC', 'CBBTC', 'TBTC'].map((name): [string, PriorFamily] => [name, 'btc']),
  ...['ETH', 'WETH', 'STETH', 'WSTETH', 'RETH', 'CBETH'].map((name): [string, PriorFamily] => [
    name,
    'eth',
  ]),
]);

/** What the prior takes an asset for, by its name. */
export const familyOf = (asset: string): PriorFamily =>
  FAMILIES.get(asset.toUpperCase()) ?? 'other';

/** Whether a default depeg floor watches this asset: stable, and not the numeraire itself. */
export const hasDefaultFloor = (asset: string): boolean =>
  familyOf(asset) === 'stable' && !isNumeraire(asset);

export const isNumeraire = (asset: string): boolean => NUMERAIRE_NAMES.has(asset.toUpperCase());

/** Correlation the prior assumes between two different assets; positive semidefinite as a whole. */
export function priorCorrelation(a: string, b: string): number {
  const [one, other] = [familyOf(a), familyOf(b)];
  if (one === 'stable' || other === 'stable') return 0;
  if (one === 'other' || other === 'other') return PRIOR_CORRELATION;
  return one === other ? PRIOR_SAME_ASSET_CORRELATION : PRIOR_MAJORS_CORRELATION;
}
