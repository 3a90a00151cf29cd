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

import { keccak_256 } from '@noble/hashes/sha3.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import {
  type Fixed36,
  formatDecimal,
  formatFixed36,
  parseFixed36,
  unitPrice72,
} from '../market/decimal.ts';
import { canonicalJson, pointerTo } from '../market/jsonText.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { pointed } from '../market/reader.ts';
import { type Dollars72, dollars72, inputCaps } from '../market/worth.ts';
import { present } from '../types/assert.ts';
import { InvalidInput } from '../types/errors.ts';
import { conjugate } from './conjugate.ts';
import { bestSelection } from './selection.ts';
import { support } from './support.ts';

/** The bound is rounded up to this many decimals; the six below them are the prices' checksum. */
const BOUND_DECIMALS = 12;
const CHECKSUM_DIGITS = 6;

/** Dual prices by node id, dollars per whole token, decimal strings. */
export type DualPrices = Readonly<Record<string, string>>;

/**
 * The published bound: dollars × 10^18. g(ν) rounded up to 12 decimals, then six digits taken from
 * keccak256 of the problem's digest and the prices. The last make it depend on every price, also on
 * one that does not move g (a node no profitable venue touches), so that no published price can
 * be altered unnoticed; they raise the bound by less than 10^−12 dollars and never lower it.
 * Throws InvalidInput with a pointer below /prices unless there is one positive price per node.
 */
export function certifyBound(problem: ParsedProblem, prices: DualPrices): bigint {
  const dual = parseDualPrices(problem, prices);
  const bound = dualBound(problem, dual);
  const unit = 10n ** BigInt(72 - BOUND_DECIMALS);
  const rounded = bound > 0n ? (bound - 1n) / unit + 1n : bound / unit;
  return rounded * 10n ** BigInt(CHECKSUM_DIGITS) + checksum(problem, dual);
}

/** One positive decimal per node, and nothing else. */
export function parseDualPrices(problem: ParsedProblem, prices: DualPrices): readonly Fixed36[] {
  for (const id of Object.keys(prices)) {
    if (!problem.nodeIndex.has(id)) {
      throw new InvalidInput(`no node has the id ${JSON.stringify(id)}`, {
        pointer: pointerTo('/prices', id),
      });
    }
  }
  return problem.nodes.map(({ id }) => {
    const place = { pointer: pointerTo('/prices', id) };
    const text = Object.hasOwn(prices, id) ? prices[id] : undefined;
    if (text === undefined) throw new InvalidInput(`no dual price for node ${id}`, place);
    const price = pointed(place, () => parseFixed36(text));
    if (price <= 0n) throw new InvalidInput('a dual price must be greater than 0', place);
    return price;
  });
}

/** g(ν) in dollars × 10^72, rounded up; `prices` are dollars per whole token, all > 0. */
export function dualBound(problem: ParsedProblem, prices: readonly Fixed36[]): Dollars72 {
  const published = problem.nodes.map((node, i) =>
    unitPrice72(present(prices[i], 'dual price'), node.decimals),
  );
  const { nu, value } = conjugate(problem, published);
  const caps = inputCaps(problem);
  const profits = problem.venues.map((venue) => {
    const profit = support(venue, nu, caps) - scaled(venue.fixedCost);
    return profit > 0n ? profit : 0n;
  });
  const groups = problem.groups.map(({ fixedCost, venues }) => ({
    cost: scaled(fixedCost),
    members: venues,
  }));
  return dollars72(value + bestSelection(profits, groups));
}

const scaled = (cost: Fixed36) => cost * 10n ** 36n;

function checksum(problem: ParsedProblem, dual: readonly Fixed36[]): bigint {
  const text = canonicalJson([problem.digest, ...dual.map(formatFixed36)]);
  const hash = keccak_256(utf8ToBytes(text));
  const head = new DataView(hash.buffer, hash.byteOffset, 8).getBigUint64(0);
  return head % 10n ** BigInt(CHECKSUM_DIGITS);
}

/** What the bound covers, in words a person can check; published beside every certificate. */
export function coverage(problem: ParsedProblem): string {
  const cap = problem.settings.venueInputCap;
  const limit =
    cap === null
      ? 'every plan on the listed venues'
      : 'every plan on the listed venues in which no venue takes in more than ' +
        `${formatDecimal(cap, 36)} times the order's worth at the file's node prices`;
  return `${limit}; this snapshot and cost model; loops of pure arbitrage included`;
}
