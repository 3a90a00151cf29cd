// One trade of a leverage schedule: how large this chunk is, which collateral it moves, and whether
// every account may be left as it leaves it. It does not decide when: decide.ts does.

import {
  type AccountHealth,
  borrowableOf,
  exposureOf,
  healthFactor,
  knockOn,
  leverageRatio,
} from './accounts.ts';
import {
  FREE_SALE,
  healthToSurvive,
  proceeds,
  ratioAtHealth,
  restoringSale,
  tradeToRatio,
  WORST_MOVE,
  withdrawable,
} from './restore.ts';
import type { LeverageCause, LeveragePolicy, LeverageTrade } from './types.ts';

/** Halvings of an emergency chunk that would push another account below its floor. */
const HALVINGS_MAX = 8;

export interface Refused {
  readonly refused: string;
  readonly message: string;
}

/** Health below which an account cannot be left until the next look. */
export function healthNeeded(policy: LeveragePolicy, account: AccountHealth): number {
  const floor = account.healthFloor ?? policy.healthFloor;
  return healthToSurvive(floor, policy.worstMove ?? WORST_MOVE);
}

/** Highest ratio at which `account`, mixed as it is, has the health it needs; ≥ 1. */
export function highestRatio(policy: LeveragePolicy, account: AccountHealth): number {
  const exposure = exposureOf(account);
  const threshold = exposure === 0 ? 0 : borrowableOf(account) / exposure;
  return ratioAtHealth(healthNeeded(policy, account), threshold);
}

interface Sized {
  readonly asset: string;
  /** Signed, the whole way and this chunk. */
  readonly wholeUsd: number;
  readonly chunkUsd: number;
  readonly debtUsd: number;
}

function sized(
  policy: LeveragePolicy,
  account: AccountHealth,
  to: number,
  cause: LeverageCause,
  asset: { readonly asset: string; readonly valueUsd: number },
): Sized {
  const cost = policy.cost ?? FREE_SALE;
  const trade = tradeToRatio(account, to, cost);
  if (trade !== null && trade.exposureUsd > 0) {
    const part = Math.min(1, policy.maxChunkUsd / trade.exposureUsd);
    return {
      asset: asset.asset,
      wholeUsd: trade.exposureUsd,
      chunkUsd: Math.min(policy.maxChunkUsd, trade.exposureUsd),
      debtUsd: trade.debtUsd * part,
    };
  }
  let whole = trade === null ? exposureOf(account) : -trade.exposureUsd;
  if (cause === 'emergency') {
    // A mixed account may reach the ratio and still miss its health, when what is sold lent well.
    const sale = restoringSale(account, asset.asset, healthNeeded(policy, account), cost);
    whole = Math.max(whole, sale === null ? exposureOf(account) : sale.sellUsd);
  }
  const chunk = Math.min(
    whole,
    policy.maxChunkUsd,
    asset.valueUsd,
    withdrawable(account, asset.asset, cost),
  );
  return { asset: asset.asset, wholeUsd: -whole, chunkUsd: -chunk, debtUsd: 0 };
}

/**
 * The chunk of `account`'s way to ratio `to`, or why there is none. It moves the largest collateral
 * whose price is believed. A sale's own price impact counts against every account that holds the
 * asset; a purchase's never counts for one. An emergency chunk that would push another account below
 * its floor is halved up to eight times before it is refused; accounts already below theirs may be
 * lowered by it only where the lowest health of all rises.
 */
export function nextChunk(
  policy: LeveragePolicy,
  accounts: readonly AccountHealth[],
  account: AccountHealth,
  to: number,
  cause: LeverageCause,
  untradable: ReadonlySet<string>,
): LeverageTrade | Refused {
  if (account.debtAsset !== undefined && untradable.has(account.debtAsset)) {
    return {
      refused: 'untradable',
      message: `${account.account} owes ${account.debtAsset}, whose price is not believed`,
    };
  }
  const asset = account.collateral
    .filter((held) => !untradable.has(held.asset) && held.valueUsd > 0)
    .reduce<AccountHealth['collateral'][number] | null>(
      (best, held) => (best === null || held.valueUsd > best.valueUsd ? held : best),
      null,
    );
  if (asset === null) {
    return {
      refused: 'untradable',
      message: `${account.account} holds nothing that may be traded`,
    };
  }
  const size = sized(policy, account, to, cause, asset);
  if (size.chunkUsd === 0 && size.wholeUsd !== 0) {
    return {
      refused: 'noRoom',
      message: `${account.account}: nothing can be withdrawn before debt is repaid; use a flash loan`,
    };
  }
  let chunkUsd = size.chunkUsd;
  let offender = '';
  const rounds = cause === 'emergency' ? HALVINGS_MAX : 0;
  for (let round = 0; round <= rounds; round += 1, chunkUsd /= 2) {
    const tried = assess(policy, accounts, account, { ...size, chunkUsd }, cause);
    if (tried.offender === null) {
      return {
        cause,
        from: leverageRatio(account),
        to,
        exposureUsd: chunkUsd,
        remainingUsd: size.wholeUsd - chunkUsd,
        account: account.account,
        asset: size.asset,
        debtAsset: account.debtAsset ?? null,
        debtUsd: tried.debtUsd,
        lowestHealth: tried.lowest,
      };
    }
    offender = tried.offender;
  }
  return { refused: 'healthFloor', message: offender };
}

/** Health of every account after one chunk; `offender` says who forbids it, null if nobody. */
function assess(
  policy: LeveragePolicy,
  accounts: readonly AccountHealth[],
  account: AccountHealth,
  size: Sized,
  cause: LeverageCause,
): { readonly offender: string | null; readonly debtUsd: number; readonly lowest: number } {
  const cost = policy.cost ?? FREE_SALE;
  const sold = Math.max(0, -size.chunkUsd);
  const debtUsd = sold > 0 ? -Math.min(account.debtUsd, proceeds(sold, cost)) : size.debtUsd;
  const { health, refused } = knockOn(
    accounts,
    {
      account: account.account,
      asset: size.asset,
      collateralUsd: size.chunkUsd,
      debtUsd,
      priceFactors: { [size.asset]: Math.max(0, 1 - cost.impactPerUsd * sold) },
    },
    policy.healthFloor,
  );
  const lowestBefore = Math.min(...health.map((one) => one.before));
  const lowest = Math.min(...health.map((one) => one.after));
  const lifts = cause === 'emergency' && lowest > lowestBefore;
  const offender = refused.find((one) => one.before >= one.floor || !lifts);
  if (offender === undefined) return { offender: null, debtUsd, lowest };
  const said = `would leave ${offender.account} at health ${offender.after.toFixed(4)}`;
  return { offender: `${said}, below its floor ${offender.floor}`, debtUsd, lowest };
}

/** Whether an account must be relieved now, and how near the edge it stands (< 1: past it). */
export function margin(policy: LeveragePolicy, account: AccountHealth): number {
  return healthFactor(account) / healthNeeded(policy, account);
}
