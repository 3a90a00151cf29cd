import { describe, expect, it } from 'vitest';
import {
  type AccountHealth,
  afterTrade,
  healthFactor,
  leverageRatio,
} from '../../../solver/policy/leverage/accounts.ts';
import { checkLeverage } from '../../../solver/policy/leverage/check.ts';
import { type LeverageLimits, leverageDecision } from '../../../solver/policy/leverage/decide.ts';
import {
  type LeverageHistory,
  type LeveragePolicy,
  type LeverageTrade,
  START_OF_LEVERAGE,
} from '../../../solver/policy/leverage/types.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { random } from '../../engine/generate.ts';

const NOW = unixSeconds(1_700_000_000);
const HOUR = 3_600;
const POLICY: LeveragePolicy = {
  target: 2,
  min: 1.7,
  max: 2.15,
  recenteringSpeed: 0.05,
  intervalSeconds: 24 * HOUR,
  emergency: 2.19,
  emergencyCooldownSeconds: 600,
  maxChunkUsd: 1e9,
  healthFloor: 1.1,
};
const at = (seconds: number) => unixSeconds(NOW + seconds);
const levered = (ratio: number, name = 'aave:1', asset = 'ETH'): AccountHealth => ({
  account: name,
  collateral: [{ asset, valueUsd: 1_000_000, liquidationThreshold: 0.8 }],
  debtUsd: 1_000_000 * (1 - 1 / ratio),
  debtAsset: 'USDC',
});
const limits = (part: Partial<LeverageLimits>): LeverageLimits => ({
  mode: 'normal',
  untradable: new Set(),
  minTradeUsd: 0,
  ...part,
});
const traded = (seconds: number): LeverageHistory => ({
  ...START_OF_LEVERAGE,
  lastTradeAt: at(seconds),
});
const relieved = (seconds: number): LeverageHistory => ({
  ...traded(-1),
  emergencies: { 'aave:1': { at: at(seconds), to: null } },
});
const decided = (
  accounts: readonly AccountHealth[],
  history = traded(-HOUR),
  room = limits({}),
  policy = POLICY,
) => leverageDecision(policy, accounts, NOW, history, room);
const apply = (accounts: readonly AccountHealth[], trade: LeverageTrade) =>
  afterTrade(accounts, {
    account: trade.account,
    asset: trade.asset,
    collateralUsd: trade.exposureUsd,
    debtUsd: trade.debtUsd,
  });

