// Sparse LDLᵀ of Newton's matrix: a weighted graph Laplacian of the ACTIVE edges plus a damping
// diagonal. Ordered by minimum degree on bit rows (one 64-bit word per 64 nodes: for the sizes at
// hand simpler and faster than a quotient graph), kept while the pattern stays the same, eliminated
// right-looking in a dense triangle that only the pattern's entries touch. No allocation.

import { blockEntry } from './pools';
import {
  activeAt,
  activeCount,
  COLUMNS,
  DEGREE,
  DIAGONAL,
  FILL,
  flowAt,
  int,
  MATRIX,
  MULTIPLIERS,
  NET,
  n,
  num,
  ORDER,
  PATTERN,
  PIVOTS,
  PLACE,
  POOLS,
  poolCount,
  poolNodeAt,
  ROW_START,
  setInt,
  setNum,
  venueAt,
  WORDS,
} from './state';

/** Pivots below this share of their diagonal carry no information: their unknown stays 0. */
const PIVOT_MIN: f64 = 1e-14;

let patternKnown: bool = false;

/** Forgets the ordering: call once per problem. */
export function resetFactor(): void {
  patternKnown = false;
}

/** Factorises the Hessian of the active edges + diag(damping), `damping` an array of n numbers. */
export function factorise(damping: usize, skip: i32): void {
  if (!samePattern(skip)) {
    order(skip);
    patternKnown = true;
  }
  clear();
  const size = <usize>n;
  for (let k = 0; k < activeCount; k++) {
    const active = activeAt(k);
    if (active.tail == skip || active.head == skip) continue;
    addEntry(active.tail, active.head, active.hij);
  }
  for (let k = 0; k < poolCount; k++) {
    const e = int(POOLS, k);
    const v = venueAt(e);
    for (let i = 0; i < v.nodeCount; i++) {
      const one = poolNodeAt(v, i).node;
      for (let j = i + 1; j < v.nodeCount; j++) {
        const other = poolNodeAt(v, j).node;
        if (one != skip && other != skip) addEntry(one, other, blockEntry(v, flowAt(e), i, j));
      }
    }
  }
  for (let k = 0; k < n; k++) {
    const whole = num(DIAGONAL, k) + num(damping, k);
    setNum(NET, k, whole);
    const p = <usize>int(PLACE, k);
    store<f64>(MATRIX + ((p * size + p) << 3), whole);
  }
  eliminate(skip);
}

function addEntry(one: i32, other: i32, value: f64): void {
  const size = <usize>n;
  const p = int(PLACE, one);
  const q = int(PLACE, other);
  const at = MATRIX + ((p < q ? <usize>p * size + <usize>q : <usize>q * size + <usize>p) << 3);
  store<f64>(at, load<f64>(at) + value);
}

/** Solves for `right` (n numbers, natural order) in place, using NET as scratch. */
export function backSolve(right: usize): void {
  for (let p = 0; p < n; p++) setNum(NET, p, num(right, int(ORDER, p)));
  for (let p = 0; p < n; p++) {
    const value = num(NET, p);
    if (value == 0) continue;
    const end = int(ROW_START, p + 1);
    for (let k = int(ROW_START, p); k < end; k++) {
      const q = int(COLUMNS, k);
      setNum(NET, q, num(NET, q) - num(MULTIPLIERS, k) * value);
    }
  }
  for (let p = n - 1; p >= 0; p--) {
    let value = num(NET, p) * num(PIVOTS, p);
    const end = int(ROW_START, p + 1);
    for (let k = int(ROW_START, p); k < end; k++) {
      value -= num(MULTIPLIERS, k) * num(NET, int(COLUMNS, k));
    }
    setNum(NET, p, value);
  }
  for (let p = 0; p < n; p++) setNum(right, int(ORDER, p), num(NET, p));
}

/** Rebuilds the bit rows of active edges in FILL; true if those ordered last cover them. */
function samePattern(skip: i32): bool {
  const bytes = (<usize>n * <usize>WORDS) << 3;
  memory.fill(FILL, 0, bytes);
  for (let k = 0; k < activeCount; k++) {
    const active = activeAt(k);
    if (active.tail != skip && active.head != skip) join(active.tail, active.head);
  }
  for (let k = 0; k < poolCount; k++) {
    const v = venueAt(int(POOLS, k));
    for (let i = 0; i < v.nodeCount; i++) {
      const one = poolNodeAt(v, i).node;
      for (let j = i + 1; j < v.nodeCount; j++) {
        const other = poolNodeAt(v, j).node;
        if (one != skip && other != skip) join(one, other);
      }
    }
  }
  if (patternKnown && isCovered(bytes)) return true;
  memory.copy(PATTERN, FILL, bytes);
  return false;
}

