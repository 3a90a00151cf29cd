// Conjugate gradients on Newton's matrix, preconditioned by its diagonal (Hestenes and Stiefel 1952).
// The matrix is a graph Laplacian of what trades; markets are well connected, so a few dozen products
// with the active edges reach the accuracy a Newton step needs (Dembo, Eisenstat and Steihaug 1982),
// where eliminating a dense graph of n tokens takes n³/3. Refuses nothing: says when it did not
// converge, and the caller factorises.

import { multiplyPool } from './pools';
import {
  activeAt,
  activeCount,
  DIAGONAL,
  flowAt,
  int,
  KRYLOV,
  n,
  num,
  POOLS,
  poolCount,
  setNum,
  venueAt,
} from './state';

/**
 * Solves (H + diag(damping)) x = right in place of `right`, node `skip` held at 0, until the residual
 * in the preconditioner's norm is `share` of the right side's. False after `roundsMax` without it;
 * `right` is then the best found.
 */
export function conjugate(
  right: usize,
  damping: usize,
  skip: i32,
  share: f64,
  roundsMax: i32,
): bool {
  const residual = KRYLOV;
  const direction = KRYLOV + ((<usize>n) << 3);
  const product = direction + ((<usize>n) << 3);
  const inverse = product + ((<usize>n) << 3);
  let size: f64 = 0;
  for (let k = 0; k < n; k++) {
    const whole = num(DIAGONAL, k) + (damping ? num(damping, k) : 0);
    const scale = k == skip || !(whole > 0) ? 0 : 1.0 / whole;
    const r = scale == 0 ? 0 : num(right, k);
    setNum(inverse, k, scale);
    setNum(residual, k, r);
    setNum(direction, k, scale * r);
    setNum(right, k, 0);
    size += scale * r * r;
  }
  const goal = share * share * size;
  for (let round = 0; round < roundsMax; round++) {
    if (!(size > goal)) return true;
    multiply(direction, product, damping);
    let along: f64 = 0;
    for (let k = 0; k < n; k++) along += num(direction, k) * num(product, k);
    if (!(along > 0)) return false;
    const step = size / along;
    let next: f64 = 0;
    for (let k = 0; k < n; k++) {
      const scale = num(inverse, k);
      setNum(right, k, num(right, k) + step * num(direction, k));
      // Nodes held at 0 push back on nothing.
      const r = scale == 0 ? 0 : num(residual, k) - step * num(product, k);
      setNum(residual, k, r);
      next += scale * r * r;
    }
    const turn = next / size;
    size = next;
    for (let k = 0; k < n; k++) {
      const z = num(inverse, k) * num(residual, k);
      setNum(direction, k, z + turn * num(direction, k));
    }
  }
  return !(size > goal);
}

/** y = (H + diag(damping)) x. */
function multiply(x: usize, y: usize, damping: usize): void {
  for (let k = 0; k < n; k++) {
    const whole = num(DIAGONAL, k) + (damping ? num(damping, k) : 0);
    setNum(y, k, whole * num(x, k));
  }
  for (let k = 0; k < activeCount; k++) {
    const active = activeAt(k);
    const w = active.hij;
    const tail = active.tail;
    const head = active.head;
    const before = num(x, tail);
    setNum(y, tail, num(y, tail) + w * num(x, head));
    setNum(y, head, num(y, head) + w * before);
  }
  for (let k = 0; k < poolCount; k++) {
    const e = int(POOLS, k);
    multiplyPool(venueAt(e), flowAt(e), x, y);
  }
}
