// The guard's decisions as a table: what the chains say, and what protects the owner then.

import { describe, expect, it } from 'vitest';
import { guardActions, missingFillProofs, standingOf } from '../../solver/settlement/decide.ts';
import type { OrderFacts, Proof, SlotStatus } from '../../solver/settlement/facts.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { hash32 } from '../../solver/types/ids.ts';

const TIMES = { openBy: 100, fillDeadline: 200, expiry: 300 };
const block = (timestamp: number) => ({
  number: 1n,
  hash: hash32(`0x${'1'.repeat(64)}`),
  parentHash: hash32(`0x${'0'.repeat(64)}`),
  timestamp: unixSeconds(timestamp),
});
type Origins = OrderFacts['origins'];
type Outputs = OrderFacts['outputs'];

const origin = (
  chainId: number,
  status: SlotStatus,
  now: number,
  proofs: Proof[] = ['none'],
  ours = status !== 'none' && status !== 'cancelled',
): Origins[number] => ({ reachable: true, chainId, at: block(now), status, ours, proofs });
const empty = (index: number, chainId: number, now: number): Outputs[number] => ({
  reachable: true,
  index,
  chainId,
  at: block(now),
  record: 'empty',
  fill: null,
});
const tombstone = (index: number, chainId: number, now: number): Outputs[number] => ({
  ...empty(index, chainId, now),
  reachable: true,
  at: block(now),
  fill: null,
  record: 'tombstone',
});
const filled = (index: number, chainId: number, at: number, now = 150): Outputs[number] => ({
  reachable: true,
  index,
  chainId,
  at: block(now),
  record: 'filled',
  fill: { solver: `0x${'5'.repeat(64)}`, timestamp: unixSeconds(at) },
});
const down = (chainId: number): Origins[number] => ({ reachable: false, chainId, error: 'down' });
const downOutput = (index: number, chainId: number): Outputs[number] => ({
  reachable: false,
  chainId,
  error: 'down',
  index,
});
const facts = (origins: Origins, outputs: Outputs): OrderFacts => ({ origins, outputs });
const standing = (origins: Origins, outputs: Outputs) => standingOf(facts(origins, outputs), TIMES);
const actions = (origins: Origins, outputs: Outputs, declined = false) =>
  guardActions(facts(origins, outputs), TIMES, declined);

describe('standingOf', () => {
  it('default: one row per standing', () => {
    const open = origin(1, 'open', 150);
    expect(standing([open, origin(2, 'open', 150)], [empty(0, 3, 150)])).toBe('allOpen');
    expect(standing([open, origin(2, 'none', 90)], [empty(0, 3, 90)])).toBe('opening');
    expect(standing([open, origin(2, 'none', 101)], [empty(0, 3, 101)])).toBe('partlyOpen');
    expect(standing([open, origin(2, 'cancelled', 90)], [empty(0, 3, 90)])).toBe('partlyOpen');
    expect(standing([open, origin(2, 'open', 90, ['none'], false)], [empty(0, 3, 90)])).toBe(
      'partlyOpen',
    );
    expect(standing([origin(1, 'none', 101)], [empty(0, 3, 101)])).toBe('nothingTaken');
    expect(standing([open], [filled(0, 3, 200)])).toBe('allFilled');
    expect(standing([open], [filled(0, 3, 201)])).toBe('lost');
    expect(standing([open], [empty(0, 3, 201)])).toBe('lost');
    expect(standing([open], [tombstone(0, 3, 201)])).toBe('lost');
    expect(standing([origin(1, 'released', 150)], [filled(0, 3, 150)])).toBe('released');
    expect(standing([origin(1, 'refunded', 250)], [tombstone(0, 3, 201)])).toBe('refunded');
  });

  it('behavior: silence is never taken for an end', () => {
    expect(standing([down(1)], [empty(0, 3, 250)])).toBe('opening');
    expect(standing([origin(1, 'released', 150), down(2)], [filled(0, 3, 150)])).toBe('opening');
    expect(standing([origin(1, 'open', 150)], [downOutput(0, 3)])).toBe('allOpen');
  });

  it('behavior: what a stranger fills before our opens does not stop them', () => {
    expect(standing([origin(1, 'none', 90)], [filled(0, 3, 80)])).toBe('opening');
    expect(standing([origin(1, 'none', 101)], [filled(0, 3, 80)])).toBe('nothingTaken');
    const one = [origin(1, 'open', 101), origin(2, 'none', 101)];
    expect(standing(one, [filled(0, 3, 80)])).toBe('allFilled');
  });
});

describe('guardActions', () => {
  it('default: nothing while the filler may still finish, or when nothing is in escrow', () => {
    expect(actions([origin(1, 'open', 150)], [empty(0, 3, 150)])).toEqual([]);
    expect(actions([origin(1, 'none', 150)], [empty(0, 3, 250)])).toEqual([]);
    expect(actions([origin(1, 'released', 350)], [filled(0, 3, 150)])).toEqual([]);
  });

  it('behavior: Decline refunds at once', () => {
    expect(actions([origin(1, 'open', 120)], [empty(0, 3, 120)], true)).toEqual([
      { kind: 'refund', chainId: 1, ground: { kind: 'decline' } },
    ]);
  });

  it('behavior: tombstone, then its proof, then the refund', () => {
    const late = [origin(1, 'open', 201)];
    expect(actions(late, [filled(0, 3, 150), empty(1, 4, 201)])).toEqual([
      { kind: 'tombstone', chainId: 4, outputs: [1] },
    ]);
    expect(actions(late, [filled(0, 3, 150), tombstone(1, 4, 210)])).toEqual([
      { kind: 'prove', chainId: 4, output: 1, origins: [1] },
    ]);
    const proven = [origin(1, 'open', 220, ['none', 'tombstone'])];
    expect(actions(proven, [filled(0, 3, 150), tombstone(1, 4, 210)])).toEqual([
      { kind: 'refund', chainId: 1, ground: { kind: 'tombstone', output: 1 } },
    ]);
  });

  it('behavior: a proven late fill is a ground too', () => {
    const proven = [origin(1, 'open', 220, ['fill'])];
    expect(actions(proven, [filled(0, 3, 205, 220)])).toEqual([
      { kind: 'refund', chainId: 1, ground: { kind: 'lateFill', output: 0 } },
    ]);
  });

  it('behavior: expiry is the last resort, and not for an owner who was served', () => {
    const after = [origin(1, 'open', 301)];
    const expired = { kind: 'refund', chainId: 1, ground: { kind: 'expired' } };
    expect(actions(after, [downOutput(0, 3)])).toEqual([expired]);
    expect(actions([origin(1, 'open', 300)], [downOutput(0, 3)])).toEqual([]);
    expect(actions(after, [filled(0, 3, 150)])).toEqual([]);
  });
});

describe('missingFillProofs', () => {
  it('default: per source chain, the outputs and open origins; same-chain needs none', () => {
    const origins = [
      origin(1, 'open', 150, ['none', 'fill']),
      origin(3, 'open', 150, ['fill', 'none']),
    ];
    const outputs = [filled(0, 3, 150), filled(1, 4, 150)];
    expect([...missingFillProofs(facts(origins, outputs))]).toEqual([
      [3, { outputs: [0], origins: [1] }],
      [4, { outputs: [1], origins: [3] }],
    ]);
  });
});
