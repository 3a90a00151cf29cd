import { describe, expect, it } from 'vitest';
import {
  type AccountHealth,
  afterTrade,
  healthFactor,
  knockOn,
  leverageRatio,
} from '../../../solver/policy/leverage/accounts.ts';
import {
  chunkToSurvive,
  healthToSurvive,
  proceeds,
  ratioAtHealth,
  recentered,
  restoringSale,
  tradeToRatio,
  withdrawable,
} from '../../../solver/policy/leverage/restore.ts';
import type { SaleCost } from '../../../solver/policy/leverage/types.ts';
import { type Random, random } from '../../engine/generate.ts';

const account = (valueUsd: number, debtUsd: number, threshold = 0.8): AccountHealth => ({
  account: 'aave:1',
  collateral: [{ asset: 'ETH', valueUsd, liquidationThreshold: threshold }],
  debtUsd,
});

function drawnAccount(rng: Random): AccountHealth {
  return {
    account: 'aave:1',
    collateral: ['ETH', 'BTC', 'LINK'].slice(0, rng.integer(1, 3)).map((asset) => ({
      asset,
      valueUsd: rng.between(1e3, 1e7),
      liquidationThreshold: rng.between(0.5, 0.93),
    })),
    debtUsd: 0,
  };
}
function drawnCost(rng: Random): SaleCost {
  return {
    proportional: rng.pick([0, rng.between(0, 0.02)]),
    impactPerUsd: rng.pick([0, rng.between(0, 1e-8)]),
    flashFee: rng.pick([null, 0, 0.0009]),
  };
}

describe('restoringSale', () => {
  it('property: health afterwards is what was asked for, at the first sale that reaches it', () => {
    const seed = 20_261_131;
    const rng = random(seed);
    let restored = 0;
    for (let round = 0; round < 1_500; round += 1) {
      const empty = drawnAccount(rng);
      const lent = empty.collateral.reduce((s, c) => s + c.valueUsd * c.liquidationThreshold, 0);
      const owing = { ...empty, debtUsd: lent / rng.between(0.9, 2.5) };
      const health = rng.between(1.05, 2.5);
      const cost = drawnCost(rng);
      const sale = restoringSale(owing, 'ETH', health, cost);
      if (sale === null) continue;
      const label = `seed ${seed}, round ${round}`;
      if (healthFactor(owing) >= health) {
        expect(sale, label).toEqual({ sellUsd: 0, repayUsd: 0 });
        continue;
      }
      restored += 1;
      const at = (sellUsd: number): number => {
        const effect = { account: 'aave:1', asset: 'ETH', collateralUsd: -sellUsd };
        const [after] = afterTrade([owing], { ...effect, debtUsd: -proceeds(sellUsd, cost) });
        return healthFactor(after ?? owing);
      };
      expect(Math.abs(at(sale.sellUsd) / health - 1), label).toBeLessThan(1e-9);
      for (const part of [0.25, 0.5, 0.9, 0.999]) {
        expect(at(sale.sellUsd * part), label).toBeLessThan(health);
      }
      expect(sale.repayUsd, label).toBeLessThanOrEqual(owing.debtUsd);
    }
    expect(restored).toBeGreaterThan(300);
  });

  it('behavior: null where no sale of the asset is enough', () => {
    expect(restoringSale(account(100, 90), 'BTC', 1.5)).toBeNull();
    expect(restoringSale(account(100, 101, 0.9), 'ETH', 20)).toBeNull();
    const dear = { proportional: 0.5, impactPerUsd: 0, flashFee: null };
    expect(restoringSale(account(100, 70), 'ETH', 1.3, dear)).toBeNull();
    // A sale that moves its own price by as much as it frees ends nowhere.
    const thin = { proportional: 0, impactPerUsd: 0.05, flashFee: null };
    expect(restoringSale(account(100, 70), 'ETH', 1.3, thin)).toBeNull();
  });

  it('behavior: costs, impact and flash fees each ask for a larger sale', () => {
    const free = { proportional: 0, impactPerUsd: 0, flashFee: null };
    const sale = (cost: SaleCost): number =>
      restoringSale(account(1e6, 6e5), 'ETH', 1.5, cost)?.sellUsd ?? Number.NaN;
    expect(sale({ ...free, flashFee: 0 })).toBe(sale(free));
    expect(sale({ ...free, proportional: 0.003 })).toBeGreaterThan(sale(free));
    expect(sale({ ...free, impactPerUsd: 1e-8 })).toBeGreaterThan(sale(free));
    expect(sale({ ...free, flashFee: 0.0009 })).toBeGreaterThan(sale(free));
  });
});

