// What must hold of any pool's best response, whatever its invariant: random pools and prices from a
// seed, and checks that throw with the seed. The reference here trades pairs of nodes by bisection on
// the curve in pools.ts; it shares nothing with the core but the papers.

import { random } from '../engine/generate.ts';
import {
  type Curve,
  curveOf,
  curveThrough,
  marginals,
  type Pool,
  type Probe,
  type Response,
  sum,
} from './pools.ts';

export interface Case {
  readonly seed: number;
  readonly pool: Pool;
  readonly prices: readonly number[];
  readonly allowed: number;
}

export interface Range {
  /** Decades by which balances, in the pool's own units, differ. */
  readonly imbalance: number;
  /** Largest log distance of prices from the pool's own, uniform in the exponent from 1e−10. */
  readonly off: number;
  readonly capped?: boolean;
  readonly nodesMax?: number;
}

export function generate(seed: number, kind: Pool['kind'], range: Range): Case {
  const { next } = random(seed);
  const n = 2 + Math.floor(next() * ((range.nodesMax ?? (kind === 'weighted' ? 8 : 5)) - 1));
  const indices = Array.from({ length: n }, (_, i) => i);
  const scale = 10 ** (-6 + 18 * next());
  const decades = range.imbalance * next();
  const rates = indices.map(() => (kind === 'stable' ? 10 ** (6 * next() - 3) : 1));
  const raw = indices.map(() => 0.02 + next() ** 3);
  const pool: Pool = {
    kind,
    balances: rates.map((rate) => (scale * 10 ** (decades * (next() - 0.5))) / rate),
    weights: raw.map((weight) => weight / sum(raw)),
    rates,
    caps: rates.map((rate) => {
      if (range.capped !== true || next() < 0.6) return Number.POSITIVE_INFINITY;
      return next() < 0.2 ? 0 : (scale * 10 ** (5 * next() - 4)) / rate;
    }),
    keep: next() < 0.1 ? 1 : 1 - 10 ** (-5 + 4 * next()),
    ann: kind === 'stable' ? n * 5000 ** next() : 1,
  };
  const own = marginals(pool, pool.balances);
  const off = 10 ** (-10 + (10 + Math.log10(range.off)) * next());
  const base = own[0] ?? 1;
  const prices = own.map((price) => (price / base) * Math.exp(off * (2 * next() - 1)));
  const allowed = range.capped === true && next() < 0.4 ? Math.floor(next() * 256) : 0xff;
  return { seed, pool, prices, allowed };
}

/** Anything the core must survive: 24 decades of balances, 60 of prices, caps of any size. */
export function generateWild(seed: number, kind: Pool['kind']): Case {
  const { next } = random(seed);
  const n = 2 + Math.floor(next() * (kind === 'weighted' ? 7 : 4));
  const indices = Array.from({ length: n }, (_, i) => i);
  const raw = indices.map(() => 0.01 + next() ** 4);
  const decades = 24 * next();
  const span = 30 * next();
  const pool: Pool = {
    kind,
    balances: indices.map(() => 10 ** (3 + decades * (next() - 0.5))),
    weights: raw.map((weight) => weight / sum(raw)),
    rates: indices.map(() => (kind === 'stable' ? 10 ** (2 * next() - 1) : 1)),
    caps: indices.map(() => {
      if (next() < 0.6) return Number.POSITIVE_INFINITY;
      return next() < 0.3 ? 0 : 10 ** (30 * next() - 15);
    }),
    keep: next() < 0.1 ? 1 : 1 - 10 ** (-6 * next() - 0.01),
    ann: kind === 'stable' ? n * 5000 ** next() : 1,
  };
  const prices = indices.map(() => 10 ** (span * (2 * next() - 1)));
  return { seed, pool, prices, allowed: next() < 0.5 ? 0xff : Math.floor(next() * 256) };
}

