// When to trade one displacement, and how far back: trigger H, landing h. It diffuses at variance rate
// s², costs ½κx² a year, ε for each unit traded and F for each trade. The least average cost g has
//   V′(x) = (2/s²)(gx − κx³/6),   V′(h) = V′(H) = ε,   ∫_h^H (V′ − ε) = F
// (smooth fit; Constantinides, Richard 1978; POLICY.md). The cubic V′ − ε has no square term, so its
// roots are h, H and −(h + H). In m = (H + h)/2, d = (H − h)/2 the conditions become, exactly,
//   m(m² − d²) = A = 3εs²/(2κ),     m·d³ = q = 3Fs²/(4κ).
// With L = max(A^⅓, q^¼), a = A/L³, p = q/L⁴ and m = L·z³, what is left is z⁹ − p^⅔·z − a = 0: one
// positive root, between 1 and 2^⅛ because a, p ≤ 1 and one of them is 1. The left side is convex
// there, so Newton's steps from 2^⅛ fall monotonically: nothing to bracket. F = 0 gives H = h = A^⅓,
// ε = 0 gives h = 0, H = 2q^¼, both exact. Refuses κ or s² not positive, and costs below zero.

import { BAD_INPUT, OK, TOO_LARGE } from '../layout';
import { AREA, claim, finite } from './area';

/** Newton's steps; four are enough in practice. */
const STEPS_MAX: i32 = 32;
const EIGHTH_ROOT_OF_TWO: f64 = 1.0905077326652577;

/** Reads no cell; writes (trigger, landing) to cells 0 and 1. */
export function riskTwoBand(aversion: f64, varianceRate: f64, proportional: f64, fixed: f64): i32 {
  if (!claim(2)) return TOO_LARGE;
  return twoBand(aversion, varianceRate, proportional, fixed, AREA);
}

/** Writes (trigger, landing) at `out`: two cells. OK, or BAD_INPUT and nothing written. */
export function twoBand(
  aversion: f64,
  varianceRate: f64,
  proportional: f64,
  fixed: f64,
  out: usize,
): i32 {
  if (!(aversion > 0 && varianceRate > 0 && proportional >= 0 && fixed >= 0)) return BAD_INPUT;
  // Roots are taken before products: 1e300 apart, the bands themselves are far closer together.
  const ratio = varianceRate / aversion;
  const edge = Math.cbrt(1.5 * proportional * ratio);
  const reach = Math.sqrt(Math.sqrt(0.75 * fixed * ratio));
  if (!(ratio > 0) || !finite(edge) || !finite(reach)) return BAD_INPUT;
  if ((proportional > 0 && edge == 0) || (fixed > 0 && reach == 0)) return BAD_INPUT;
  if (reach == 0) return write(out, edge, edge);
  if (edge == 0) return write(out, 2 * reach, 0);
  const scale = max(edge, reach);
  const near = edge / scale;
  const a = near * near * near;
  const far = reach / scale;
  const c = Math.cbrt(far * far * far * far * far * far * far * far);
  let z: f64 = EIGHTH_ROOT_OF_TWO;
  for (let step = 0; step < STEPS_MAX; step++) {
    const z2 = z * z;
    const z8 = z2 * z2 * z2 * z2;
    const next = z - (z8 * z - c * z - a) / (9 * z8 - c);
    // Monotone until rounding decides: the first step that does not fall is the last.
    if (!(next < z)) break;
    z = next;
  }
  const m = z * z * z;
  const d = (far / z) * Math.cbrt(far);
  // h = m − d loses its digits as ε → 0; A/(m(m + d)) is the same and does not.
  return write(out, scale * (m + d), scale * (a / (m * (m + d))));
}

function write(out: usize, trigger: f64, landing: f64): i32 {
  store<f64>(out, trigger);
  store<f64>(out, landing, 8);
  return OK;
}
