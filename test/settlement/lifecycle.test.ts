// The lifecycle table, pair by pair, against the picture in docs/lifecycle.md drawn a second time
// here, and the one constructor of transitions.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type Actor,
  canTransition,
  failure,
  isTerminal,
  ORDER_STATES,
  STATE_NOTES,
  transition,
} from '../../solver/settlement/lifecycle.ts';
import { Defect } from '../../solver/types/assert.ts';
import { orderId } from '../../solver/types/ids.ts';
import type { OrderState } from '../../solver/types/store.ts';

const ALLOWED: readonly string[] = [
  'created→awarded serve',
  'created→failed serve guard',
  'awarded→opening serve',
  'awarded→failed serve guard',
  'awarded→created serve',
  'opening→opened serve guard',
  'opening→refunding serve guard',
  'opening→failed serve guard',
  'opening→created serve',
  'opened→filling serve guard',
  'opened→refunding serve guard',
  'filling→filled serve guard',
  'filling→refunding serve guard',
  'filled→proving serve guard',
  'filled→refunding serve guard',
  'proving→releasing serve guard',
  'proving→refunding serve guard',
  'releasing→settled serve guard',
  'releasing→refunding serve guard',
  'refunding→refunded guard',
  'refunding→settled guard',
];
const ACTORS: readonly Actor[] = ['serve', 'guard'];
const order = (state: OrderState, reason: string | null = null) => ({
  orderId: orderId(`0x${'1'.repeat(64)}`),
  state,
  reason,
});

describe('TRANSITIONS', () => {
  it('default: every pair of states and every actor, allowed or refused', () => {
    const allowed = ORDER_STATES.flatMap((from) =>
      ORDER_STATES.flatMap((to) => {
        const by = ACTORS.filter((actor) => canTransition(from, to, actor));
        return by.length === 0 ? [] : [`${from}→${to} ${by.join(' ')}`];
      }),
    );
    expect(allowed.toSorted()).toEqual(ALLOWED.toSorted());
    expect(ORDER_STATES).toHaveLength(12);
  });

  it('behavior: terminal states are left by nothing, and every other reaches one', () => {
    const reaches = (from: OrderState, seen: Set<OrderState> = new Set()): boolean => {
      if (isTerminal(from)) return true;
      seen.add(from);
      return ORDER_STATES.some(
        (to) =>
          !seen.has(to) &&
          ACTORS.some((actor) => canTransition(from, to, actor)) &&
          reaches(to, seen),
      );
    };
    for (const state of ORDER_STATES) {
      expect(reaches(state), state).toBe(true);
      const out = ORDER_STATES.filter((to) => ACTORS.some((by) => canTransition(state, to, by)));
      expect(out.length === 0, state).toBe(isTerminal(state));
    }
  });

  it('behavior: the guard alone brings every state after the award to an end', () => {
    for (const from of ORDER_STATES.filter((state) => !isTerminal(state))) {
      const ends = ORDER_STATES.filter((to) => canTransition(from, to, 'guard'));
      expect(ends.length, from).toBeGreaterThan(0);
    }
  });

  it('behavior: after the first fill nothing ends in `failed`, which means nothing was taken', () => {
    for (const from of ['opened', 'filling', 'filled', 'proving', 'releasing'] as const) {
      for (const by of ACTORS) expect(canTransition(from, 'failed', by), from).toBe(false);
    }
  });

  it('behavior: docs/lifecycle.md names every state', () => {
    const text = readFileSync(new URL('../../docs/lifecycle.md', import.meta.url), 'utf8');
    for (const state of ORDER_STATES) expect(text).toContain(`\`${state}\``);
  });
});

describe('transition', () => {
  it('default: one event that says where the money is and what happens next', () => {
    const made = transition(order('awarded'), 'opening', 'serve', { data: { chains: 2 } });
    expect(made.events).toEqual([
      {
        type: 'order.opening',
        data: { from: 'awarded', to: 'opening', by: 'serve', ...STATE_NOTES.opening, chains: 2 },
      },
    ]);
    expect(made.reason).toBeNull();
  });

  it('behavior: a failure says why; later steps keep the reason', () => {
    const because = failure('notFilled', 'output 0 is empty', 'refunding');
    const made = transition(order('filling'), 'refunding', 'guard', { failure: because });
    expect(made.reason).toBe(
      'notFilled: output 0 is empty. Money: what was not filled is in escrow and comes back to ' +
        'your wallet. Next: the non-fill is proven to every origin and the escrow refunded.',
    );
    expect(made.events[0]?.data).toMatchObject({ code: 'notFilled', why: 'output 0 is empty' });
    const next = transition(order('refunding', made.reason ?? ''), 'refunded', 'guard');
    expect(next.reason).toBe(made.reason);
  });

  it('error: what the table does not list is a defect', () => {
    expect(() => transition(order('created'), 'filling', 'serve')).toThrow(Defect);
    expect(() => transition(order('refunding'), 'refunded', 'serve')).toThrow(Defect);
  });

  it('error: a failing state without a reason is a defect', () => {
    expect(() => transition(order('created'), 'failed', 'guard')).toThrow(Defect);
    expect(() => transition(order('filling'), 'refunding', 'guard')).toThrow(Defect);
  });
});
