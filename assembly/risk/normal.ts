// The standard normal law, to 6·10⁻¹⁶ relative on both sides down to where doubles end (x = −38.5).
// Method and coefficients: W. J. Cody, Rational Chebyshev approximations for the error function, Math.
// Comp. 23, 1969 (as in his ANORM, SPECFUN 1993). Three intervals: near 0 the centre is ½ and x·R(x²) is
// added; up to √32 the ratio M = N(−x)/e^{−x²/2} (Mills' but for √2π) is a rational function, beyond
// that one in 1/x². x² has more digits than a double, so e^{−x²/2} is taken in two parts. M is public:
// the difference of two tails is well conditioned in it. Refuses nothing; NaN gives NaN.

const ONE_OVER_ROOT_TWO_PI: f64 = 0.3989422804014327;
/** Below it the centre's formula holds. */
const CENTRE: f64 = 0.67448975;
const ROOT_32: f64 = 5.656854248928522;
/** e^{−x²/2} is less than any double from here on. */
const NOWHERE: f64 = 39;

/** e^{−x²/2}. */
export function bell(x: f64): f64 {
  const size = abs(x);
  if (size >= NOWHERE) return 0;
  const coarse = Math.trunc(size * 16) / 16;
  const rest = (size - coarse) * (size + coarse);
  return Math.exp(-0.5 * coarse * coarse) * Math.exp(-0.5 * rest);
}

/** Density n(x). */
export function density(x: f64): f64 {
  return ONE_OVER_ROOT_TWO_PI * bell(x);
}

/** N(x): the weight below x. */
export function below(x: f64): f64 {
  const size = abs(x);
  if (size <= CENTRE) return 0.5 + x * slope(x * x);
  const tail = size >= NOWHERE ? 0 : bell(size) * middleOrTail(size);
  return x > 0 ? 1 - tail : tail;
}

/** M(x) = N(−x)/e^{−x²/2} for x ≥ 0. */
export function tailRatio(x: f64): f64 {
  return x <= CENTRE ? (0.5 - x * slope(x * x)) / bell(x) : middleOrTail(x);
}

/** (N(x) − ½)/x as a function of s = x². */
function slope(s: f64): f64 {
  let p = 0.065682337918207449113 * s;
  p = (p + 2.2352520354606839287) * s;
  p = (p + 161.02823106855587881) * s;
  p = (p + 1067.6894854603709582) * s + 18154.981253343561249;
  let q = (s + 47.20258190468824187) * s;
  q = (q + 976.09855173777669322) * s;
  q = (q + 10260.932208618978205) * s + 45507.789335026729956;
  return p / q;
}

function middleOrTail(x: f64): f64 {
  return x <= ROOT_32 ? middle(x) : tail(x);
}

function middle(x: f64): f64 {
  let p = 1.0765576773720192317e-8 * x;
  p = (p + 0.39894151208813466764) * x;
  p = (p + 8.8831497943883759412) * x;
  p = (p + 93.506656132177855979) * x;
  p = (p + 597.27027639480026226) * x;
  p = (p + 2494.5375852903726711) * x;
  p = (p + 6848.1904505362823326) * x;
  p = (p + 11602.651437647350124) * x + 9842.7148383839780218;
  let q = (x + 22.266688044328115691) * x;
  q = (q + 235.38790178262499861) * x;
  q = (q + 1519.377599407554805) * x;
  q = (q + 6485.558298266760755) * x;
  q = (q + 18615.571640885098091) * x;
  q = (q + 34900.952721145977266) * x;
  q = (q + 38912.003286093271411) * x + 19685.429676859990727;
  return p / q;
}

function tail(x: f64): f64 {
  const s = 1 / (x * x);
  let p = 0.02307344176494017303 * s;
  p = (p + 0.21589853405795699) * s;
  p = (p + 0.1274011611602473639) * s;
  p = (p + 0.022235277870649807) * s;
  p = (p + 0.001421619193227893466) * s + 2.9112874951168792e-5;
  let q = (s + 1.28426009614491121) * s;
  q = (q + 0.468238212480865118) * s;
  q = (q + 0.0659881378689285515) * s;
  q = (q + 0.00378239633202758244) * s + 7.29751555083966205e-5;
  return (ONE_OVER_ROOT_TWO_PI - (s * p) / q) / x;
}
