// The hybrid trigger: threshold and clock, any or all.

export type Fired = 'threshold' | 'time' | null;

/**
 * any: either fires, the threshold first where both do. all: both or nothing; the threshold says how
 * far. `threshold` null stands for a policy that has none (the clock alone).
 */
export function fired(combine: 'any' | 'all', threshold: boolean | null, slot: boolean): Fired {
  if (threshold === null) return slot ? 'time' : null;
  if (combine === 'all') return threshold && slot ? 'threshold' : null;
  if (threshold) return 'threshold';
  return slot ? 'time' : null;
}