describe('leverageDecision', () => {
  it('default: inside the band and the interval nothing is done, and it says until when', () => {
    const answer = decided([levered(2.05)]);
    expect(answer.trade).toBeNull();
    expect(answer.reasons.map(({ code }) => code)).toEqual(['withinInterval']);
    expect(answer.nextAt).toBe(NOW + 23 * HOUR);
  });

  it('behavior: recenters when the interval is over, and at once outside min … max', () => {
    const due = decided([levered(2.1)], traded(-24 * HOUR));
    expect(due.trade).toMatchObject({ cause: 'interval' });
    expect(due.trade?.to).toBeCloseTo(2.095, 12);
    expect(decided([levered(2.18)]).trade).toMatchObject({ cause: 'max', to: 2.15 });
    const low = decided([levered(1.5)]);
    expect(low.trade).toMatchObject({ cause: 'min', to: 1.7, debtAsset: 'USDC', asset: 'ETH' });
    expect(low.trade?.exposureUsd).toBeGreaterThan(0);
  });

  it('behavior: emergency comes first, goes to the target, and observes its cooldown', () => {
    const answer = decided([levered(2.3)]);
    expect(answer.trade).toMatchObject({ cause: 'emergency', to: 2 });
    expect(answer.history.emergencies).toEqual({ 'aave:1': { at: NOW, to: null } });
    const again = decided([levered(2.3)], relieved(-599));
    expect(again.trade).toBeNull();
    expect(again.nextAt).toBe(NOW + 1);
    expect(again.reasons.map(({ code }) => code)).toContain('emergencyCooldown');
    expect(decided([levered(2.3)], relieved(-600)).trade).not.toBeNull();
  });

  it('behavior: an emergency goes on in chunks until the target is reached', () => {
    const policy = { ...POLICY, maxChunkUsd: 40_000 };
    let accounts: readonly AccountHealth[] = [levered(2.4)];
    let history = START_OF_LEVERAGE;
    let chunks = 0;
    for (let step = 0; step < 20; step += 1) {
      const now = at(step * 600);
      const answer = leverageDecision(policy, accounts, now, history);
      history = answer.history;
      if (answer.trade === null) break;
      expect(answer.trade.cause).toBe('emergency');
      expect(Math.abs(answer.trade.exposureUsd)).toBeLessThanOrEqual(40_000);
      accounts = apply(accounts, answer.trade);
      chunks += 1;
    }
    // 1,000,000 − 2 × 416,667 of exposure, by 40,000.
    expect(chunks).toBe(5);
    expect(history.emergencies['aave:1']?.to).toBeNull();
    expect(leverageRatio(accounts[0] as AccountHealth)).toBeCloseTo(2, 9);
  });

  it('behavior: a schedule is dropped once the market has done its work', () => {
    const pending = { cause: 'max', to: 2.15, account: 'aave:1', down: true } as const;
    const answer = decided([levered(2.1)], { ...traded(-HOUR), pending });
    expect(answer.trade).toBeNull();
    expect(answer.history.pending).toBeNull();
    expect(decided([levered(2.17)], { ...traded(-HOUR), pending }).trade?.cause).toBe('max');
    const slow = { ...POLICY, chunkSeconds: 2 * HOUR };
    const waits = decided([levered(2.17)], { ...traded(-HOUR), pending }, limits({}), slow);
    expect(waits.reasons[0]?.code).toBe('chunkCooldown');
  });

  it('behavior: halted does nothing; reduce-only only reduces', () => {
    const halted = limits({ mode: 'halted' });
    expect(decided([levered(3)], traded(-HOUR), halted).trade).toBeNull();
    const reducing = limits({ mode: 'reduceOnly' });
    expect(decided([levered(2.3)], traded(-HOUR), reducing).trade?.cause).toBe('emergency');
    const up = decided([levered(1.5)], traded(-HOUR), reducing);
    expect(up.trade).toBeNull();
    expect(up.skipped.map(({ code }) => code)).toEqual(['reduceOnly']);
  });

  it('behavior: a price that is not believed triggers nothing, and is traded against by nobody', () => {
    const blind = limits({ mode: 'reduceOnly', untradable: new Set(['ETH']) });
    const answer = decided([levered(3), levered(2.3, 'morpho:1', 'BTC')], traded(-HOUR), blind);
    expect(answer.trade).toMatchObject({ account: 'morpho:1', asset: 'BTC' });
    expect(answer.skipped.map(({ code }) => code)).toEqual(['unpriced']);
    const depegged = limits({ mode: 'reduceOnly', untradable: new Set(['USDC']) });
    const stuck = decided([levered(3)], traded(-HOUR), depegged);
    expect(stuck.trade).toBeNull();
    expect(stuck.skipped[0]?.message).toContain('USDC');
  });

  it('behavior: any account near its floor is relieved, the nearest first', () => {
    const watched = levered(2.6, 'morpho:1', 'BTC');
    const answer = decided([levered(2.25), watched]);
    expect(answer.trade).toMatchObject({ account: 'morpho:1', cause: 'emergency' });
    const after = apply([levered(2.25), watched], answer.trade as LeverageTrade);
    expect(healthFactor(after[1] as AccountHealth)).toBeCloseTo(1.1 / 0.75, 9);
    // One account's cooldown does not hold up the other's relief.
    expect(answer.nextAt).toBe(NOW + 1);
    const second = leverageDecision(POLICY, after, at(1), answer.history);
    expect(second.trade).toMatchObject({ account: 'aave:1', cause: 'emergency' });
  });

  it('behavior: while another account cannot be relieved, the levered one may only shrink', () => {
    const stuck = { ...levered(4.8, 'morpho:1', 'BTC') };
    const low = decided([levered(1.5), stuck]);
    expect(low.trade).toBeNull();
    expect(low.skipped.map(({ code }) => code)).toEqual(['noRoom', 'reduceOnly']);
    expect(decided([levered(2.17), stuck]).trade).toMatchObject({
      account: 'aave:1',
      cause: 'max',
    });
  });

  it('behavior: a sale whose price impact drops another account below its floor is not made', () => {
    const cost = { proportional: 0.003, impactPerUsd: 4e-6, flashFee: 0 };
    const policy = { ...POLICY, cost };
    const neighbour = { ...levered(2), account: 'morpho:1', healthFloor: 1.199 };
    // At health 1.6 the neighbour needs 1.5987 to survive a quarter: no emergency of its own.
    const down = decided([levered(2.18), neighbour], traded(-HOUR), limits({}), policy);
    expect(down.trade?.account).toBe('aave:1');
    const frail = { ...neighbour, healthFloor: 1.599, debtUsd: 500_000 };
    const calm = { ...policy, worstMove: 0 };
    const refused = decided([levered(2.18), frail], traded(-HOUR), limits({}), calm);
    expect(refused.trade).toBeNull();
    expect(refused.skipped).toMatchObject([{ code: 'healthFloor' }]);
    expect(refused.skipped[0]?.message).toContain('morpho:1');
  });

  it('behavior: exposure is never added past what survives the worst move', () => {
    const policy = { ...POLICY, healthFloor: 1.3, min: 1.9, max: 2.5, target: 2, emergency: 3 };
    const answer = decided([levered(1.5)], traded(-HOUR), limits({}), policy);
    expect(answer.trade?.to).toBeCloseTo(1.3 / 0.75 / (1.3 / 0.75 - 0.8), 9);
    const [after] = apply([levered(1.5)], answer.trade as LeverageTrade);
    expect(healthFactor(after as AccountHealth) * 0.75).toBeGreaterThanOrEqual(1.3 - 1e-9);
  });

  it('behavior: the smallest trade binds recentering, not emergencies', () => {
    const room = limits({ minTradeUsd: 1e9 });
    expect(decided([levered(2.17)], traded(-HOUR), room).skipped[0]?.code).toBe('minTrade');
    expect(decided([levered(2.3)], traded(-HOUR), room).trade?.cause).toBe('emergency');
  });

  it('behavior: no account, an empty one, one without room to withdraw', () => {
    expect(decided([]).reasons[0]?.code).toBe('noAccount');
    const empty = { ...levered(2), collateral: [], debtUsd: 0 };
    expect(decided([empty]).reasons[0]?.code).toBe('empty');
    const drowning = decided([levered(4.8)]);
    expect(drowning.trade).toBeNull();
    expect(drowning.skipped[0]?.code).toBe('noRoom');
    const flash = { ...POLICY, cost: { proportional: 0.001, impactPerUsd: 0, flashFee: 0.0009 } };
    const saved = decided([levered(4.8)], traded(-HOUR), limits({}), flash);
    expect(saved.trade?.to).toBe(2);
  });

  it('error: numbers that are none, with their place', () => {
    const bad = { ...levered(2), debtUsd: Number.NaN };
    expect(() => decided([levered(2), bad])).toThrowError(
      expect.objectContaining({ pointer: '/accounts/1/debtUsd' }),
    );
  });

  it('property: no trade leaves an account below its floor that was not, or lower than it was', () => {
    const seed = 20_261_135;
    const rng = random(seed);
    let trades = 0;
    for (let round = 0; round < 2_000; round += 1) {
      const accounts = Array.from({ length: rng.integer(1, 4) }, (_, index) => ({
        ...levered(rng.between(1.05, 4), `account${index}`, rng.pick(['ETH', 'BTC'])),
        healthFloor: rng.between(1, 1.4),
      }));
      const policy = {
        ...POLICY,
        maxChunkUsd: rng.pick([1e4, 1e5, 1e9]),
        cost: {
          proportional: rng.between(0, 0.01),
          impactPerUsd: rng.pick([0, 1e-8, 1e-7]),
          flashFee: rng.pick([null, 0.0009]),
        },
      };
      const mode = rng.pick(['normal', 'reduceOnly'] as const);
      const { trade } = decided(accounts, START_OF_LEVERAGE, limits({ mode }), policy);
      if (trade === null) continue;
      trades += 1;
      const label = `seed ${seed}, round ${round}`;
      const sold = Math.max(0, -trade.exposureUsd);
      const after = afterTrade(accounts, {
        account: trade.account,
        asset: trade.asset,
        collateralUsd: trade.exposureUsd,
        debtUsd: trade.debtUsd,
        priceFactors: { [trade.asset]: 1 - policy.cost.impactPerUsd * sold },
      });
      const lowest = Math.min(...accounts.map(healthFactor));
      for (const [index, one] of accounts.entries()) {
        const then = healthFactor(after[index] as AccountHealth);
        const before = healthFactor(one);
        if (then >= one.healthFloor || then >= before) continue;
        // Only an emergency may lower one that was below already, and then the lowest must rise.
        expect(before, label).toBeLessThan(one.healthFloor);
        expect(trade.cause, label).toBe('emergency');
        expect(Math.min(...after.map(healthFactor)), label).toBeGreaterThan(lowest);
      }
      if (mode === 'reduceOnly') expect(trade.exposureUsd, label).toBeLessThan(0);
      expect(Math.abs(trade.exposureUsd), label).toBeLessThanOrEqual(policy.maxChunkUsd);
      expect(Number.isFinite(trade.debtUsd), label).toBe(true);
    }
    expect(trades).toBeGreaterThan(1_200);
  });
});

