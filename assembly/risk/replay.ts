// A policy over a history of prices, as POLICY.md's backtest defines it, for one parameter at a time:
// prices are loaded once, then each run takes a few nanoseconds an hour. Every step, with the weights
// held before the move: active return Σ(w − w*)r, its square summed; weights drift to w(1 + r)/(1 + g);
// then the family may trade, turnover ½Σ|Δw|, cost ε·turnover + F. Costs are counted, not taken out of
// the weights. Worth, for the drawdown, does pay them.
//
//   CALENDAR   to the targets, every `parameter` steps
//   THRESHOLD  when max|w − w*| > b = parameter: towards the targets to `landing`·b
//   REFERENCE  the pairs of bands.ts under the prior, no compression; κ = parameter
//   RULE       the same as it is traded live: under the forecast, compressed
//   LINEAR     the live rule in the linearised problem of the foresight bound: under the prior, weights
//              drift by D·r alone, and the squares summed are e′Pe a year instead of active returns
//
// The forecast: every `refresh` steps S = (1 − share)·E + share·(tr E/tr P)·P, E the exponentially weighted
// mean of r·r′ (RiskMetrics 1996), P the prior, which is S before step `from`; solver/policy/forecast/mixed.ts
// is the same for live policies. It uses only what has been seen. Refuses prices and parameters not > 0.

import { BAD_INPUT, OK, TOO_LARGE } from '../layout';
import { AREA, ASSETS_MAX, cell, cellAt, claim, claims, finite, setCell } from './area';
import {
  bandCells,
  bandPairs,
  COMPRESSION,
  isOutside,
  landPairs,
  marginalsOf,
  pairsOf,
  shapeCells,
  shapePairs,
} from './bands';

export const CALENDAR: i32 = 0;
export const THRESHOLD: i32 = 1;
export const REFERENCE: i32 = 2;
export const RULE: i32 = 3;
export const LINEAR: i32 = 4;

/** Cells a run answers in, from cell 0: Σ active², turnover, trades, drawdown, worth, blocks. */
const RESULTS: i32 = 8;

/** Least scale of the forecast, in units of the prior's. */
const SCALE_MIN: f64 = 1e-6;
/** Of worth or of a band: less is rounding, and would pay F for nothing. */
const ROUNDING: f64 = 1e-12;

let ticket: u32 = 0;
let n: i32 = 0;
let steps: i32 = 0;
let refresh: i32 = 0;
let forecasts: i32 = 0;
let blockSteps: i32 = 0;
let blockCount: i32 = 0;
/** Cells of one forecast: S, then σ² and s̃² of the pairs. */
let stride: i32 = 0;

let targets: usize = 0;
let returns: usize = 0;
let reference: usize = 0;
let straight: usize = 0;
let table: usize = 0;
let blocks: usize = 0;
let weights: usize = 0;
let before: usize = 0;
let marginals: usize = 0;
let couple: usize = 0;
let triggers: usize = 0;
let landings: usize = 0;

/** Cell from which the host writes targets (n), the prior (n²) and prices (rows × n). */
export function riskReplayInputs(): i32 {
  return RESULTS;
}

/** First cell of the blocks' sums: (Σ active², cost) of each, `results[5]` of them. */
export function riskReplayBlocks(): i32 {
  return <i32>((blocks - AREA) >> 3);
}

/**
 * Prepares a history of `rows` prices, `perYear` of them a year. λ = decay of the forecast per step (1:
 * the prior alone), share of the prior in it, steps between forecasts, first step of one, steps of a block. OK, TOO_LARGE
 * or BAD_INPUT.
 */
