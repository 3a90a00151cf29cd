// The normal law again, by other means than the core's rational functions: N − ½ as a series of
// positive terms, n(x)·Σ x^{2k+1}/(1·3·5…(2k+1)), and tails by Laplace's continued fraction
// 1/(x + 1/(x + 2/(x + 3/(x + …)))), from below.

const TERMS_MAX = 400;

export function density(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/** N(−x) for x ≥ 0. */
function tail(x: number): number {
  if (x < 1) {
    let term = x;
    let sum = x;
    for (let k = 1; k < TERMS_MAX && term > 1e-20 * sum; k++) {
      term *= (x * x) / (2 * k + 1);
      sum += term;
    }
    return 0.5 - density(x) * sum;
  }
  let fraction = x;
  for (let k = TERMS_MAX; k >= 1; k--) fraction = x + k / fraction;
  return density(x) / fraction;
}

export function below(x: number): number {
  return x <= 0 ? tail(-x) : 1 - tail(x);
}
