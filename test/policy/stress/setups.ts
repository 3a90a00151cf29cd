// The policies that are put under stress.

import type { BreakerPolicy } from '../../../solver/policy/guards/breakers.ts';
import type { OraclePolicy } from '../../../solver/policy/guards/oracle.ts';
import type { LeveragePolicy } from '../../../solver/policy/leverage/types.ts';
import { HOUR } from './scenarios.ts';
import { COST } from './world.ts';

export interface Setup {
  readonly name: string;
  readonly leverage: LeveragePolicy;
  readonly oracles: OraclePolicy;
  readonly breakers: BreakerPolicy;
}

export const ORACLES: OraclePolicy = {
  quorum: 2,
  maxAgeSeconds: 1_800,
  maxDeviationBps: 100,
  maxTwapGapBps: null,
  depegFloors: { USDC: 0.97 },
  onFailure: 'reduceOnly',
};
export const BREAKERS: BreakerPolicy = {
  drawdown: { windowSeconds: 24 * HOUR, max: 0.3 },
  maxMovePerHour: 0.1,
  maxConsecutiveFailures: 3,
  maxMessagingOutageSeconds: 2 * HOUR,
  resumeAfterSeconds: 6 * HOUR,
  onTrip: 'reduceOnly',
};
const GUARDS = { oracles: ORACLES, breakers: BREAKERS };

const BASE: LeveragePolicy = {
  target: 2,
  min: 1.8,
  max: 2.1,
  recenteringSpeed: 0.05,
  intervalSeconds: 24 * HOUR,
  emergency: 2.18,
  emergencyCooldownSeconds: HOUR,
  // chunkToSurvive of a debt of a million is 0.55 million; positions grow a little.
  maxChunkUsd: 800_000,
  healthFloor: 1.1,
  worstMove: 0.25,
  cost: { proportional: COST, impactPerUsd: 0, flashFee: null },
};

/**
 * 2× over a floor of 1.1 and 1.75× over a floor of 1.3, both with hourly buffers of 25 %. With a
 * threshold of 0.8 the rule gives 2.2 and 1.857 as the highest ratios that keep these floors.
 */
export const SETUPS: readonly Setup[] = [
  { ...GUARDS, name: '2× floor 1.1', leverage: BASE },
  {
    ...GUARDS,
    name: '1.75× floor 1.3',
    leverage: { ...BASE, target: 1.75, min: 1.6, max: 1.82, emergency: 1.85, healthFloor: 1.3 },
  },
];

const BUFFER_35 = { ...BASE, worstMove: 0.35 };
/** The same floors with buffers of 35 %: six dark hours may pass between two looks. */
export const OUTAGE_SETUPS: readonly Setup[] = [
  {
    ...GUARDS,
    name: '1.85× floor 1.1, buffer 35 %',
    leverage: { ...BUFFER_35, target: 1.85, min: 1.6, max: 1.88, emergency: 1.89 },
  },
  {
    ...GUARDS,
    name: '1.6× floor 1.3, buffer 35 %',
    leverage: {
      ...BUFFER_35,
      target: 1.6,
      min: 1.45,
      max: 1.64,
      emergency: 1.66,
      healthFloor: 1.3,
    },
  },
];
