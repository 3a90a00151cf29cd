// Judges numbers by relative error.

import { expect } from 'vitest';

/** |actual − wanted| within `relative` of `scale`, by default of wanted itself. */
export function near(
  actual: number | undefined,
  wanted: number,
  relative = 1e-9,
  scale = Math.abs(wanted),
): void {
  const error = Math.abs((actual ?? Number.NaN) - wanted);
  expect(error, `${actual} is not ${wanted} within ${relative}`).toBeLessThanOrEqual(
    relative * scale,
  );
}

/** Every entry, within `relative` of the largest one. */
export function allNear(
  actual: ArrayLike<number>,
  wanted: readonly number[],
  relative = 1e-9,
): void {
  expect(actual.length).toBe(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries()) near(actual[i], value, relative, scale);
}

export const matrix = (rows: readonly (readonly number[])[]): Float64Array =>
  Float64Array.from(rows.flat());
