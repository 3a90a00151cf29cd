import { describe, test } from 'vitest';
import {
  checkAscent,
  checkForward,
  checkGradient,
  checkHessian,
  checkOptimal,
  generate,
} from './poolChecks.ts';
import { Probe } from './pools.ts';

const probe = new Probe();
const CASES = 20_000;

describe('respondStable', () => {
  test('property: on the curve, within caps and optimal', () => {
    const range = { imbalance: 6, off: 5, capped: true };
    for (let seed = 1; seed <= CASES; seed++) checkOptimal(probe, generate(seed, 'stable', range));
  });

  test('property: trading pairs by bisection finds the same surplus', () => {
    const range = { imbalance: 2, off: 1, nodesMax: 4 };
    for (let seed = 1; seed <= 60; seed++) checkAscent(probe, generate(seed, 'stable', range));
  });

  test('property: homogeneous of degree one, its gradient is the trade', () => {
    const range = { imbalance: 3, off: 2 };
    for (let seed = 1; seed <= CASES; seed++) checkGradient(probe, generate(seed, 'stable', range));
  });

  test('property: the Hessian is the derivative of the trade', () => {
    const range = { imbalance: 3, off: 2 };
    for (let seed = 1; seed <= CASES; seed++) checkHessian(probe, generate(seed, 'stable', range));
  });
});

describe('forwardStable and respondStablePair', () => {
  test('property: on the curve, and what two nodes of the pool would trade', () => {
    const range = { imbalance: 6, off: 3 };
    for (let seed = 1; seed <= CASES; seed++) checkForward(probe, generate(seed, 'stable', range));
  });
});
