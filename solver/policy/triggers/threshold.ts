// The threshold on explicit bands: whether any weight stands outside its own, and where to land. A
// trade shrinks the whole displacement e = w − w* by one factor, so that the asset farthest out lands
// at `landing` of its band and every other nearer to its target than it was: no weight is moved
// across its target, and no more is traded than that takes.

export interface ThresholdTrade {
  readonly landing: Float64Array;
  /** The asset farthest out, in units of its own band; ties go to the first. */
  readonly asset: number;
  /** |w − w*| of that asset and its band; fractions of worth. */
  readonly displacement: number;
  readonly band: number;
}

/**
 * Largest |wᵢ − w*ᵢ|/bᵢ, and the asset it belongs to. A band of 0 (a relative one around 0) counts as
 * left by anything but 0.
 */
export function farthest(
  weights: Float64Array,
  targets: Float64Array,
  bands: Float64Array,
): { readonly asset: number; readonly ratio: number } {
  let [asset, ratio] = [0, 0];
  for (let i = 0; i < targets.length; i++) {
    const off = Math.abs((weights[i] ?? 0) - (targets[i] ?? 0));
    const own = off === 0 ? 0 : off / (bands[i] ?? 0);
    if (own > ratio) [asset, ratio] = [i, own];
  }
  return { asset, ratio };
}

/**
 * null while no |wᵢ − w*ᵢ| exceeds bᵢ; else w* + e·landing/m, with m the largest ratio: the
 * definition behind backtest_frontier.json. `landing` 0 is the target, 1 the edge.
 */
export function thresholdTrade(
  weights: Float64Array,
  targets: Float64Array,
  bands: Float64Array,
  landing: number,
): ThresholdTrade | null {
  const { asset, ratio } = farthest(weights, targets, bands);
  if (!(ratio > 1)) return null;
  const band = bands[asset] ?? 0;
  const displacement = Math.abs((weights[asset] ?? 0) - (targets[asset] ?? 0));
  return { landing: shrunk(weights, targets, bands, landing / ratio), asset, displacement, band };
}

/** Rounding takes at most a few of these: each halves what is left of 2⁻⁵⁰. */
const NUDGES_MAX = 8;

function shrunk(
  weights: Float64Array,
  targets: Float64Array,
  bands: Float64Array,
  factor: number,
): Float64Array {
  let scale = factor;
  const landing = new Float64Array(targets.length);
  for (let nudge = 0; nudge < NUDGES_MAX; nudge++) {
    for (let i = 0; i < landing.length; i++) {
      const target = targets[i] ?? 0;
      landing[i] = target + scale * ((weights[i] ?? 0) - target);
    }
    // Rounding of target + scale·e may leave the edge by a last bit.
    if (farthest(landing, targets, bands).ratio <= 1) break;
    scale *= 1 - 2 ** -50 * 2 ** nudge;
  }
  return landing;
}

/** Absolute bands from widths: themselves, or fractions of the targets. */
export function absoluteBands(
  widths: readonly number[],
  measure: 'absolute' | 'relative',
  targets: Float64Array,
): Float64Array {
  return Float64Array.from(widths, (width, i) =>
    measure === 'absolute' ? width : width * (targets[i] ?? 0),
  );
}
