// Order statistics and the calibration kernel, by which figures of two machines or two hours can be
// compared.

/** Value at the share p of the sorted samples, nearest rank; NaN for none. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

const KERNEL_STEPS = 1_000_000;

/**
 * Nanoseconds of a fixed loop of dependent float operations in plain JavaScript: the fastest of
 * twenty. Nothing of it is ours, so it changes with the machine and its load alone.
 */
export function calibrate(): { readonly ns: number; readonly check: number } {
  let best = Number.POSITIVE_INFINITY;
  let check = 0;
  for (let round = 0; round < 20; round++) {
    const start = process.hrtime.bigint();
    check = kernel();
    best = Math.min(best, Number(process.hrtime.bigint() - start));
  }
  return { ns: best, check };
}

function kernel(): number {
  let x = 0.5;
  for (let k = 0; k < KERNEL_STEPS; k++)
    x = Math.sqrt(x * 1.0000001 + 1e-9) * 0.75 + 0.125 / (1 + x);
  return x;
}
