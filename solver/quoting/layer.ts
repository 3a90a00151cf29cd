// The portfolio as a layer above the market: every target token gets a node `…:held` that holds what the
// owner has and counts for the objective, and two venues to the node that trades. Spending costs
// nothing, holding costs our margin, and both carry the gas of one more input or output, so that the
// optimizer weighs exactly what costs.ts and trade.ts will bill. Their capacities are the limits of
// limits.ts. Pure; knows how to build the layer and how to take it off a result again.

import { GAS } from '../../contracts-abi/gas.ts';
import { formatDecimal, formatFixed36 } from '../market/decimal.ts';
import type { ChainId } from '../types/ids.ts';
import type {
  BridgeVenue,
  ProblemNode,
  ProblemResult,
  RebalanceObjective,
} from '../types/problem.ts';
import { gasCost } from './costs.ts';
import { type Allowed, targetTokens } from './limits.ts';
import type { QuotePolicy } from './policy.ts';
import type { Aimed } from './pull.ts';
import type { Scene, SceneToken } from './scene.ts';
import { riskOf, type Tracking } from './tracking.ts';

/** A rebalance judged by its risk, as the problem is built from it. */
export interface Terms {
  readonly tracking: Tracking;
  readonly allowed: ReadonlyMap<string, Allowed>;
  /** Where a limit is broken: targets by asset and chain that mend it. Null: the scene's. */
  readonly aimed: Aimed | null;
  /** Trade on this chain alone; null: on all. */
  readonly only: ChainId | null;
}
export interface LayerVenue {
  readonly venue: BridgeVenue;
  readonly token: SceneToken;
  readonly side: 'spend' | 'hold';
}
export interface Layer {
  readonly nodes: readonly ProblemNode[];
  readonly venues: readonly LayerVenue[];
  readonly objective: RebalanceObjective;
}

const heldNode = (node: string): string => `${node}:held`;

export function layerOf(scene: Scene, policy: QuotePolicy, terms: Terms): Layer {
  const tokens = targetTokens(scene);
  return {
    nodes: tokens.map(({ node, chain, token, price }) => ({
      id: heldNode(node),
      asset: token.asset,
      chain: chain.chainId,
      decimals: token.decimals,
      price: formatFixed36(price),
    })),
    venues: tokens.flatMap((token) => sidesOf(scene, policy, terms, token)),
    objective: {
      kind: 'rebalance',
      holdings: Object.fromEntries(
        [...scene.holdings].map(([node, amount]) => [heldNode(node), amount.toString()]),
      ),
      ...aimOf(scene, terms),
    },
  };
}

function aimOf({ targets }: Scene, { aimed, tracking }: Terms): Aimed {
  if (aimed !== null) {
    const { risk } = aimed;
    return { risk, targets: aimed.targets.map((t) => ({ ...t, nodes: t.nodes.map(heldNode) })) };
  }
  return {
    targets: targets.map(({ tokens, weightBps }) => ({
      nodes: tokens.map(({ node }) => heldNode(node)),
      weight: formatDecimal(BigInt(weightBps), 4),
    })),
    risk: riskOf(tracking, targets),
  };
}

function sidesOf(
  scene: Scene,
  { marginBps }: QuotePolicy,
  { allowed, only }: Terms,
  token: SceneToken,
): readonly LayerVenue[] {
  const { node, chain } = token;
  if (only !== null && chain.chainId !== only) return [];
  const { spend, add } = allowed.get(node) ?? { spend: 0n, add: 0n };
  const dollars = (gas: bigint) => formatDecimal(gasCost(scene, chain.chainId, gas), 18);
  const sides: LayerVenue[] = [];
  if (spend > 0n) {
    const fixedCost = dollars(GAS.openPerInput + GAS.releasePerInput);
    const venue = bridge(`spend:${node}`, [heldNode(node), node], 0, spend, fixedCost);
    sides.push({ venue, token, side: 'spend' });
  }
  if (add > 0n) {
    const fixedCost = dollars(GAS.fillPerOutput + GAS.approve + GAS.releasePerOutput);
    const venue = bridge(`hold:${node}`, [node, heldNode(node)], marginBps * 100, add, fixedCost);
    sides.push({ venue, token, side: 'hold' });
  }
  return sides;
}

const bridge = (
  id: string,
  nodes: readonly [string, string],
  feePips: number,
  capacity: bigint,
  fixedCost: string,
): BridgeVenue => ({
  id,
  kind: 'bridge',
  nodes,
  feePips,
  fixedFee: '0',
  capacity: capacity.toString(),
  fixedCost,
});

/** The result without its layer: what trades on the market, the margin not yet taken. */
export function flatten(result: ProblemResult, layer: Layer): ProblemResult {
  const sides = new Map(layer.venues.map(({ venue, side }) => [venue.id, side]));
  const final = new Map<string, bigint>();
  const add = (node: string, amount: bigint) => final.set(node, (final.get(node) ?? 0n) + amount);
  const held = new Set(layer.nodes.map(({ id }) => id));
  for (const [id, amount] of Object.entries(result.final)) {
    add(held.has(id) ? id.slice(0, -heldNode('').length) : id, BigInt(amount));
  }
  for (const { venue, in: paid, out } of result.legs) {
    if (sides.get(venue) === 'hold') add(paid.node, BigInt(paid.amount) - BigInt(out.amount));
  }
  return {
    ...result,
    legs: result.legs.filter(({ venue }) => !sides.has(venue)),
    final: Object.fromEntries([...final].map(([node, amount]) => [node, amount.toString()])),
  };
}
