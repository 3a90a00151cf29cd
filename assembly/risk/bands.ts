// When to trade which pair of assets, and where to stand afterwards: POLICY.md's pairs. Selling i and
// buying j moves e = w − w* along v = δj − δi. With S = Σ, variance σ² = v′Sv, what v is out of place is
//   a = [(Se)i − (Se)j]/σ²,
// which diffuses at s² = (Sv)′(D S D′)(Sv)/σ⁴, D = diag(w*) − w*w*′ (weights drift by D·returns), and
// costs ½κσ²a² a year. So each pair is the one-dimensional problem of twoBand.ts with κσ²: nothing is
// traded while every |a| ≤ H; else the pair of largest a/h is brought back to h until none exceeds it.
//
// Pairs are not alone, though: one that moves little is put right for nothing by the trades of those
// that move much, and should wait for them. Its own s² is therefore drawn towards the geometric mean,
//   s̃² = s²^(1−c) · mean^c,       c = 0: pairs alone; c = COMPRESSION: what is traded live.
// The value was found on simulated Brownian paths (docs/backtest.md), not on prices: 0.4 % cheaper at
// equal tracking error with 3 assets, 1.9 % with 9, 3.4 % with 21, never dearer by 0.1 %.
//
// Pairs are packed: (i, j), j < i, stands at i(i − 1)/2 + j. Refuses nothing: its callers check.

import { BAD_INPUT, OK, TOO_LARGE } from '../layout';
import { AREA, ASSETS_MAX, cell, cellAt, claim, finite, setCell } from './area';
import { twoBand } from './twoBand';

export const COMPRESSION: f64 = 0.3;

/** Pairs put right in one landing; most take one to three, each further one is ever smaller. */
const ROUNDS_MAX: i32 = 4096;
/** Relative; below it a displacement is rounding. */
const TOLERANCE: f64 = 1e-12;
/** Of worth: what a band of width zero still lets pass. */
const TINY: f64 = 1e-14;

/** Where the last landing stood farthest out: sold, bought, displacement over its trigger. */
export let worstSold: i32 = -1;
export let worstBought: i32 = -1;
export let worstExcess: f64 = 0;

export function pairsOf(n: i32): i32 {
  return (n * (n - 1)) / 2;
}

function pairOf(i: i32, j: i32): i32 {
  const high = max(i, j);
  return (high * (high - 1)) / 2 + min(i, j);
}

/** Cells of the triggers, or the landings: one of each pair, and behind them the least of each row. */
export function bandCells(n: i32): i32 {
  return pairsOf(n) + n;
}

/** Scratch cells of `shapePairs`. */
export function shapeCells(n: i32): i32 {
  return 3 * n * n;
}

/**
 * Writes σ² and s̃² of every pair: pairsOf(n) cells at `variances` and at `spreads`. Pairs without
 * variance, such as cash and a stable coin, get σ² = 0 and are never traded.
 */
export function shapePairs(
  n: i32,
  targets: usize,
  covariance: usize,
  compression: f64,
  variances: usize,
  spreads: usize,
  scratch: usize,
): void {
  const sd = scratch;
  const sds = cellAt(sd, n * n);
  const q = cellAt(sds, n * n);
  for (let i = 0; i < n; i++) {
    // Row i of S·D: s_ik·t_k − (s_i·t)·t_k.
    let dot: f64 = 0;
    for (let k = 0; k < n; k++) dot += cell(covariance, i * n + k) * cell(targets, k);
    for (let k = 0; k < n; k++) {
      setCell(sd, i * n + k, (cell(covariance, i * n + k) - dot) * cell(targets, k));
    }
  }
  multiply(n, sd, covariance, sds);
  multiply(n, sds, sd, q);
  let largest: f64 = 0;
  for (let i = 0; i < n; i++) largest = max(largest, cell(covariance, i * n + i));
  let logs: f64 = 0;
  let count = 0;
  for (let i = 1, p = 0; i < n; i++) {
    for (let j = 0; j < i; j++, p++) {
      const variance = spanOf(n, covariance, i, j);
      const counts = variance > TOLERANCE * largest;
      setCell(variances, p, counts ? variance : 0);
      const spread = counts ? max(0.0, spanOf(n, q, i, j)) / (variance * variance) : 0;
      setCell(spreads, p, spread);
      if (spread > 0) {
        logs += Math.log(spread);
        count++;
      }
    }
  }
  if (compression == 0 || count == 0) return;
  const mean = Math.exp(logs / <f64>count);
  for (let p = 0; p < pairsOf(n); p++) {
    const spread = cell(spreads, p);
    if (spread > 0) setCell(spreads, p, spread * Math.pow(mean / spread, compression));
  }
}

/** v′Mv for v = δi − δj, M symmetric. */
function spanOf(n: i32, m: usize, i: i32, j: i32): f64 {
  return cell(m, i * n + i) + cell(m, j * n + j) - 2 * cell(m, i * n + j);
}