describe('checkLeverage', () => {
  it('default: accepts what agrees with itself', () => {
    expect(() => checkLeverage(POLICY, '/leverage')).not.toThrow();
  });

  it.each([
    ['target', { target: 1.6 }],
    ['min', { min: 0.9 }],
    ['emergency', { emergency: 2.1 }],
    ['emergency', { emergency: Number.NaN }],
    ['recenteringSpeed', { recenteringSpeed: 0 }],
    ['recenteringSpeed', { recenteringSpeed: 1.1 }],
    ['intervalSeconds', { intervalSeconds: 0 }],
    ['emergencyCooldownSeconds', { emergencyCooldownSeconds: -1 }],
    ['maxChunkUsd', { maxChunkUsd: 0 }],
    ['healthFloor', { healthFloor: 0.99 }],
    ['worstMove', { worstMove: 1 }],
    ['target', { healthFloor: 1.6 }],
    ['cost', { cost: { proportional: 1, impactPerUsd: 0, flashFee: null } }],
    ['chunkSeconds', { chunkSeconds: -1 }],
  ] as const)('error: %s is named %#', (field, part) => {
    try {
      checkLeverage({ ...POLICY, ...part }, '/leverage');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidInput);
      expect((error as InvalidInput).pointer).toBe(`/leverage/${field}`);
    }
  });
});
