// Weighted pools of two to eight nodes: the core's best response against the invariant, its own
// derivatives and a reference that knows neither multipliers nor logs of them.

import { describe, test } from 'vitest';
import {
  checkAscent,
  checkForward,
  checkGradient,
  checkHessian,
  checkKink,
  checkOptimal,
  checkWild,
  generate,
  generateWild,
} from './poolChecks.ts';
import { Probe } from './pools.ts';

const probe = new Probe();
const CASES = 20_000;

describe('respondWeighted', () => {
  test('property: on the curve, within caps and optimal', () => {
    const range = { imbalance: 6, off: 5, capped: true };
    for (let seed = 1; seed <= CASES; seed++)
      checkOptimal(probe, generate(seed, 'weighted', range));
  });

  test('property: finite and in range over 24 decades of balances and 60 of prices', () => {
    for (let seed = 1; seed <= CASES; seed++) checkWild(probe, generateWild(seed, 'weighted'));
  });

  test('property: a pair curves at its kink and keeps its digits beyond', () => {
    const range = { imbalance: 3, off: 1, nodesMax: 4 };
    for (let seed = 1; seed <= CASES; seed++) checkKink(probe, generate(seed, 'weighted', range));
  });

  test('behavior: nothing allowed, nothing traded', () => {
    const one = generate(1, 'weighted', { imbalance: 1, off: 1 });
    checkOptimal(probe, { ...one, allowed: 0 });
    checkOptimal(probe, { ...one, allowed: 1 });
  });

  test('property: trading pairs by bisection finds the same surplus', () => {
    const range = { imbalance: 2, off: 1, nodesMax: 4 };
    for (let seed = 1; seed <= 60; seed++) checkAscent(probe, generate(seed, 'weighted', range));
  });

  test('property: homogeneous of degree one, its gradient is the trade', () => {
    const range = { imbalance: 3, off: 2 };
    for (let seed = 1; seed <= CASES; seed++)
      checkGradient(probe, generate(seed, 'weighted', range));
  });

  test('property: the Hessian is the derivative of the trade', () => {
    const range = { imbalance: 3, off: 2 };
    for (let seed = 1; seed <= CASES; seed++)
      checkHessian(probe, generate(seed, 'weighted', range));
  });
});

describe('forwardWeighted and respondWeightedPair', () => {
  test('property: on the curve, and what two nodes of the pool would trade', () => {
    const range = { imbalance: 6, off: 3 };
    for (let seed = 1; seed <= CASES; seed++)
      checkForward(probe, generate(seed, 'weighted', range));
  });
});
