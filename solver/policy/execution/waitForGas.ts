// Whether a wanted trade waits for cheaper gas: gasTiming.ts's stopping rule on what a settlement has
// cost in the last hours. Owns the hourly samples and the deadline. It never waits on a guess: without
// a day of unbroken samples, without a price of gas, past the deadline it says act.

import { type UnixSeconds, unixSeconds } from '../../types/amounts.ts';
import type { Reason } from '../types.ts';
import { fitGasModel, gasRule } from './gasTiming.ts';
import type { ExecutionHistory, GasSample, GasTiming } from './types.ts';

const HOUR_SECONDS = 3_600;
/** Two weeks: what day of the week and time of day do to gas is in it. */
const SAMPLES_MAX = 336;
/** A day at least, or the mean to revert to is not known. */
const SAMPLES_MIN = 24;
/** Saving less than this share of the gas is not worth a wait. */
const LEAST_SAVING = 0.01;

/** The samples with this moment's, if its hour has none yet; a gap starts them anew. */
export function withGas(
  samples: readonly GasSample[],
  now: UnixSeconds,
  gasUsd: number | null,
): readonly GasSample[] {
  if (gasUsd === null || !(gasUsd > 0)) return samples;
  const hour = Math.floor(now / HOUR_SECONDS) * HOUR_SECONDS;
  const last = samples.at(-1);
  if (last !== undefined && last.at >= hour) return samples;
  const unbroken = last !== undefined && last.at === hour - HOUR_SECONDS;
  const kept = unbroken ? samples.slice(1 - SAMPLES_MAX) : [];
  return [...kept, { at: unixSeconds(hour), usd: gasUsd }];
}

/**
 * Why the trade waits, or null: act. `hourUsd` is what an hour of standing where the portfolio stands
 * costs more than an hour at the landing (driftRiskUsd of the difference in tracking variance). The
 * reason names what waiting is expected to save after that risk, and the gas it would act at.
 */
export function waitForGas(
  timing: GasTiming,
  { gas, waitingSince }: Pick<ExecutionHistory, 'gas' | 'waitingSince'>,
  now: UnixSeconds,
  gasUsd: number | null,
  hourUsd: number,
): Reason | null {
  if (gasUsd === null || !(gasUsd > 0) || gas.length < SAMPLES_MIN) return null;
  const deadline = (waitingSince ?? now) + timing.maxWaitSeconds;
  const steps = Math.floor((deadline - now) / HOUR_SECONDS);
  if (steps < 1) return null;
  const model = fitGasModel(gas.map(({ usd }) => usd));
  const { thresholds, cost } = gasRule({ model, steps, usdPerGas: 1, waitUsd: hourUsd });
  const actAtUsd = thresholds[0] ?? Number.POSITIVE_INFINITY;
  const savesUsd = gasUsd - cost(gasUsd);
  if (gasUsd <= actAtUsd || savesUsd < LEAST_SAVING * gasUsd) return null;
  const message =
    `gas of ${gasUsd.toFixed(2)} dollars: the option to wait is worth ${savesUsd.toFixed(2)} after ` +
    `${hourUsd.toFixed(4)} of risk an hour; acts at ${actAtUsd.toFixed(2)}, or at ${deadline}`;
  const data = { gasUsd, actAtUsd, optionUsd: savesUsd, riskUsdPerHour: hourUsd, until: deadline };
  return { code: 'waitsForGas', message, data };
}