describe('tradeToRatio', () => {
  it('property: reaches the ratio in both directions, costs paid', () => {
    const seed = 20_261_132;
    const rng = random(seed);
    for (let round = 0; round < 1_500; round += 1) {
      const value = rng.between(1e3, 1e7);
      const from = rng.between(1, 5);
      const owing = account(value, value * (1 - 1 / from));
      const to = rng.between(1, 5);
      const cost = { ...drawnCost(rng), impactPerUsd: rng.pick([0, 1e-9]) };
      const trade = tradeToRatio(owing, to, cost);
      if (trade === null) continue;
      const [after] = afterTrade([owing], {
        account: 'aave:1',
        asset: 'ETH',
        collateralUsd: trade.exposureUsd,
        debtUsd: trade.debtUsd,
      });
      const label = `seed ${seed}, round ${round}`;
      expect(Math.abs(leverageRatio(after ?? owing) / to - 1), label).toBeLessThan(1e-8);
      expect(Math.sign(trade.exposureUsd), label).toBe(Math.sign(trade.debtUsd));
      expect(Math.abs(trade.exposureUsd) > 0 ? to > from : false, label).toBe(
        trade.exposureUsd > 0,
      );
    }
  });

  it('behavior: one times repays everything; without equity nothing helps', () => {
    expect(tradeToRatio(account(200, 100), 1)).toEqual({ exposureUsd: -100, debtUsd: -100 });
    expect(tradeToRatio(account(100, 110), 2)).toBeNull();
  });
});

describe('recentered', () => {
  const band = { target: 2, min: 1.7, max: 2.3, recenteringSpeed: 0.05 };
  it('property: always within min … max, never past the target', () => {
    const rng = random(20_261_133);
    for (let round = 0; round < 1_000; round += 1) {
      const current = rng.between(1, 9);
      const to = recentered(current, band);
      expect(to).toBeGreaterThanOrEqual(band.min);
      expect(to).toBeLessThanOrEqual(band.max);
      if (current >= band.min && current <= band.max) {
        expect((to - band.target) * (current - band.target)).toBeGreaterThanOrEqual(0);
      }
    }
    expect(recentered(Infinity, band)).toBe(band.max);
  });
});

describe('buffers', () => {
  it('default: 2× at a threshold of 0.8 survives a fall of a quarter above 1.2, exactly', () => {
    expect(ratioAtHealth(healthToSurvive(1.2, 0.25), 0.8)).toBeCloseTo(2, 12);
    const fallen = account(200 * 0.75, 100);
    expect(healthFactor(fallen)).toBeCloseTo(1.2, 12);
  });

  it('property: chunkToSurvive is the sale that undoes one worst move', () => {
    const rng = random(20_261_134);
    for (let round = 0; round < 1_000; round += 1) {
      const floor = rng.between(1, 1.5);
      const move = rng.between(0.05, 0.4);
      const threshold = rng.between(0.5, 0.9);
      const debt = rng.between(1e3, 1e7);
      const fallen = account((floor * debt) / threshold, debt, threshold);
      const sale = restoringSale(fallen, 'ETH', healthToSurvive(floor, move));
      const chunk = chunkToSurvive(debt, floor, move, threshold);
      if (sale === null) expect(chunk).toBeGreaterThan(debt);
      else expect(Math.abs(sale.sellUsd / chunk - 1)).toBeLessThan(1e-9);
    }
  });

  it('behavior: without a flash loan health stays above 1 while collateral is out', () => {
    const owing = account(200, 100);
    const none = { proportional: 0, impactPerUsd: 0, flashFee: null };
    const out = withdrawable(owing, 'ETH', none);
    expect(((200 - out) * 0.8) / 100).toBeCloseTo(1.02, 12);
    expect(withdrawable(owing, 'ETH', { ...none, flashFee: 0 })).toBe(200);
    expect(withdrawable(account(100, 99), 'ETH', none)).toBe(0);
    expect(withdrawable(owing, 'BTC', none)).toBe(0);
  });
});

describe('knockOn', () => {
  const other: AccountHealth = { ...account(1_000, 600), account: 'morpho:1' };
  const sale = { account: 'aave:1', asset: 'ETH', collateralUsd: -50, debtUsd: -50 };

  it('default: health of every account before and after', () => {
    const { health, refused } = knockOn([account(200, 100), other], sale, 1.1);
    expect(health.map(({ before }) => before)).toEqual([1.6, 800 / 600]);
    expect(health.map(({ after }) => after)).toEqual([2.4, 800 / 600]);
    expect(refused).toEqual([]);
  });

  it('behavior: a price moved by the trade reaches accounts the trade does not touch', () => {
    const moved = { ...sale, priceFactors: { ETH: 0.9 } };
    const { refused } = knockOn([account(200, 100), other], moved, 1.25);
    expect(refused).toMatchObject([{ account: 'morpho:1', before: 800 / 600, floor: 1.25 }]);
    expect(refused[0]?.after).toBeCloseTo(1.2, 12);
  });

  it('behavior: an account below its floor may be lifted, not lowered', () => {
    const low = account(200, 150);
    expect(knockOn([low], sale, 1.5).refused).toEqual([]);
    const worse = { ...sale, collateralUsd: -10, debtUsd: 0 };
    expect(knockOn([low], worse, 1.5).refused).toHaveLength(1);
    expect(knockOn([{ ...low, healthFloor: 1 }], worse, 1.5).refused).toEqual([]);
  });
});
