// The block of memory that risk kernels read and write: f64 cells from the header's place to the end.
// It lies over the optimizer's records, so a kernel that claims it makes the instance forget its
// problem (`solve` answers BAD_INPUT until the next `arrange`): a host gives kernels an instance of
// their own. Each kernel says in its own file which cells it reads and writes, inputs first.

import { forget, HEADER } from '../layout';

/** First cell; on a 64-byte line. */
export const AREA: usize = HEADER;

/** Assets of one covariance, weights or targets; n² cells stay in a processor's second cache. */
export const ASSETS_MAX: i32 = 64;

/** How often the area was taken: a kernel whose data must survive between calls compares. */
export let claims: u32 = 0;

/** Takes the area for a kernel that needs this many cells; false: they do not fit. */
export function claim(cells: i64): bool {
  forget();
  claims++;
  const room = <i64>(((<usize>memory.size()) << 16) - AREA) >> 3;
  return cells >= 0 && cells <= room;
}

/** Cell k of the block at `at`. */
export function cell(at: usize, k: i32): f64 {
  return load<f64>(at + ((<usize>k) << 3));
}

export function setCell(at: usize, k: i32, value: f64): void {
  store<f64>(at + ((<usize>k) << 3), value);
}

/** Address of cell k of the block at `at`. */
export function cellAt(at: usize, k: i32): usize {
  return at + ((<usize>k) << 3);
}

/** Neither NaN nor infinite. */
export function finite(value: f64): bool {
  return value - value == 0;
}