/** Finite, in range and worth what it says, whatever the input. */
export function checkWild(probe: Probe, c: Case): void {
  probe.write(c.pool);
  checkTrades(c, probe.respond(c.prices, c.allowed));
  const { next } = random(c.seed + 1);
  c.pool.balances.forEach((_, i) => {
    const j = (i + 1) % c.pool.balances.length;
    const y = probe.forward(i, j, 10 ** (40 * next() - 20));
    if (!(y >= 0 && y <= at(c.pool.balances, j))) fail(c, 'output', y);
    const pair = probe.pair(i, j, c.prices, 1 + (c.seed % 3), at(c.pool.caps, i));
    for (const got of [pair.input, pair.output, pair.surplus, pair.curvature]) {
      if (!(got >= 0 && got < Infinity)) fail(c, 'pair', got);
    }
  });
}

/** At its kink a pair trades nothing yet but curves; a hair beyond it, both; a hair before, neither. */
export function checkKink(probe: Probe, c: Case): void {
  probe.write(c.pool);
  const own = marginals(c.pool, c.pool.balances);
  const prices = (beyond: number) =>
    own.map((price, i) => (i === 1 ? (price * (1 + beyond)) / c.pool.keep : price));
  const before = probe.respond(prices(-1e-10), 3);
  if (c.pool.keep < 1 && (before.surplus !== 0 || before.hessian.flat().some((w) => w !== 0))) {
    fail(c, 'curved before its kink', before.surplus);
  }
  const beyond = probe.respond(prices(1e-10), 3);
  if (!(beyond.surplus > 0 && at(beyond.trades, 1) > 0)) fail(c, 'no trade', beyond.surplus);
  // Quadratic beyond the kink: f = w·log(beyond)²/2, though f is 1e−20 of the balance.
  const w = beyond.hessian[0]?.[0] ?? Number.NaN;
  const shape = beyond.surplus / (0.5 * w * 1e-20);
  if (Math.abs(shape - 1) > 1e-3) fail(c, 'shape beyond the kink', shape);
  const nearest = probe.respond(prices(-3e-14), 3).hessian[0]?.[0] ?? Number.NaN;
  if (Math.abs(nearest / w - 1) > 1e-3) fail(c, 'curvature at the kink', nearest / w);
}

function fail(c: Case, what: string, got: number): never {
  throw new Error(`seed ${c.seed}: ${what}: ${got}\n${JSON.stringify(c)}`);
}

const at = (values: readonly number[], i: number): number => values[i] ?? Number.NaN;

/** Balances after net trades, the fee left outside the curve. */
function after(pool: Pool, trades: readonly number[]): number[] {
  return trades.map((trade, i) => at(pool.balances, i) - (trade > 0 ? trade : pool.keep * trade));
}

function checkTrades(c: Case, { surplus, trades, hessian }: Response): void {
  const { pool, prices, allowed } = c;
  if (![surplus, ...trades, ...hessian.flat()].every(Number.isFinite)) {
    fail(c, 'not finite', Number.NaN);
  }
  if (surplus < 0) fail(c, 'surplus', surplus);
  const values = trades.map((trade, i) => trade * at(prices, i));
  const gross = sum(values.map(Math.abs));
  if (Math.abs(sum(values) - surplus) > 1e-9 * gross) fail(c, 'worth', sum(values) / surplus);
  trades.forEach((trade, i) => {
    const still = ((allowed >> i) & 1) === 0 ? trade !== 0 : -trade > at(pool.caps, i);
    if (still || trade > at(pool.balances, i)) fail(c, `trade ${i}`, trade);
  });
}

/**
 * Finite, worth what it says, within caps, on the curve and optimal: one multiplier θ with marginal =
 * θν where paid out, θν/γ where taken in, between at rest, more at a cap.
 */
