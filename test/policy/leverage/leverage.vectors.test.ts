// IndexCoop's recentering rule and the closed forms of a collateralised debt, to 1e−9 relative.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type AccountHealth,
  fallToLiquidation,
  healthFactor,
} from '../../../solver/policy/leverage/accounts.ts';
import {
  recentered,
  restoringSale,
  tradeToRatio,
} from '../../../solver/policy/leverage/restore.ts';

const FILE = new URL('../../vectors/leverage_cdp.json', import.meta.url);
interface Vectors {
  readonly fli: readonly {
    readonly current: number;
    readonly target: number;
    readonly min: number;
    readonly max: number;
    readonly recentering: number;
    readonly new: number;
    readonly trade_frac_of_collateral: number;
  }[];
  readonly cdp: readonly {
    readonly collateral: number;
    readonly debt: number;
    readonly liq_threshold: number;
    readonly target_hf: number;
    readonly cost: number;
    readonly hf_before: number;
    readonly sell_collateral: number;
    readonly repay: number;
    readonly hf_after: number;
    readonly liq_price_drop: number;
  }[];
}
const VECTORS: Vectors = JSON.parse(readFileSync(FILE, 'utf8'));

function close(got: number, want: number): void {
  expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(want), 1e-3));
}

describe('leverage_cdp.json', () => {
  it.each(VECTORS.fli)('default: recenters $current towards $target', (row) => {
    const to = recentered(row.current, { ...row, recenteringSpeed: row.recentering });
    close(to, row.new);
    const collateral = 1_000_000;
    const account: AccountHealth = {
      account: 'vector',
      collateral: [{ asset: 'ETH', valueUsd: collateral, liquidationThreshold: 0.8 }],
      debtUsd: collateral * (1 - 1 / row.current),
    };
    const trade = tradeToRatio(account, to);
    close(Math.abs(trade?.exposureUsd ?? Number.NaN) / collateral, row.trade_frac_of_collateral);
  });

  it.each(VECTORS.cdp)('default: restores health $target_hf from $hf_before', (row) => {
    const account: AccountHealth = {
      account: 'vector',
      collateral: [
        { asset: 'ETH', valueUsd: row.collateral, liquidationThreshold: row.liq_threshold },
      ],
      debtUsd: row.debt,
    };
    close(healthFactor(account), row.hf_before);
    close(fallToLiquidation(account), row.liq_price_drop);
    const cost = { proportional: row.cost, impactPerUsd: 0, flashFee: null };
    const sale = restoringSale(account, 'ETH', row.target_hf, cost);
    close(sale?.sellUsd ?? Number.NaN, row.sell_collateral);
    close(sale?.repayUsd ?? Number.NaN, row.repay);
    const left = row.collateral - (sale?.sellUsd ?? 0);
    close((left * row.liq_threshold) / (row.debt - (sale?.repayUsd ?? 0)), row.hf_after);
  });
});
