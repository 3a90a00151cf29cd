// One instance of the core for its risk kernels, seen as f64 cells, and the refusals all kernels share.
// The memory never grows, so the view is made once; a trap replaces instance and view.

import { InvalidInput } from '../types/errors.ts';
import { type RiskExports, STATUS } from './abi.ts';
import { guarded, instantiate } from './instance.ts';

export interface RiskCells {
  /** Cells from `riskArea()` to the end of memory. Read it anew after each call. */
  readonly cells: Float64Array;
  /** Kernels run so far: as long as it stands, the cells are as the last one left them. */
  readonly runs: number;
  /** Runs one kernel and answers with its status code. Throws Defect if it traps. */
  run(kernel: (core: RiskExports) => number): number;
}

export function createRiskCells(wasm: WebAssembly.Module): RiskCells {
  let core: RiskExports = instantiate(wasm);
  let cells = viewOf(core);
  let runs = 0;
  return {
    get runs() {
      return runs;
    },
    get cells() {
      return cells;
    },
    run(kernel) {
      let status: number = STATUS.badInput;
      runs++;
      guarded(
        () => {
          status = kernel(core);
        },
        () => {
          core = instantiate(wasm);
          cells = viewOf(core);
        },
      );
      return status;
    },
  };
}

function viewOf(core: RiskExports): Float64Array {
  return new Float64Array(core.memory.buffer, core.riskArea());
}

/** The cell's number. */
export function cellOf(cells: Float64Array, k: number): number {
  return cells[k] as number;
}

export function positive(value: number, name: string): void {
  if (!(value > 0 && value < Infinity)) refuse(name, `must be a number > 0, is ${value}`);
}

export function notNegative(value: number, name: string): void {
  if (!(value >= 0 && value < Infinity)) refuse(name, `must be a number ≥ 0, is ${value}`);
}

export function refuse(name: string, problem: string): never {
  throw new InvalidInput(`${name} ${problem}`, { pointer: `/${name}` });
}

/** The numbers are good one by one, but a result of theirs is no double. */
export function outOfRange(name: string): never {
  throw new InvalidInput(`${name}: the result is beyond the range of double precision`, {
    pointer: `/${name}`,
    code: 'outOfRange',
  });
}

export function allFinite(values: Float64Array, name: string): void {
  const k = values.findIndex((value) => !Number.isFinite(value));
  if (k >= 0) refuse(`${name}/${k}`, `must be a finite number, is ${values[k]}`);
}

/** Products in another order: what two halves of a symmetric matrix may differ by, as correlations. */
const ASYMMETRY_MAX = 1e-12;

/** Refuses what is not n² finite numbers, symmetric to rounding. */
export function squareOf(matrix: Float64Array, n: number, name: string): void {
  if (n < 1 || matrix.length !== n * n) {
    refuse(name, `must be ${n} × ${n} numbers, row by row; has ${matrix.length}`);
  }
  allFinite(matrix, name);
  for (let i = 0; i < n; i++) {
    const own = Math.sqrt(Math.abs(cellOf(matrix, i * n + i)));
    for (let j = 0; j < i; j++) {
      const scale = own * Math.sqrt(Math.abs(cellOf(matrix, j * n + j)));
      const apart = Math.abs(cellOf(matrix, i * n + j) - cellOf(matrix, j * n + i));
      if (apart > ASYMMETRY_MAX * scale) {
        refuse(name, `must be symmetric, is not in row ${i}, column ${j}`);
      }
    }
  }
}
