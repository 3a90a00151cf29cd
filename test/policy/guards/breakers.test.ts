import { describe, expect, it } from 'vitest';
import {
  type BreakerPolicy,
  type BreakerState,
  CALM,
} from '../../../solver/policy/guards/breakers.ts';
import { judgeBreakers, resumed, stricter } from '../../../solver/policy/guards/judgeBreakers.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { random } from '../../engine/generate.ts';

const NOW = unixSeconds(1_700_000_000);
const POLICY: BreakerPolicy = {
  drawdown: { windowSeconds: 86_400, max: 0.2 },
  maxMovePerHour: 0.1,
  maxConsecutiveFailures: 3,
  maxMessagingOutageSeconds: 1_800,
  resumeAfterSeconds: 3_600,
  onTrip: 'halt',
};
const at = (seconds: number) => unixSeconds(NOW + seconds);
const judge = (state: Partial<BreakerState>, policy = POLICY, seconds = 0, price = 100) =>
  judgeBreakers(policy, { ...CALM, ...state }, at(seconds), Float64Array.of(price), ['ETH']);

describe('judgeBreakers', () => {
  it('default: calm is normal', () => {
    expect(judge({})).toMatchObject({ mode: 'normal', tripped: null, resumesAt: null });
  });

  it.each([
    [
      'drawdown',
      {
        worth: [
          { at: at(-80_000), usd: 100 },
          { at: at(0), usd: 79.9 },
        ],
      },
    ],
    ['move', { pricesHourAgo: Float64Array.of(112) }],
    ['move', { pricesHourAgo: Float64Array.of(90) }],
    ['failures', { consecutiveFailures: 3 }],
    ['messaging', { messagingDownSince: at(-1_801) }],
  ] as const)('behavior: %s trips', (code, state) => {
    const judged = judge(state);
    expect(judged.mode).toBe('halted');
    expect(judged.tripped).toEqual({ at: NOW, code });
    expect(judged.next.tripped).toEqual({ at: NOW, code });
    expect(judged.resumesAt).toBe(NOW + 3_600);
    expect(judged.reasons.map((reason) => reason.code)).toEqual([code, 'tripped']);
    expect(judge(state, { ...POLICY, onTrip: 'reduceOnly' }).mode).toBe('reduceOnly');
  });

  it.each([
    {
      worth: [
        { at: at(-86_401), usd: 100 },
        { at: at(0), usd: 79.9 },
      ],
    },
    {
      worth: [
        { at: at(-80_000), usd: 100 },
        { at: at(0), usd: 80 },
      ],
    },
    { pricesHourAgo: Float64Array.of(100 / 1.0999) },
    { consecutiveFailures: 2 },
    { messagingDownSince: at(-1_800) },
  ])('behavior: at the limit it does not trip %#', (state) => {
    expect(judge(state).mode).toBe('normal');
  });

  it('behavior: what is not watched never trips', () => {
    const blind = {
      ...POLICY,
      drawdown: null,
      maxMovePerHour: null,
      maxMessagingOutageSeconds: null,
    };
    const state = {
      worth: [
        { at: at(-10), usd: 100 },
        { at: at(0), usd: 1 },
      ],
      pricesHourAgo: Float64Array.of(1),
      messagingDownSince: at(-1e6),
    };
    expect(judge(state, blind).mode).toBe('normal');
  });

  it('behavior: venues that are down are avoided, and too many of them trip', () => {
    const failedVenues = ['uni:1', 'bal:7'];
    expect(judge({ failedVenues }).reasons[0]?.code).toBe('venuesAvoided');
    expect(judge({ failedVenues }, { ...POLICY, maxFailedVenues: 2 }).mode).toBe('normal');
    expect(judge({ failedVenues }, { ...POLICY, maxFailedVenues: 1 }).tripped?.code).toBe('venues');
  });

  it('behavior: goes on after its time and once its cause is over, not before', () => {
    const tripped = { at: NOW, code: 'messaging' };
    expect(judge({ tripped }, POLICY, 3_599).mode).toBe('halted');
    expect(judge({ tripped, messagingDownSince: at(-10) }, POLICY, 3_600).mode).toBe('halted');
    const free = judge({ tripped }, POLICY, 3_600);
    expect(free).toMatchObject({ mode: 'normal', tripped: null });
    expect(free.reasons[0]?.code).toBe('resumed');
    // With 0 it goes on as soon as the cause is over.
    expect(judge({ tripped }, { ...POLICY, resumeAfterSeconds: 0 }, 0).mode).toBe('normal');
  });

  it.each(['move', 'drawdown'])('error: a %s is not over while no price is believed', (code) => {
    const state = { ...CALM, tripped: { at: NOW, code } };
    expect(judgeBreakers(POLICY, state, at(7_200), null)).toMatchObject({
      mode: 'halted',
      tripped: { code },
    });
    expect(judge(state, POLICY, 7_200).mode).toBe('normal');
  });

  it('behavior: with null it waits for its owner, however long', () => {
    const policy = { ...POLICY, resumeAfterSeconds: null };
    const tripped = { at: NOW, code: 'move' };
    const waiting = judge({ tripped }, policy, 1e8);
    expect(waiting).toMatchObject({ mode: 'halted', resumesAt: null });
    expect(judgeBreakers(policy, resumed(waiting.next), at(1e8), null).mode).toBe('normal');
  });

  it('behavior: after failures one attempt is allowed, and one more failure trips again', () => {
    const tripped = { at: NOW, code: 'failures' };
    const tried = judge({ tripped, consecutiveFailures: 3 }, POLICY, 3_600);
    expect(tried.mode).toBe('normal');
    expect(tried.next.consecutiveFailures).toBe(2);
    expect(judgeBreakers(POLICY, tried.next, at(3_601), null).mode).toBe('normal');
    const failed = { ...tried.next, consecutiveFailures: tried.next.consecutiveFailures + 1 };
    expect(judgeBreakers(POLICY, failed, at(3_700), null).tripped).toEqual({
      at: at(3_700),
      code: 'failures',
    });
  });

  it('behavior: worth that has left the window is forgotten, and never counts from the future', () => {
    const worth = [
      { at: at(-90_000), usd: 500 },
      { at: at(-10), usd: 100 },
      { at: at(10), usd: 1 },
    ];
    const judged = judge({ worth });
    expect(judged.mode).toBe('normal');
    expect(judged.next.worth).toEqual([{ at: at(-10), usd: 100 }]);
  });

  it('property: every stop either goes on once time and causes are over, or says what it waits for', () => {
    const seed = 20_261_123;
    const rng = random(seed);
    for (let round = 0; round < 60; round += 1) {
      const resumeAfterSeconds = rng.pick([null, 0, 1_800, 7_200]);
      const policy = {
        ...POLICY,
        resumeAfterSeconds,
        onTrip: rng.pick(['halt', 'reduceOnly'] as const),
      };
      let state: BreakerState = CALM;
      let price = 100;
      let trippedAt: number | null = null;
      for (let step = 0; step < 200; step += 1) {
        const before = price;
        price *= rng.next() < 0.05 ? rng.between(0.85, 1.15) : rng.between(0.995, 1.005);
        const now = at(step * 600);
        const down = rng.next() < 0.02 ? now : state.messagingDownSince;
        state = {
          ...state,
          pricesHourAgo: Float64Array.of(before),
          messagingDownSince: rng.next() < 0.1 ? null : down,
        };
        const judged = judgeBreakers(policy, state, now, Float64Array.of(price), ['ETH']);
        const moved = Math.abs(price / before - 1) > 0.1;
        const silent = state.messagingDownSince !== null && now - state.messagingDownSince > 1_800;
        const clear = !moved && !silent;
        const over =
          trippedAt !== null &&
          resumeAfterSeconds !== null &&
          now >= trippedAt + resumeAfterSeconds;
        const label = `seed ${seed}, round ${round}, step ${step}`;
        if (trippedAt === null && !clear) trippedAt = now;
        else if (trippedAt !== null && over && clear) trippedAt = null;
        expect(judged.tripped?.at ?? null, label).toBe(trippedAt);
        expect(judged.mode === 'normal', label).toBe(trippedAt === null);
        if (trippedAt !== null) expect(judged.reasons.length, label).toBeGreaterThan(0);
        state = judged.next;
      }
    }
  });
});

describe('stricter', () => {
  it('default: halted over reduce-only over normal', () => {
    expect(stricter('normal', 'reduceOnly')).toBe('reduceOnly');
    expect(stricter('halted', 'reduceOnly')).toBe('halted');
    expect(stricter('normal', 'normal')).toBe('normal');
  });
});