export function checkOptimal(probe: Probe, c: Case): void {
  const { pool, prices, allowed } = c;
  probe.write(pool);
  const response = probe.respond(prices, allowed);
  checkTrades(c, response);
  const { trades } = response;
  const z = after(pool, trades);
  // Subtracting a trade from a balance it nearly drains loses digits here, not in the core.
  const lost = Math.max(...z.map((own, i) => at(pool.balances, i) / own));
  if (!(lost < 1e5)) return;
  const off = curveOf(pool, z);
  if (Math.abs(off) > 1e-15 * lost + 1e-12) fail(c, 'off the curve', off);
  const marginal = marginals(pool, z);
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  trades.forEach((trade, i) => {
    if (((allowed >> i) & 1) === 0) return;
    const out = at(marginal, i) / at(prices, i);
    const cap = at(pool.caps, i);
    if (trade >= 0) high = Math.min(high, out);
    if (trade > 0) low = Math.max(low, out);
    if (trade < 0) high = Math.min(high, pool.keep * out);
    if (trade <= 0 && -trade < cap * (1 - 1e-12)) low = Math.max(low, pool.keep * out);
  });
  if (low / high - 1 > 1e-9) fail(c, 'not optimal', low / high - 1);
}

/** Balance of j that meets the curve at balances z with another z_i, by bisection in its log. */
function meet(curve: Curve, z: readonly number[], j: number): number {
  const trial = [...z];
  let low = Math.log(at(z, j)) - 200;
  let high = Math.log(at(z, j)) + 200;
  for (let k = 0; k < 80; k++) {
    trial[j] = Math.exp((low + high) / 2);
    if (curve(trial) > 0) high = (low + high) / 2;
    else low = (low + high) / 2;
  }
  return Math.exp((low + high) / 2);
}

/** Worth of the trade from the pool's balances to z. */
function worthOf(c: Case, z: readonly number[]): number {
  return sum(
    z.map((own, i) => {
      const change = at(c.pool.balances, i) - own;
      return at(c.prices, i) * (change > 0 ? change : change / c.pool.keep);
    }),
  );
}

/** The best trade by moving pairs along the curve, each by golden section, until nothing gains. */
function ascend(c: Case): number {
  const { pool } = c;
  const z = [...pool.balances];
  const n = z.length;
  const curve = curveThrough(pool);
  let best = 0;
  for (let sweep = 0; sweep < 60; sweep++) {
    const before = best;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) {
        const tryAt = (log: number) => {
          const trial = [...z];
          trial[i] = Math.exp(log);
          trial[j] = meet(curve, trial, j);
          return { trial, worth: worthOf(c, trial) };
        };
        let low = Math.log(at(z, i)) - 3;
        let high = Math.log(at(z, i)) + 3;
        const golden = (Math.sqrt(5) - 1) / 2;
        for (let k = 0; k < 60; k++) {
          const [a, b] = [high - golden * (high - low), low + golden * (high - low)];
          if (tryAt(a).worth < tryAt(b).worth) low = a;
          else high = b;
        }
        const found = tryAt((low + high) / 2);
        if (found.worth > best) {
          best = found.worth;
          z.splice(0, n, ...found.trial);
        }
      }
    }
    if (best - before <= 1e-9 * best) break;
  }
  return best;
}

/** Neither better nor worse than the reference, which knows neither θ nor logs of multipliers. */
export function checkAscent(probe: Probe, c: Case): void {
  probe.write(c.pool);
  const { surplus } = probe.respond(c.prices);
  const reference = ascend(c);
  const scale = Math.max(...c.pool.balances.map((own, i) => own * at(c.prices, i)));
  if (Math.abs(reference - surplus) > 1e-6 * surplus + 1e-11 * scale) {
    fail(c, 'reference over surplus', reference / surplus);
  }
}