/** Edges that fell idle since the last ordering are zeros in its pattern: cheaper than a new order. */
function isCovered(bytes: usize): bool {
  for (let at: usize = 0; at < bytes; at += 8) {
    if (load<u64>(FILL + at) & ~load<u64>(PATTERN + at)) return false;
  }
  return true;
}

function join(one: i32, other: i32): void {
  setBit(FILL, one, other);
  setBit(FILL, other, one);
}

function setBit(rows: usize, row: i32, bit: i32): void {
  const at = rows + ((<usize>row * <usize>WORDS + (<usize>bit >> 6)) << 3);
  store<u64>(at, load<u64>(at) | ((<u64>1) << (<u64>(bit & 63))));
}

/** Minimum degree: ORDER, PLACE and each pivot's later neighbours in COLUMNS. */
function order(skip: i32): void {
  const words = WORDS;
  const stride = (<usize>words) << 3;
  for (let k = 0; k < n; k++) {
    let degree = 0;
    const row = FILL + <usize>k * stride;
    for (let w = 0; w < words; w++) degree += <i32>popcnt(load<u64>(row + ((<usize>w) << 3)));
    setInt(DEGREE, k, degree);
    setInt(PLACE, k, -1);
  }
  let filled = 0;
  for (let p = 0; p < n; p++) {
    let pivot = -1;
    let least = i32.MAX_VALUE;
    for (let k = 0; k < n; k++) {
      if (int(PLACE, k) < 0 && int(DEGREE, k) < least) {
        least = int(DEGREE, k);
        pivot = k;
        if (least <= 1) break;
      }
    }
    setInt(ORDER, p, pivot);
    setInt(PLACE, pivot, p);
    setInt(ROW_START, p, filled);
    const pivotRow = FILL + <usize>pivot * stride;
    for (let w = 0; w < words; w++) {
      let bits = load<u64>(pivotRow + ((<usize>w) << 3));
      while (bits) {
        setInt(COLUMNS, filled++, (w << 6) + <i32>ctz(bits));
        bits &= bits - 1;
      }
    }
    for (let k = int(ROW_START, p); k < filled; k++) {
      const other = int(COLUMNS, k);
      const row = FILL + <usize>other * stride;
      let degree = 0;
      for (let w = 0; w < words; w++) {
        const at = row + ((<usize>w) << 3);
        let bits = load<u64>(at) | load<u64>(pivotRow + ((<usize>w) << 3));
        if (w == pivot >> 6) bits &= ~((<u64>1) << (<u64>(pivot & 63)));
        if (w == other >> 6) bits &= ~((<u64>1) << (<u64>(other & 63)));
        store<u64>(at, bits);
        degree += <i32>popcnt(bits);
      }
      setInt(DEGREE, other, degree);
    }
  }
  setInt(ROW_START, n, filled);
  // Columns were written as nodes; from here on they are places, ascending in each row.
  for (let p = 0; p < n; p++) {
    const start = int(ROW_START, p);
    const end = int(ROW_START, p + 1);
    for (let k = start; k < end; k++) {
      const place = int(PLACE, int(COLUMNS, k));
      let at = k;
      while (at > start && int(COLUMNS, at - 1) > place) {
        setInt(COLUMNS, at, int(COLUMNS, at - 1));
        at--;
      }
      setInt(COLUMNS, at, place);
    }
  }
}

function clear(): void {
  const size = <usize>n;
  for (let p = 0; p < n; p++) {
    const row = MATRIX + ((<usize>p * size) << 3);
    const end = int(ROW_START, p + 1);
    for (let k = int(ROW_START, p); k < end; k++) {
      store<f64>(row + ((<usize>int(COLUMNS, k)) << 3), 0);
    }
  }
}

function eliminate(skip: i32): void {
  const size = <usize>n;
  for (let p = 0; p < n; p++) {
    const row = MATRIX + ((<usize>p * size) << 3);
    const pivot = load<f64>(row + ((<usize>p) << 3));
    const node = int(ORDER, p);
    const start = int(ROW_START, p);
    const end = int(ROW_START, p + 1);
    // NET holds the diagonals before elimination, by node.
    if (node == skip || !(pivot > PIVOT_MIN * num(NET, node))) {
      setNum(PIVOTS, p, 0);
      for (let k = start; k < end; k++) setNum(MULTIPLIERS, k, 0);
      continue;
    }
    const inverse = 1.0 / pivot;
    setNum(PIVOTS, p, inverse);
    for (let k = start; k < end; k++) {
      const q = <usize>int(COLUMNS, k);
      const value = load<f64>(row + (q << 3));
      const multiplier = value * inverse;
      setNum(MULTIPLIERS, k, multiplier);
      const below = MATRIX + ((q * size) << 3);
      for (let j = k; j < end; j++) {
        const column = (<usize>int(COLUMNS, j)) << 3;
        const at = below + column;
        store<f64>(at, load<f64>(at) - multiplier * load<f64>(row + column));
      }
    }
  }
}
