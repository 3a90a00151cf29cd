// A limit on a chain that is broken before the trade: how the objective is made to mend it. Targets are
// split into one per asset and chain, so that what a limit is about stands at its bound when its targets
// are met; Σ keeps every token of an asset on one row, to which a stiff 1·1′ over the limit's own targets
// is added. The accounts by which a trade is judged (tracking.ts) never see either. Refuses limits
// that no split of the targets meets.

import { fixed36, formatDecimal, formatFixed36, ONE36 } from '../market/decimal.ts';
import { present } from '../types/assert.ts';
import type { ChainId } from '../types/ids.ts';
import type { RebalanceObjective } from '../types/problem.ts';
import { type Pull, targetTokens } from './limits.ts';
import { TARGETS_MAX } from './policy.ts';
import type { Scene } from './scene.ts';
import type { Tracking } from './tracking.ts';

export type Aimed = Pick<RebalanceObjective, 'targets'> & {
  readonly risk: NonNullable<RebalanceObjective['risk']>;
};

/**
 * κτ of the pull: its marginal worth is 1000 per unit of share missed, so that a way that costs 1 % is
 * taken until 10^−5 of the portfolio is missing.
 */
const STIFFNESS = 1000n;
const DECIMALS = 9;
const WHOLE = 10n ** BigInt(DECIMALS);

interface Cell {
  readonly asset: string;
  readonly chain: ChainId;
  readonly nodes: string[];
  weight: bigint | null;
}

/** Targets and risk under which meeting the targets meets the pulls; null where no split does. */
export function pulledTargets(
  scene: Scene,
  tracking: Tracking,
  pulls: readonly Pull[],
): Aimed | null {
  const cells = cellsOf(scene);
  if (cells.length > TARGETS_MAX || !weigh(scene, cells, pulls)) return null;
  const { aversion, rowOf, covariance } = tracking;
  const row = ({ asset }: Cell) => present(rowOf.get(asset), `row of ${asset}`);
  const pulled = ({ asset, chain }: Cell, pull: Pull) =>
    chain === pull.chain && (pull.asset === null || pull.asset === asset);
  const stiff = (STIFFNESS * ONE36 * ONE36) / aversion;
  return {
    targets: cells.map(({ nodes, weight }) => ({
      nodes,
      weight: formatDecimal(weight ?? 0n, DECIMALS),
    })),
    risk: {
      aversion: formatFixed36(fixed36(aversion)),
      covariance: cells.map((one) =>
        cells.map((other) => {
          const both = pulls.filter((pull) => pulled(one, pull) && pulled(other, pull)).length;
          const own = covariance[row(one)]?.[row(other)] ?? 0n;
          return formatFixed36(fixed36(own + stiff * BigInt(both)));
        }),
      ),
    },
  };
}

/** One per asset and chain. */
function cellsOf(scene: Scene): Cell[] {
  const cells = new Map<string, Cell>();
  for (const { node, chain, token } of targetTokens(scene)) {
    const key = `${token.asset} ${chain.chainId}`;
    const cell = cells.get(key) ?? {
      asset: token.asset,
      chain: chain.chainId,
      nodes: [],
      weight: null,
    };
    cell.nodes.push(node);
    cells.set(key, cell);
  }
  return [...cells.values()];
}

/**
 * Weights of cells that sum to each asset's target and to each pull's share: pulled cells first, pulled
 * chains in proportion to what each asset has left, the rest anywhere. False where that fails.
 */
function weigh({ targets }: Scene, cells: readonly Cell[], pulls: readonly Pull[]): boolean {
  const left = new Map<string, bigint>();
  for (const { asset, weightBps } of targets) {
    left.set(asset, (left.get(asset) ?? 0n) + (BigInt(weightBps) * WHOLE) / 10_000n);
  }
  const rest = (asset: string) => left.get(asset) ?? 0n;
  const take = (cell: Cell, weight: bigint) => {
    cell.weight = weight;
    left.set(cell.asset, rest(cell.asset) - weight);
  };
  const scaled = ({ share }: Pull) => BigInt(Math.round(share * Number(WHOLE)));
  for (const pull of pulls) {
    const cell = cells.find(({ asset, chain }) => asset === pull.asset && chain === pull.chain);
    if (cell === undefined) continue;
    // One place is wanted below and above what it holds.
    if (cell.weight !== null) return false;
    take(cell, scaled(pull));
  }
  const whole = pulls.filter(({ asset }) => asset === null);
  for (const pull of whole) {
    const column = cells.filter(({ chain }) => chain === pull.chain);
    const free = column.filter(({ weight }) => weight === null);
    const taken = column.reduce((sum, { weight }) => sum + (weight ?? 0n), 0n);
    let need = scaled(pull) - taken;
    let room = free.reduce((sum, { asset }) => sum + rest(asset), 0n);
    for (const cell of free) {
      const own = rest(cell.asset);
      const weight = room > 0n ? (need * own) / room : 0n;
      room -= own;
      need -= weight;
      take(cell, weight);
    }
    if (need !== 0n) return false;
  }
  for (const cell of cells) if (cell.weight === null) take(cell, rest(cell.asset));
  return (
    [...left.values()].every((amount) => amount === 0n) &&
    cells.every(({ weight }) => (weight ?? 0n) >= 0n)
  );
}
