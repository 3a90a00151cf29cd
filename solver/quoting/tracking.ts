// The tracking-error objective as a request states it: ½κτ·W₀·e′Σe in dollars, with Σ by asset, so that
// every token of an asset shares its row. Owns the exact accounts (integers, risk rounds against the
// trade) by which a trade is taken or left. Refuses matrices that are no covariance, with InvalidInput.

import { fixed36, formatFixed36, ONE36, parseFixed36 } from '../market/decimal.ts';
import { positiveSemidefinite } from '../market/objectiveReader.ts';
import { present } from '../types/assert.ts';
import { InvalidInput } from '../types/errors.ts';
import type { RebalanceObjective } from '../types/problem.ts';
import type { TrackingRequest } from '../types/service.ts';
import { type Usd, usd } from './money.ts';
import { TARGETS_MAX } from './policy.ts';
import type { Scene } from './scene.ts';
import type { ScopeTarget } from './scope.ts';
import { targetWorthsOf } from './weights.ts';

export interface Tracking {
  readonly aversion: bigint;
  readonly rowOf: ReadonlyMap<string, number>;
  /** × 10^36, per year; exactly symmetric and positive semidefinite. */
  readonly covariance: readonly (readonly bigint[])[];
}

/** A portfolio's accounts under the objective. */
export interface Standing {
  /** Worth of the targets' tokens. */
  readonly worth: Usd;
  /** ½κτ·W₀·e′Σe, rounded up. */
  readonly risk: Usd;
  /** √(e′Σe), bps per year with two decimals. */
  readonly errorBps: number;
}

/** What a trade saves against what it costs, by the owner's own objective. */
export interface TrackingAccount {
  readonly before: Standing;
  readonly after: Standing;
  readonly saved: Usd;
  readonly cost: Usd;
}

const CELL_DECIMALS = 15;
/** Added to the diagonal, relative to its largest entry, where rounding left Σ indefinite. */
const RIDGE = 1e-12;
/** Numbers a covariance may hold: a volatility of 10^4 per √year. */
const CELL_MAX = 1e8;
/** κτ a request may state; beyond, nothing changes: no trade at all, or to the targets. */
export const AVERSION_MIN = 1e-12;
export const AVERSION_MAX = 1e12;

/** Throws InvalidInput with a pointer below `at`. */
export function readTracking(
  { aversion, assets, covariance }: TrackingRequest,
  targets: readonly ScopeTarget[],
  at: string,
): Tracking {
  const bad = (message: string, member: string): never => {
    throw new InvalidInput(message, { pointer: `${at}/${member}` });
  };
  if (!(aversion >= AVERSION_MIN && aversion <= AVERSION_MAX)) {
    bad(`aversion must be 1e-12 … 1e12, got ${aversion}`, 'aversion');
  }
  if (new Set(assets).size !== assets.length || assets.length > TARGETS_MAX) {
    bad(`name at most ${TARGETS_MAX} assets, each once`, 'assets');
  }
  for (const { asset } of targets) {
    if (assets.includes(asset)) continue;
    bad(`${JSON.stringify(asset)} has no row; add it, with zeros for cash`, 'assets');
  }
  return {
    aversion: parseFixed36(aversion.toFixed(12)),
    rowOf: new Map(assets.map((asset, row) => [asset, row])),
    covariance: exactCovariance(covariance, assets.length, `${at}/covariance`),
  };
}