/** out = a·b′; b is symmetric, or its transpose is what is wanted. Four rows of b at a time. */
function multiply(n: i32, a: usize, b: usize, out: usize): void {
  for (let i = 0; i < n; i++) {
    const row = cellAt(a, i * n);
    let j = 0;
    for (; j + 3 < n; j += 4) {
      const other = cellAt(b, j * n);
      let s0: f64 = 0;
      let s1: f64 = 0;
      let s2: f64 = 0;
      let s3: f64 = 0;
      for (let k = 0; k < n; k++) {
        const own = cell(row, k);
        s0 += own * cell(other, k);
        s1 += own * cell(other, n + k);
        s2 += own * cell(other, 2 * n + k);
        s3 += own * cell(other, 3 * n + k);
      }
      setCell(out, i * n + j, s0);
      setCell(out, i * n + j + 1, s1);
      setCell(out, i * n + j + 2, s2);
      setCell(out, i * n + j + 3, s3);
    }
    for (; j < n; j++) {
      let sum: f64 = 0;
      for (let k = 0; k < n; k++) sum += cell(row, k) * cell(b, j * n + k);
      setCell(out, i * n + j, sum);
    }
  }
}

/**
 * Trigger and landing of every pair in units of marginals, σ²H and σ²h, so that deciding is one
 * subtraction, and behind each the least of every row; pairs without variance get Infinity.
 * `couple` is two cells of scratch.
 */
export function bandPairs(
  n: i32,
  aversion: f64,
  proportional: f64,
  fixed: f64,
  variances: usize,
  spreads: usize,
  triggers: usize,
  landings: usize,
  couple: usize,
): i32 {
  for (let i = 0, p = 0; i < n; i++) {
    let leastTrigger: f64 = Infinity;
    let leastLanding: f64 = Infinity;
    for (let j = 0; j < i; j++, p++) {
      const variance = cell(variances, p);
      const spread = cell(spreads, p);
      let trigger: f64 = Infinity;
      let landing: f64 = Infinity;
      if (variance > 0) {
        trigger = variance * TINY;
        landing = trigger;
        if (spread > 0 && fixed == 0) {
          // twoBand's own first line, without the call: most replays have no fixed cost.
          const edge = Math.cbrt(1.5 * proportional * (spread / (aversion * variance)));
          if (!finite(edge) || (proportional > 0 && edge == 0)) return BAD_INPUT;
          trigger += variance * edge;
          landing = trigger;
        } else if (spread > 0) {
          const status = twoBand(aversion * variance, spread, proportional, fixed, couple);
          if (status != OK) return status;
          trigger += variance * cell(couple, 0);
          landing += variance * cell(couple, 1);
        }
      }
      setCell(triggers, p, trigger);
      setCell(landings, p, landing);
      leastTrigger = min(leastTrigger, trigger);
      leastLanding = min(leastLanding, landing);
    }
    setCell(triggers, pairsOf(n) + i, leastTrigger);
    setCell(landings, pairsOf(n) + i, leastLanding);
  }
  return OK;
}

/** Whether any pair stands outside its trigger; leaves the one farthest out in `worst…`. */
export function isOutside(n: i32, marginals: usize, triggers: usize): bool {
  return findWorst(n, marginals, triggers, 1 + TOLERANCE);
}

/** The pair whose displacement over its band is largest and above `least`; false: there is none. */
function findWorst(n: i32, marginals: usize, bands: usize, least: f64): bool {
  let excess = least;
  let out = false;
  const rows = cellAt(bands, pairsOf(n));
  let lowest = cell(marginals, 0);
  let highest = lowest;
  for (let i = 1; i < n; i++) {
    const own = cell(marginals, i);
    // A row whose widest gap is within its least band has no pair outside: most have none.
    if (max(own - lowest, highest - own) > excess * cell(rows, i)) {
      for (let j = 0, p = (i * (i - 1)) / 2; j < i; j++, p++) {
        const gap = own - cell(marginals, j);
        const band = cell(bands, p);
        if (!(abs(gap) > excess * band)) continue;
        excess = abs(gap) / band;
        out = true;
        worstSold = gap > 0 ? i : j;
        worstBought = gap > 0 ? j : i;
      }
    }
    lowest = min(lowest, own);
    highest = max(highest, own);
  }
  worstExcess = excess;
  return out;
}

/**
 * Trades pairs, largest displacement over landing first, until none exceeds its landing: moves
 * `weights`, and `marginals` (Se) with them. Ties go to the pair listed first.
 */
export function landPairs(
  n: i32,
  covariance: usize,
  variances: usize,
  landings: usize,
  marginals: usize,
  weights: usize,
): void {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (!findWorst(n, marginals, landings, 1 + TOLERANCE)) return;
    const sold = worstSold;
    const bought = worstBought;
    const pair = pairOf(sold, bought);
    const gap = cell(marginals, sold) - cell(marginals, bought);
    const flow = (gap - cell(landings, pair)) / cell(variances, pair);
    setCell(weights, sold, cell(weights, sold) - flow);
    setCell(weights, bought, cell(weights, bought) + flow);
    for (let k = 0; k < n; k++) {
      const row = k * n;
      const moved = cell(covariance, row + sold) - cell(covariance, row + bought);
      setCell(marginals, k, cell(marginals, k) - flow * moved);
    }
  }
}

