// Price and Greeks of European options in the generalised Black–Scholes–Merton model (Black, Scholes
// 1973; Merton 1973; conventions of Haug, The complete guide to option pricing formulas, 2nd ed. 2007):
// carry b = r is a stock, r − q one with a yield, 0 a future, r − r_f a currency. With ψ = ±1,
//   s = σ√T,  d₁ = (ln(S/K) + (b + ½σ²)T)/s,  d₂ = d₁ − s,  A = Se^{(b−r)T},  B = Ke^{−rT}
//   price ψ(A·N(ψd₁) − B·N(ψd₂));      delta ψe^{(b−r)T}N(ψd₁);     gamma e^{(b−r)T}n(d₁)/(Ss)
//   vega A·n(d₁)√T;                    rho ψTB·N(ψd₂), b moves with r
//   theta −A·n(d₁)σ/(2√T) − ψ(b − r)A·N(ψd₁) − ψrB·N(ψd₂), per year
//   vanna −e^{(b−r)T}n(d₁)d₂/σ;        vomma vega·d₁d₂/σ;            zomma gamma(d₁d₂ − 1)/σ
//   charm −e^{(b−r)T}[n(d₁)(b/s − d₂/(2T)) + ψ(b − r)N(ψd₁)] = −∂Δ/∂T;   speed −gamma(1 + d₁/s)/S
// The price is taken on the side out of the money, x < s there, y = x − s < 0 and A·n(x) = B·n(y), so
// A·N(x) − B·N(y) = A·e^{−x²/2}(M(−x) − M(−y)): tails keep their digits. The other side adds the
// intrinsic ψ(A − B), so put-call parity holds to rounding. T and σ must be > 0: at expiry the Greeks
// jump, and what is due is a matter of the contract; they tend to the intrinsic value's as s → 0 (density
// 0 wins over any |d|). Refuses results that are no doubles.

import { BAD_INPUT, OK, TOO_LARGE } from '../layout';
import { AREA, cell, cellAt, claim, finite, setCell } from './area';
import { bell, below, density, tailRatio } from './normal';

const INPUTS: i32 = 7;
const OUTPUTS: i32 = 13;
/** Options per call. */
const OPTIONS_MAX: i32 = 524288;

/**
 * Reads `count` rows (spot, strike, years, rate, carry, volatility, ±1: call, put) from cell 0; writes
 * as many rows (d1, d2, price, delta, gamma, vega, theta, rho, vanna, vomma, charm, zomma, speed) after
 * them. BAD_INPUT: the first output cell holds the index of the first bad row.
 */
export function riskGreeks(count: i32): i32 {
  if (<u32>count > <u32>OPTIONS_MAX || !claim(<i64>count * (INPUTS + OUTPUTS))) return TOO_LARGE;
  const results = cellAt(AREA, count * INPUTS);
  for (let k = 0; k < count; k++) {
    if (writeGreeks(cellAt(AREA, k * INPUTS), cellAt(results, k * OUTPUTS))) continue;
    setCell(results, 0, k);
    return BAD_INPUT;
  }
  return OK;
}

/** One row; false: an input out of range or an output that is no double. */
function writeGreeks(row: usize, out: usize): bool {
  const spot = cell(row, 0);
  const strike = cell(row, 1);
  const years = cell(row, 2);
  const rate = cell(row, 3);
  const carry = cell(row, 4);
  const sigma = cell(row, 5);
  const sign = cell(row, 6);
  if (!(spot > 0 && strike > 0 && years > 0 && sigma > 0 && abs(sign) == 1)) return false;
  const root = Math.sqrt(years);
  const s = sigma * root;
  const moneyness = logRatio(spot, strike) + carry * years;
  const d1 = moneyness / s + 0.5 * s;
  const d2 = moneyness / s - 0.5 * s;
  const growth = Math.exp((carry - rate) * years);
  const asset = spot * growth;
  const cash = strike * Math.exp(-rate * years);
  const first = below(sign * d1);
  const second = below(sign * d2);
  const n1 = growth * density(d1);
  const gamma = n1 / (spot * s);
  const vega = spot * n1 * root;
  const held = sign * (carry - rate);
  setCell(out, 0, d1);
  setCell(out, 1, d2);
  setCell(out, 2, price(asset, cash, d1, d2, sign));
  setCell(out, 3, sign * growth * first);
  setCell(out, 4, gamma);
  setCell(out, 5, vega);
  setCell(
    out,
    6,
    (-0.5 * spot * n1 * sigma) / root - held * asset * first - sign * rate * cash * second,
  );
  setCell(out, 7, sign * years * cash * second);
  setCell(out, 8, -damped(n1, d2) / sigma);
  setCell(out, 9, damped(damped(vega, d1), d2) / sigma);
  setCell(out, 10, -damped(n1, carry / s - (0.5 * d2) / years) - held * growth * first);
  setCell(out, 11, (damped(damped(gamma, d1), d2) - gamma) / sigma);
  setCell(out, 12, -(gamma + damped(gamma, d1) / s) / spot);
  for (let k = 0; k < OUTPUTS; k++) if (!finite(cell(out, k))) return false;
  return true;
}

/** ln(a/b); near 1 the difference a − b is exact and keeps the digits the quotient would lose. */
function logRatio(a: f64, b: f64): f64 {
  const ratio = a / b;
  if (ratio > 0.5 && ratio < 2) return Math.log1p((a - b) / b);
  return finite(ratio) && ratio > 0 ? Math.log(ratio) : Math.log(a) - Math.log(b);
}

/** density·x where the density is 0 for however large an x: the density falls faster. */
function damped(density: f64, x: f64): f64 {
  return density == 0 ? 0 : density * x;
}

function price(asset: f64, cash: f64, d1: f64, d2: f64, sign: f64): f64 {
  const intrinsic = sign * (asset - cash);
  // The side whose intrinsic value is not positive, seen as a call of `more` against `less`.
  const isCall = asset <= cash;
  const more = isCall ? asset : cash;
  const less = isCall ? cash : asset;
  const x = isCall ? d1 : -d2;
  const y = isCall ? d2 : -d1;
  let worth =
    x > 0
      ? more * below(x) - less * below(y)
      : more * damped(bell(x), tailRatio(-x) - tailRatio(-y));
  worth = max(worth, 0);
  return intrinsic > 0 ? worth + intrinsic : worth;
}