function exactCovariance(
  given: TrackingRequest['covariance'],
  size: number,
  pointer: string,
): readonly (readonly bigint[])[] {
  const bad = (message: string, where = ''): never => {
    throw new InvalidInput(message, { pointer: `${pointer}${where}` });
  };
  if (given.length !== size) bad(`must have ${size} rows, one per asset; it has ${given.length}`);
  const cell = (i: number, j: number): number => given[i]?.[j] ?? 0;
  let largest = 0;
  for (const [i, row] of given.entries()) {
    if (row.length !== size) bad(`must have ${size} columns, it has ${row.length}`, `/${i}`);
    for (const [j, value] of row.entries()) {
      if (!(Math.abs(value) <= CELL_MAX)) bad(`must be a number within ±1e8`, `/${i}/${j}`);
    }
    largest = Math.max(largest, cell(i, i));
  }
  const ridge = RIDGE * largest;
  given.forEach((row, i) => {
    row.forEach((value, j) => {
      if (Math.abs(value - cell(j, i)) > ridge) bad('covariance must be symmetric', `/${i}/${j}`);
      if (cell(i, i) === 0 && Math.abs(value) > ridge) {
        bad('an asset without variance has no covariance: zeros', `/${i}/${j}`);
      }
    });
  });
  const build = (added: number) =>
    given.map((row, i) =>
      row.map((_, j) => {
        if (cell(i, i) === 0 || cell(j, j) === 0) return fixed36(0n);
        const mean = (cell(i, j) + cell(j, i)) / 2 + (i === j ? added : 0);
        return parseFixed36(mean.toFixed(CELL_DECIMALS), { signed: true });
      }),
    );
  const plain = build(0);
  if (positiveSemidefinite(plain)) return plain;
  const mended = build(2 * ridge + size * 10 ** -CELL_DECIMALS);
  if (!positiveSemidefinite(mended)) bad('covariance must be positive semidefinite');
  return mended;
}

/** The objective's `risk`, its rows parallel to the targets. */
export function riskOf(
  { aversion, rowOf, covariance }: Tracking,
  targets: readonly ScopeTarget[],
): NonNullable<RebalanceObjective['risk']> {
  const row = (asset: string) => present(rowOf.get(asset), `row of ${asset}`);
  return {
    aversion: formatFixed36(fixed36(aversion)),
    covariance: targets.map((one) =>
      targets.map((other) =>
        formatFixed36(fixed36(covariance[row(one.asset)]?.[row(other.asset)] ?? 0n)),
      ),
    ),
  };
}

/** The accounts of holding `after` instead of the scene's holdings; exact to 10^−18 dollars. */
export function accountOf(
  scene: Scene,
  tracking: Tracking,
  after: ReadonlyMap<string, bigint>,
): TrackingAccount {
  const base = total(targetWorthsOf(scene, scene.holdings));
  const [was, is] = [scene.holdings, after].map((amounts) =>
    standing(scene, tracking, targetWorthsOf(scene, amounts), base),
  );
  const before = present(was, 'before');
  const later = present(is, 'after');
  return {
    before,
    after: later,
    saved: usd(before.risk - later.risk),
    cost: usd(before.worth - later.worth),
  };
}

const total = (worths: readonly bigint[]): bigint => worths.reduce((sum, one) => sum + one, 0n);

function standing(
  { targets }: Scene,
  { aversion, rowOf, covariance }: Tracking,
  worths: readonly bigint[],
  base: bigint,
): Standing {
  // W₀·e per asset × 10^4: targets of one asset on several chains come together here.
  const off = covariance.map(() => 0n);
  targets.forEach(({ asset, weightBps }, g) => {
    const row = present(rowOf.get(asset), `row of ${asset}`);
    off[row] = (off[row] ?? 0n) + (worths[g] ?? 0n) * 10_000n - BigInt(weightBps) * base;
  });
  const quadratic = covariance.reduce(
    (sum, cells, i) =>
      sum + cells.reduce((part, cell, j) => part + cell * (off[i] ?? 0n) * (off[j] ?? 0n), 0n),
    0n,
  );
  // ½·κτ·(W₀e)′Σ(W₀e)/W₀: scales 36 + 36 + 2·(18 + 4) over 18, brought to 18.
  const scale = 2n * ONE36 * ONE36 * 10n ** 8n * base;
  const risk = quadratic === 0n ? 0n : (aversion * quadratic - 1n) / scale + 1n;
  const variance = Number(quadratic) / 1e36 / 1e8 / Number(base) ** 2;
  return {
    worth: usd(total(worths)),
    risk: usd(risk),
    errorBps: Math.round(Math.sqrt(variance) * 1e6) / 100,
  };
}