/**
 * Writes Se, e = weights − targets. Four rows at a time: their sums do not wait for each other, which
 * makes 21 assets three times as fast; each is summed in the same order all the same.
 */
export function marginalsOf(
  n: i32,
  covariance: usize,
  targets: usize,
  weights: usize,
  marginals: usize,
): void {
  let i = 0;
  for (; i + 3 < n; i += 4) {
    const row = cellAt(covariance, i * n);
    let a: f64 = 0;
    let b: f64 = 0;
    let c: f64 = 0;
    let d: f64 = 0;
    for (let k = 0; k < n; k++) {
      const off = cell(weights, k) - cell(targets, k);
      a += cell(row, k) * off;
      b += cell(row, n + k) * off;
      c += cell(row, 2 * n + k) * off;
      d += cell(row, 3 * n + k) * off;
    }
    setCell(marginals, i, a);
    setCell(marginals, i + 1, b);
    setCell(marginals, i + 2, c);
    setCell(marginals, i + 3, d);
  }
  for (; i < n; i++) {
    let sum: f64 = 0;
    for (let k = 0; k < n; k++) {
      sum += cell(covariance, i * n + k) * (cell(weights, k) - cell(targets, k));
    }
    setCell(marginals, i, sum);
  }
}

/** Cells of targets, covariance, σ², triggers and landings. */
function tablesOf(n: i32): i32 {
  return n + n * n + pairsOf(n) + 2 * bandCells(n);
}

/**
 * Prepares the rule for targets (n cells) and covariance (n²), both kept; writes σ², triggers and
 * landings of the pairs behind them, for riskBandLand. OK, TOO_LARGE, or BAD_INPUT: a cell that is not
 * finite, a variance below zero, bands out of range.
 */
export function riskBandPrepare(n: i32, aversion: f64, proportional: f64, fixed: f64): i32 {
  if (n < 1 || n > ASSETS_MAX) return BAD_INPUT;
  const pairs = pairsOf(n);
  if (!claim(<i64>(tablesOf(n) + pairs + 2 + shapeCells(n)))) return TOO_LARGE;
  const targets = AREA;
  const covariance = cellAt(targets, n);
  const variances = cellAt(covariance, n * n);
  const triggers = cellAt(variances, pairs);
  const landings = cellAt(triggers, bandCells(n));
  const spreads = cellAt(landings, bandCells(n));
  const couple = cellAt(spreads, pairs);
  for (let k = 0; k < n + n * n; k++) if (!finite(cell(AREA, k))) return BAD_INPUT;
  for (let i = 0; i < n; i++) if (cell(covariance, i * n + i) < 0) return BAD_INPUT;
  shapePairs(n, targets, covariance, COMPRESSION, variances, spreads, cellAt(couple, 2));
  return bandPairs(
    n,
    aversion,
    proportional,
    fixed,
    variances,
    spreads,
    triggers,
    landings,
    couple,
  );
}

/** What riskBandLand does: measure alone, land on the bands, or land on the targets (ε = 0). */
export const MEASURE: i32 = 0;
export const TO_BANDS: i32 = 1;
export const TO_TARGETS: i32 = 2;

/**
 * One decision. Reads riskBandPrepare's cells and n weights behind them; writes the landing over the
 * weights and then (excess, sold, bought): the pair farthest out and its displacement over its trigger,
 * 0 and −1, −1 where no pair bears risk. Nothing moves unless that excess is above 1.
 */
export function riskBandLand(n: i32, mode: i32): i32 {
  if (n < 1 || n > ASSETS_MAX) return BAD_INPUT;
  const pairs = pairsOf(n);
  if (!claim(<i64>(tablesOf(n) + 2 * n + 3))) return TOO_LARGE;
  const targets = AREA;
  const covariance = cellAt(targets, n);
  const variances = cellAt(covariance, n * n);
  const triggers = cellAt(variances, pairs);
  const landings = cellAt(triggers, bandCells(n));
  const weights = cellAt(landings, bandCells(n));
  const found = cellAt(weights, n);
  const marginals = cellAt(found, 3);
  marginalsOf(n, covariance, targets, weights, marginals);
  const any = findWorst(n, marginals, triggers, mode == MEASURE ? 0 : 1 + TOLERANCE);
  setCell(found, 0, any ? worstExcess : 0);
  setCell(found, 1, any ? <f64>worstSold : -1);
  setCell(found, 2, any ? <f64>worstBought : -1);
  if (!any || mode == MEASURE) return OK;
  if (mode == TO_TARGETS) memory.copy(weights, targets, (<usize>n) << 3);
  else landPairs(n, covariance, variances, landings, marginals, weights);
  return OK;
}