/** f(λν) = λf(ν) with the same trades; ∂f/∂log ν = ν·trade, by central differences. */
export function checkGradient(probe: Probe, c: Case): void {
  probe.write(c.pool);
  const here = probe.respond(c.prices);
  const thrice = probe.respond(c.prices.map((price) => 3 * price));
  const gross = sum(here.trades.map((trade, i) => Math.abs(trade * at(c.prices, i))));
  if (Math.abs(thrice.surplus - 3 * here.surplus) > 1e-9 * gross) {
    fail(c, 'not homogeneous', thrice.surplus / here.surplus);
  }
  const step = 1e-6;
  const stiff = Math.max(...here.hessian.flat());
  c.prices.forEach((_, i) => {
    const [up, down] = [1 + step, 1 - step].map((factor) =>
      probe.respond(c.prices.map((price, k) => (k === i ? price * factor : price))),
    );
    if (up === undefined || down === undefined) return;
    const slope = (up.surplus - down.surplus) / (2 * step);
    const curved = Math.max(stiff, ...up.hessian.flat(), ...down.hessian.flat());
    const expected = at(here.trades, i) * at(c.prices, i);
    if (Math.abs(slope - expected) > 1e-8 * gross + 2 * step * curved) {
      fail(c, `slope of ${i} is not its trade`, slope / expected);
    }
  });
}

/** Symmetric, rows sum to 0, positive semidefinite, and the trades' own derivative. */
export function checkHessian(probe: Probe, c: Case): void {
  probe.write(c.pool);
  const { trades, hessian } = probe.respond(c.prices);
  const n = trades.length;
  const cell = (i: number, j: number) => hessian[i]?.[j] ?? Number.NaN;
  const size = Math.max(...hessian.flat().map(Math.abs));
  for (let i = 0; i < n; i++) {
    const row = sum(hessian[i] ?? []);
    if (Math.abs(row) > 1e-13 * size) fail(c, `row ${i} sums to`, row / size);
    for (let j = 0; j < i; j++) {
      if (Math.abs(cell(i, j) - cell(j, i)) > 1e-13 * size) fail(c, 'asymmetry', cell(i, j));
    }
  }
  if (leastPivot(hessian) < -1e-11 * size) fail(c, 'negative pivot', leastPivot(hessian) / size);
  const sides = (values: readonly number[]) => values.map(Math.sign).join();
  const step = 1e-5;
  for (let i = 0; i < n; i++) {
    const [up, down] = [Math.exp(step), Math.exp(-step)].map((factor) =>
      probe.respond(c.prices.map((price, k) => (k === i ? price * factor : price))),
    );
    if (up === undefined || down === undefined) return;
    if (sides(up.trades) !== sides(trades) || sides(down.trades) !== sides(trades)) continue;
    for (let j = 0; j < n; j++) {
      // d(νⱼxⱼ)/d log νᵢ less the diagonal's νᵢxᵢ, which the scaled Hessian leaves out.
      const slope = (at(c.prices, j) * (at(up.trades, j) - at(down.trades, j))) / (2 * step);
      const noise = (1e-15 * at(c.prices, j) * at(c.pool.balances, j)) / step;
      const drift = 20 * step * c.pool.ann * size;
      if (Math.abs(slope - cell(j, i)) > drift + 100 * noise) {
        fail(c, `curvature ${j} ${i}`, slope / cell(j, i));
      }
    }
  }
}

/** The least pivot of Gaussian elimination: not negative if and only if positive semidefinite. */
function leastPivot(matrix: readonly (readonly number[])[]): number {
  const m = matrix.map((row) => [...row]);
  const size = Math.max(...m.flat().map(Math.abs));
  let least = Number.POSITIVE_INFINITY;
  m.forEach((pivotRow, k) => {
    const pivot = pivotRow[k] ?? 0;
    least = Math.min(least, pivot);
    if (!(pivot > 1e-12 * size)) return;
    for (const row of m.slice(k + 1)) {
      const factor = (row[k] ?? 0) / pivot;
      for (let l = k; l < row.length; l++) row[l] = (row[l] ?? 0) - factor * (pivotRow[l] ?? 0);
    }
  });
  return least;
}

