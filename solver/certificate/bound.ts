// The certificate's bound, recomputed from published dual prices without the optimizer:
//
//   g(ν) = Ū(ν) + max over sets of used venues of Σ (f_e(ν) − q_e) − Σ group costs
//
// For ANY positive ν it is at least the value of every plan this problem admits: every amount, every
// route, any number of venues, loops of pure arbitrage between the listed venues included. It
// covers this snapshot and this cost model and, with settings.venueInputCap, plans that keep to
// that cap. It says nothing of venues that are not listed. All arithmetic is in integers and
// every rounding is outward; there is no float anywhere, so the same input gives the same digits
// on every machine.

import {
  ceilDiv,
  type Fixed36,
  formatDecimal,
  formatFixed36,
  largerOf,
  ONE36,
  unitPrice72,
} from '../market/decimal.ts';
import { canonicalJson } from '../market/jsonText.ts';
import { keccakOf } from '../market/keccak.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { type Dollars72, dollars72, inputCaps } from '../market/worth.ts';
import { present } from '../types/assert.ts';
import type { BoundTree, DualPrices } from '../types/problem.ts';
import { type Fixings, FREE, leavesOf } from './branches.ts';
import { admissible, conjugate } from './conjugate.ts';
import { parseDualPrices } from './dualPrices.ts';
import { NOTHING, type Screen, UNCAPPED } from './screen.ts';
import { bestSelection, type CostGroup } from './selection.ts';
import { support, usedSupport } from './support.ts';

/** The bound is rounded up to this many decimals; the six below them are the prices' checksum. */
const BOUND_DECIMALS = 12;
const CHECKSUM_DIGITS = 6;

/**
 * The published bound: dollars × 10^18. g rounded up to 12 decimals, then six digits taken from
 * keccak256 of the problem's digest, the prices and the branches. The last make it depend on every
 * price, also on one that does not move g (a node no profitable venue touches, or a leaf that is
 * not the largest), so that nothing published can be altered unnoticed; they raise the bound by less
 * than 10^−12 dollars and never lower it. With `branches` g is the largest of its leaves', else
 * g(prices). Throws InvalidInput with a pointer below /prices or /branches when either is malformed.
 */
export function certifyBound(
  problem: ParsedProblem,
  prices: DualPrices,
  branches?: BoundTree,
  screen?: Screen,
): bigint {
  return certifyAt(problem, parseDualPrices(problem, prices), branches, screen);
}

/** certifyBound at prices that are read already. */
export function certifyAt(
  problem: ParsedProblem,
  dual: readonly Fixed36[],
  branches?: BoundTree,
  screen?: Screen,
): bigint {
  const texts = dual.map(formatFixed36);
  if (branches === undefined) {
    return certified(dualBound(problem, dual, FREE, screen), [problem.digest, ...texts]);
  }
  const leaves = leavesOf(problem, branches);
  const bound = leaves
    .map((leaf) => dualBound(problem, leaf.prices, leaf.fixings, screen))
    .reduce((most, leaf) => dollars72(largerOf(most, leaf)));
  const shape = leaves.map((leaf) => [leaf.path, leaf.prices.map(formatFixed36)]);
  return certified(bound, [problem.digest, texts, shape]);
}

/**
 * At most this much of the bound is free money: what loops of pure arbitrage among the venues alone
 * can earn, the same problem with nothing sold, held or ordered. Dollars × 10^18, as certifyBound.
 */
export function certifyLoops(problem: ParsedProblem, prices: DualPrices, screen?: Screen): bigint {
  const dual = parseDualPrices(problem, prices, '/loops/prices');
  const nu = admissible(problem, unitDual(problem, dual));
  const bound = venuesBound(problem, nu, FREE, screen);
  return certified(bound, [problem.digest, 'loops', ...dual.map(formatFixed36)]);
}

/** g(ν) in dollars × 10^72, rounded up; `prices` are dollars per whole token, all > 0. */
export function dualBound(
  problem: ParsedProblem,
  prices: readonly Fixed36[],
  fixings: Fixings = FREE,
  screen?: Screen,
): Dollars72 {
  const { nu, value } = conjugate(problem, unitDual(problem, prices), fixings.orders);
  return dollars72(value + venuesBound(problem, nu, fixings, screen));
}

/**
 * The most all venues together can add at ν, after fixed costs. A venue fixed as used gains f − q
 * even if that is a loss; a group is paid once it is fixed as used or one of its venues is; venues
 * fixed as unused, or in such a group, gain nothing.
 */
function venuesBound(
  problem: ParsedProblem,
  nu: readonly bigint[],
  fixings: Fixings,
  screen?: Screen,
): Dollars72 {
  const caps = inputCaps(problem);
  const out = new Set<number>();
  for (const [g, used] of fixings.groups) {
    if (!used) for (const venue of present(problem.groups[g], 'group').venues) out.add(venue);
  }
  const marks = screen?.(problem.venues, nu, caps);
  const uncapped = caps.map(() => null);
  let fixed = 0n;
  const profits = new Array<bigint>(problem.venues.length).fill(0n);
  const pinned = fixings.venues.size > 0;
  for (let index = 0; index < profits.length; index++) {
    const mark = marks?.[index];
    const used = pinned ? fixings.venues.get(index) : undefined;
    if (used === undefined && mark === NOTHING) continue;
    if (used === false || out.has(index)) continue;
    const venue = present(problem.venues[index], 'venue');
    const within = mark === UNCAPPED ? uncapped : caps;
    const best = used === true ? usedSupport(venue, nu, within) : support(venue, nu, within);
    const profit = best - scaled(venue.fixedCost);
    if (used === true) fixed += profit;
    else if (profit > 0n) profits[index] = profit;
  }
  const choices: CostGroup[] = [];
  problem.groups.forEach(({ fixedCost, venues }, g) => {
    const cost = scaled(fixedCost);
    const paid =
      fixings.groups.get(g) ?? venues.some((v) => fixings.venues.get(v) === true && !out.has(v));
    if (paid) fixed -= cost;
    else choices.push({ cost, members: venues });
  });
  return dollars72(fixed + bestSelection(profits, choices));
}

/** Dollars × 10^72 per base unit. */
export function unitDual(problem: ParsedProblem, prices: readonly Fixed36[]): readonly bigint[] {
  return problem.nodes.map((node, i) =>
    unitPrice72(present(prices[i], 'dual price'), node.decimals),
  );
}

const scaled = (cost: Fixed36) => cost * ONE36;

/** Up to 12 decimals, then six digits of the hash of what proves it. */
function certified(bound: Dollars72, proof: readonly unknown[]): bigint {
  const unit = 10n ** BigInt(72 - BOUND_DECIMALS);
  // The first eight bytes of the digest.
  const head = BigInt(keccakOf(canonicalJson(proof)).slice(0, 18));
  const digits = 10n ** BigInt(CHECKSUM_DIGITS);
  return ceilDiv(bound, unit) * digits + (head % digits);
}

/** What the bound covers, in words a person can check; published beside every certificate. */
export function coverage(problem: ParsedProblem): string {
  const cap = problem.settings.venueInputCap;
  const limit =
    cap === null
      ? 'every plan on the listed venues'
      : 'every plan on the listed venues in which no venue takes in more than ' +
        `${formatDecimal(cap, 36)} times the order's worth at the file's node prices`;
  const pools = problem.venues.some(({ nodes }) => nodes.length > 2)
    ? '; each pool of many tokens used for one pair of them'
    : '';
  return `${limit}${pools}; this snapshot and cost model; loops of pure arbitrage included`;
}