export function riskReplayLoad(
  assets: i32,
  rows: i32,
  perYear: f64,
  decay: f64,
  share: f64,
  every: i32,
  from: i32,
  block: i32,
): i32 {
  ticket = 0;
  if (assets < 1 || assets > ASSETS_MAX || rows < 2 || every < 1 || from < 0 || block < 1)
    return BAD_INPUT;
  if (!(perYear > 0 && finite(perYear))) return BAD_INPUT;
  if (!(decay > 0 && decay <= 1 && share >= 0 && share <= 1)) return BAD_INPUT;
  n = assets;
  steps = rows - 1;
  refresh = every;
  forecasts = decay == 1 ? 1 : (steps + every - 1) / every;
  blockSteps = block;
  blockCount = (steps + block - 1) / block;
  const pairs = pairsOf(n);
  stride = n * n + 2 * pairs;
  const fixedCells = RESULTS + n + n * n + 5 * n + 2 + 2 * pairs + n * n + shapeCells(n);
  const cells =
    <i64>fixedCells + <i64>rows * <i64>n + <i64>(forecasts + 1) * <i64>stride + 2 * <i64>blockCount;
  if (!claim(cells)) return TOO_LARGE;
  targets = cellAt(AREA, RESULTS);
  const prior = cellAt(targets, n);
  returns = cellAt(prior, n * n);
  reference = cellAt(returns, rows * n);
  straight = cellAt(reference, stride);
  table = cellAt(straight, stride);
  blocks = cellAt(table, forecasts * stride);
  weights = cellAt(blocks, 2 * blockCount);
  before = cellAt(weights, n);
  marginals = cellAt(before, n);
  couple = cellAt(marginals, n);
  triggers = cellAt(couple, 2);
  landings = cellAt(triggers, bandCells(n));
  const seen = cellAt(landings, bandCells(n));
  const scratch = cellAt(seen, n * n);
  for (let k = 0; k < n + n * n; k++) if (!finite(cell(targets, k))) return BAD_INPUT;
  for (let k = 0; k < rows * n; k++) {
    const price = cell(returns, k);
    if (!(price > 0) || !finite(price)) return BAD_INPUT;
  }
  // In place: row k of the returns needs rows k and k + 1 of the prices.
  for (let k = 0; k < steps * n; k++) {
    setCell(returns, k, cell(returns, k + n) / cell(returns, k) - 1);
  }
  annual = perYear;
  shape(prior, reference, 0, scratch);
  shape(prior, straight, COMPRESSION, scratch);
  forecast(prior, seen, perYear, decay, share, from, scratch);
  ticket = claims;
  return OK;
}

function shape(covariance: usize, into: usize, compression: f64, scratch: usize): void {
  memory.copy(into, covariance, (<usize>(n * n)) << 3);
  const variances = cellAt(into, n * n);
  const spreads = cellAt(variances, pairsOf(n));
  shapePairs(n, targets, into, compression, variances, spreads, scratch);
}

/** Entry f of the table holds from step f·refresh on: it has seen the returns of steps ≤ f·refresh. */
function forecast(
  prior: usize,
  seen: usize,
  perYear: f64,
  decay: f64,
  share: f64,
  from: i32,
  scratch: usize,
): void {
  if (decay == 1) {
    shape(prior, table, COMPRESSION, scratch);
    return;
  }
  memory.copy(seen, prior, (<usize>(n * n)) << 3);
  const scale = traceOf(prior);
  for (let k = 0; k < steps; k++) {
    const row = cellAt(returns, k * n);
    for (let i = 0; i < n; i++) {
      const own = (1 - decay) * perYear * cell(row, i);
      for (let j = 0; j <= i; j++) {
        const value = decay * cell(seen, i * n + j) + own * cell(row, j);
        setCell(seen, i * n + j, value);
        setCell(seen, j * n + i, value);
      }
    }
    if (k % refresh != 0) continue;
    const into = cellAt(table, (k / refresh) * stride);
    if (k < from) {
      shape(prior, into, COMPRESSION, scratch);
      continue;
    }
    const trace = traceOf(seen);
    const level = scale > 0 ? max(SCALE_MIN, trace / scale) : 1;
    const factor = trace > 0 ? (1 - share) * (scale / trace) * level : 0;
    const rest = (trace > 0 ? share : 1) * level;
    for (let c = 0; c < n * n; c++) {
      setCell(into, c, factor * cell(seen, c) + rest * cell(prior, c));
    }
    shape(into, into, COMPRESSION, scratch);
  }
}

function traceOf(matrix: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += cell(matrix, i * n + i);
  return sum;
}

/**
 * One run over the loaded history; its answer stands in the first cells and in the blocks. OK, or BAD_INPUT: no history, or a parameter not > 0.
 */