/** forward stays on the curve, and sells what the response of two nodes sells. */
export function checkForward(probe: Probe, c: Case): void {
  probe.write(c.pool);
  const n = c.pool.balances.length;
  const { next } = random(c.seed + 1);
  const i = Math.floor(next() * n);
  const j = (i + 1 + Math.floor(next() * (n - 1))) % n;
  const x = at(c.pool.balances, i) * 10 ** (-12 + 16 * next());
  const y = probe.forward(i, j, x);
  if (!(y >= 0 && y <= at(c.pool.balances, j))) fail(c, 'output', y);
  const trades = c.pool.balances.map((_, k) => (k === i ? -x : k === j ? y : 0));
  const z = after(c.pool, trades);
  const lost = at(c.pool.balances, j) / at(z, j);
  if (lost < 1e4 && Math.abs(curveOf(c.pool, z)) > 1e-15 * lost + 1e-12) {
    fail(c, 'forward leaves the curve', curveOf(c.pool, z));
  }
  // Small inputs: nothing cancels, y/x is the marginal price to first order.
  const small = at(c.pool.balances, i) * 1e-15;
  const marginal = marginals(c.pool, c.pool.balances);
  const rate = (c.pool.keep * at(marginal, i)) / at(marginal, j);
  const got = probe.forward(i, j, small) / small;
  if (Math.abs(got / rate - 1) > 1e-9) fail(c, 'marginal output', got / rate);

  const pair = { ...c, pool: { ...c.pool, caps: c.pool.caps.map(() => Infinity) } };
  checkPair(probe, pair, i, j);
}

/** The pair's own response equals that of the whole pool with the others held, in every mask. */
function checkPair(probe: Probe, c: Case, i: number, j: number): void {
  probe.write(c.pool);
  const whole = probe.respond(c.prices, (1 << i) | (1 << j));
  const sold = at(whole.trades, i) < 0 ? 1 : 2;
  const [input, output] = sold === 1 ? [i, j] : [j, i];
  const x = -at(whole.trades, input);
  for (const mask of [1, 2, 3]) {
    const pair = probe.pair(i, j, c.prices, mask);
    const open = (mask & sold) !== 0 && x > 0;
    const wanted = open ? [x, at(whole.trades, output), whole.surplus] : [0, 0, 0];
    // Two ways to round the same ratio of prices: a hair of the pool, on whatever is traded.
    const hair = 2e-15 * c.pool.ann;
    const deepest = Math.max(...c.pool.balances.map((own, k) => own * at(c.prices, k)));
    const worth = x * at(c.prices, input);
    const noise = [deepest / at(c.prices, input), deepest / at(c.prices, output), worth];
    [pair.input, pair.output, pair.surplus].forEach((got, k) => {
      const allowed = 1e-9 * at(wanted, k) + (open ? hair * at(noise, k) : 0);
      if (Math.abs(got - at(wanted, k)) > allowed)
        fail(c, `pair ${mask} ${k}`, got - at(wanted, k));
    });
    if (!open) continue;
    if (pair.direction !== sold) fail(c, 'direction', pair.direction);
    const curvature = whole.hessian[i]?.[i] ?? Number.NaN;
    if (Math.abs(pair.curvature / curvature - 1) > 1e-6) fail(c, 'curvature', pair.curvature);
    const y = probe.forward(input, output, pair.input);
    if (Math.abs(y / pair.output - 1) > 1e-9) fail(c, 'pair leaves the curve', y / pair.output);
    const cap = pair.input / 3;
    const held = probe.pair(i, j, c.prices, mask, cap, cap);
    if (held.input !== cap || held.curvature !== 0) fail(c, 'capped input', held.input / cap);
    const most = probe.forward(input, output, cap);
    if (Math.abs(held.output / most - 1) > 1e-9) fail(c, 'capped output', held.output / most);
  }
}
