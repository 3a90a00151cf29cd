// Lending accounts: what one holds and owes, how healthy it is, and how healthy every account is
// after a trade. It refuses numbers that are not finite; it knows no protocol by name.
//
// Health factor (Aave's form): HF = Σ valueᵢ·LTᵢ / debt. Below 1 anyone may liquidate the account.

import { InvalidInput } from '../../types/errors.ts';

export interface AccountHealth {
  /** Protocol and chain, for messages. */
  readonly account: string;
  readonly collateral: readonly {
    readonly asset: string;
    readonly valueUsd: number;
    readonly liquidationThreshold: number;
  }[];
  readonly debtUsd: number;
  /** Policy name of what is owed; absent: an asset outside the policy, taken to keep its price. */
  readonly debtAsset?: string;
  /** Health no trade may push this account below; absent: the policy's. */
  readonly healthFloor?: number;
}

/** What a trade does to accounts, dollars at the prices before it. */
export interface TradeEffect {
  readonly account: string;
  readonly asset: string;
  /** Change of the collateral and of the debt; a sale has both negative. */
  readonly collateralUsd: number;
  readonly debtUsd: number;
  /** Asset → price after over price before, where the trade moves it; absent: 1. */
  readonly priceFactors?: Readonly<Record<string, number>>;
}

/** Throws InvalidInput unless every number of the account is finite and none is negative. */
export function checkAccount(account: AccountHealth, pointer: string): void {
  const refuse = (where: string, what: string): never => {
    throw new InvalidInput(`${account.account}: ${what}`, { pointer: `${pointer}/${where}` });
  };
  if (!(Number.isFinite(account.debtUsd) && account.debtUsd >= 0)) {
    refuse('debtUsd', `debt must be dollars ≥ 0, got ${account.debtUsd}`);
  }
  account.collateral.forEach((held, index) => {
    if (!(Number.isFinite(held.valueUsd) && held.valueUsd >= 0)) {
      refuse(`collateral/${index}/valueUsd`, `value must be dollars ≥ 0, got ${held.valueUsd}`);
    }
    const threshold = held.liquidationThreshold;
    if (!(threshold >= 0 && threshold <= 1)) {
      refuse(
        `collateral/${index}/liquidationThreshold`,
        `a liquidation threshold is a fraction 0 … 1, got ${threshold}`,
      );
    }
  });
}

/** Dollars of collateral. */
export function exposureOf(account: AccountHealth): number {
  return account.collateral.reduce((sum, held) => sum + held.valueUsd, 0);
}

/** Σ value·LT, dollars: what the protocol lends against. */
export function borrowableOf(account: AccountHealth): number {
  return account.collateral.reduce(
    (sum, held) => sum + held.valueUsd * held.liquidationThreshold,
    0,
  );
}

/** HF; Infinity without debt. */
export function healthFactor(account: AccountHealth): number {
  return account.debtUsd === 0 ? Infinity : borrowableOf(account) / account.debtUsd;
}

/** Exposure over equity; Infinity where equity is zero or less, 0 for an empty account. */
export function leverageRatio(account: AccountHealth): number {
  const exposure = exposureOf(account);
  if (exposure === 0 && account.debtUsd === 0) return 0;
  const equity = exposure - account.debtUsd;
  return equity > 0 ? exposure / equity : Infinity;
}

/** Fall of all collateral's prices, as a fraction, that brings HF to 1: 1 − 1/HF; < 0 when below. */
export function fallToLiquidation(account: AccountHealth): number {
  return 1 - 1 / healthFactor(account);
}

/** The accounts after a trade, at the prices it leaves behind. */
export function afterTrade(
  accounts: readonly AccountHealth[],
  effect: TradeEffect,
): readonly AccountHealth[] {
  const factor = (asset: string | undefined): number =>
    (asset === undefined ? undefined : effect.priceFactors?.[asset]) ?? 1;
  return accounts.map((account) => {
    const own = account.account === effect.account;
    return {
      ...account,
      collateral: account.collateral.map((held) => ({
        ...held,
        valueUsd:
          Math.max(
            0,
            held.valueUsd + (own && held.asset === effect.asset ? effect.collateralUsd : 0),
          ) * factor(held.asset),
      })),
      debtUsd:
        Math.max(0, account.debtUsd + (own ? effect.debtUsd : 0)) * factor(account.debtAsset),
    };
  });
}

export interface KnockOn {
  readonly account: string;
  readonly before: number;
  readonly after: number;
  readonly floor: number;
}

/**
 * Health of every account before and after `effect`, and those the trade may not leave so: healthy
 * enough before and below the floor after, or below it already and lower still. An account below
 * its floor that the trade lifts is no offence: that is what a deleveraging is for.
 */
export function knockOn(
  accounts: readonly AccountHealth[],
  effect: TradeEffect,
  healthFloor: number,
): { readonly health: readonly KnockOn[]; readonly refused: readonly KnockOn[] } {
  const after = afterTrade(accounts, effect);
  const health = accounts.map((account, index) => ({
    account: account.account,
    before: healthFactor(account),
    after: healthFactor(after[index] ?? account),
    floor: account.healthFloor ?? healthFloor,
  }));
  return {
    health,
    refused: health.filter((one) => one.after < one.floor && one.after < one.before),
  };
}