export function riskReplayRun(
  family: i32,
  parameter: f64,
  landing: f64,
  proportional: f64,
  fixed: f64,
): i32 {
  if (ticket == 0 || ticket != claims) return BAD_INPUT;
  if (family < CALENDAR || family > LINEAR) return BAD_INPUT;
  if (!(parameter > 0 && finite(parameter)) || !(landing >= 0 && landing <= 1)) return BAD_INPUT;
  if (!(proportional >= 0 && finite(proportional) && fixed >= 0 && finite(fixed))) return BAD_INPUT;
  if (family == CALENDAR && !(parameter >= 1 && parameter <= 2147483647)) return BAD_INPUT;
  memory.copy(weights, targets, (<usize>n) << 3);
  memory.fill(blocks, 0, (<usize>(2 * blockCount)) << 3);
  let active2: f64 = 0;
  let turnover: f64 = 0;
  let trades = 0;
  let worth: f64 = 1;
  let peak: f64 = 1;
  let drawdown: f64 = 0;
  for (let k = 0; k < steps; k++) {
    const row = cellAt(returns, k * n);
    const block = cellAt(blocks, 2 * (k / blockSteps));
    const growth = family == LINEAR ? moveLinear(row, block, k) : move(row, block);
    active2 += active2Now;
    worth *= 1 + growth;
    peak = max(peak, worth);
    drawdown = max(drawdown, 1 - worth / peak);
    if (family >= REFERENCE && (k == 0 || (family == RULE && k % refresh == 0))) {
      const status = prepareBands(family, k, parameter, proportional, fixed);
      if (status != OK) return status;
    }
    const moved = trade(family, k, parameter, landing, proportional);
    if (moved < 0) continue;
    const cost = proportional * moved + fixed;
    turnover += moved;
    trades++;
    worth *= 1 - cost;
    drawdown = max(drawdown, 1 - worth / peak);
    setCell(block, 1, cell(block, 1) + cost);
  }
  setCell(AREA, 0, active2);
  setCell(AREA, 1, turnover);
  setCell(AREA, 2, <f64>trades);
  setCell(AREA, 3, drawdown);
  setCell(AREA, 4, worth);
  setCell(AREA, 5, <f64>blockCount);
  return OK;
}

let active2Now: f64 = 0;
let annual: f64 = 0;

/** The prices' move: active return squared into the block, weights drift. Growth of worth. */
function move(row: usize, block: usize): f64 {
  let active: f64 = 0;
  let growth: f64 = 0;
  for (let i = 0; i < n; i++) {
    const weight = cell(weights, i);
    active += (weight - cell(targets, i)) * cell(row, i);
    growth += weight * cell(row, i);
  }
  active2Now = active * active;
  setCell(block, 0, cell(block, 0) + active2Now);
  for (let i = 0; i < n; i++) {
    setCell(weights, i, (cell(weights, i) * (1 + cell(row, i))) / (1 + growth));
  }
  return growth;
}

/** The same, linearised around the targets: e′Pe of one step before the move, no growth. */
function moveLinear(row: usize, block: usize, k: i32): f64 {
  let risk: f64 = 0;
  let mean: f64 = 0;
  // Marginals are those of the last step's trade, or none yet.
  if (k > 0) {
    for (let i = 0; i < n; i++) {
      risk += (cell(weights, i) - cell(targets, i)) * cell(marginals, i);
    }
  }
  for (let i = 0; i < n; i++) mean += cell(targets, i) * cell(row, i);
  for (let i = 0; i < n; i++) {
    setCell(weights, i, cell(weights, i) + cell(targets, i) * (cell(row, i) - mean));
  }
  active2Now = risk / annual;
  setCell(block, 0, cell(block, 0) + active2Now);
  return 0;
}

/** S and the pairs that hold at step k. */
function shapeAt(family: i32, k: i32): usize {
  if (family == REFERENCE) return reference;
  if (family == LINEAR) return straight;
  return cellAt(table, min(k / refresh, forecasts - 1) * stride);
}

function prepareBands(family: i32, k: i32, aversion: f64, proportional: f64, fixed: f64): i32 {
  const variances = cellAt(shapeAt(family, k), n * n);
  const spreads = cellAt(variances, pairsOf(n));
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

/** Lets the family trade after step k: turnover, or −1 where it stays. */
function trade(family: i32, k: i32, parameter: f64, landing: f64, proportional: f64): f64 {
  if (family == CALENDAR) {
    if ((k + 1) % <i32>parameter != 0) return -1;
    return scale(0);
  }
  if (family == THRESHOLD) {
    let widest: f64 = 0;
    for (let i = 0; i < n; i++) widest = max(widest, abs(cell(weights, i) - cell(targets, i)));
    if (widest <= parameter * (1 + ROUNDING)) return -1;
    return scale((landing * parameter) / widest);
  }
  const covariance = shapeAt(family, k);
  marginalsOf(n, covariance, targets, weights, marginals);
  if (!isOutside(n, marginals, triggers)) return -1;
  memory.copy(before, weights, (<usize>n) << 3);
  if (proportional == 0) memory.copy(weights, targets, (<usize>n) << 3);
  else landPairs(n, covariance, cellAt(covariance, n * n), landings, marginals, weights);
  let moved: f64 = 0;
  for (let i = 0; i < n; i++) moved += abs(cell(weights, i) - cell(before, i));
  return 0.5 * moved;
}

/** Brings the displacement to this share of itself; turnover, or −1 where nothing had moved. */
function scale(share: f64): f64 {
  let moved: f64 = 0;
  for (let i = 0; i < n; i++) {
    const target = cell(targets, i);
    const held = cell(weights, i);
    const next = target + share * (held - target);
    moved += abs(next - held);
    setCell(weights, i, next);
  }
  return moved > ROUNDING ? 0.5 * moved : -1;
}
