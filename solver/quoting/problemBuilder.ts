// Scene → Problem, the optimizer's own file format: every token a node, every pool a venue, every
// transfer the filler posts between two chains a `bridge`, and groups for what is paid once. Pure and
// deterministic: the same scene gives the same bytes.

import { GAS } from '../../contracts-abi/gas.ts';
import { fixed36, formatDecimal, formatFixed36 } from '../market/decimal.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { type ProblemText, type SharedMember, shareProblem } from '../market/sharedProblem.ts';
import { nodeIdOf, type PoolState, venueOfPool } from '../market/snapshot.ts';
import { present } from '../types/assert.ts';
import type { ChainId } from '../types/ids.ts';
import type { ChainConfig } from '../types/network.ts';
import type { BridgeVenue, Problem, ProblemGroup, ProblemVenue } from '../types/problem.ts';
import { gasCost, messageCost } from './costs.ts';
import { type Layer, layerOf, type Terms } from './layer.ts';
import { type Usd, usd, ZERO_USD } from './money.ts';
import type { QuotePolicy } from './policy.ts';
import type { Scene, SceneToken } from './scene.ts';

/** No venue takes in more than this multiple of the portfolio's worth (the certificate's δ). */
const VENUE_INPUT_CAP = '1.05';
/**
 * Where the search for a rebalance to targets stops: proved this close to the best it is answered. A
 * twelfth of our margin; what is really lost is smaller still (docs/benchmarks.md, "The API"), and the
 * answer comes several times sooner than at the engine's own hundredth of a basis point. A rebalance
 * judged by its risk may gain no more than that, and is searched to the end.
 */
const GAP_BPS = '0.25';

export interface BridgeEdge {
  readonly venue: BridgeVenue;
  readonly from: SceneToken;
  readonly to: SceneToken;
}
export interface BuiltProblem {
  readonly problem: Problem;
  /** By venue id. */
  readonly bridges: ReadonlyMap<string, BridgeEdge>;
  /** By venue id. */
  readonly pools: ReadonlyMap<string, PoolState>;
  /** Of a rebalance judged by its risk; null: to the targets. */
  readonly layer: Layer | null;
  /** The problem as the engine reads it. */
  readonly parsed: () => ParsedProblem;
  /** Its canonical text. */
  readonly text: () => ProblemText;
}
/** Base units the filler can still pay out of each node's token, reservations taken off. */
export type Available = ReadonlyMap<string, bigint>;

/** `capacities` overrides what a bridge may deliver, by venue id; `terms` judge by risk. */
export function buildProblem(
  scene: Scene,
  policy: QuotePolicy,
  available: Available,
  capacities: ReadonlyMap<string, bigint> = new Map(),
  terms: Terms | null = null,
): BuiltProblem {
  const tokens = [...scene.tokens.values()];
  const only = terms?.only ?? null;
  const pools = poolVenues(scene).filter(({ chain }) => only === null || chain.chainId === only);
  const layer = terms === null ? null : layerOf(scene, policy, terms);
  const posting = { policy, available, capacities, layered: layer !== null };
  const bridges =
    only !== null
      ? []
      : tokens.flatMap((from) =>
          tokens.flatMap((to) => bridgeEdge(scene, from, to, posting) ?? []),
        );
  const market = [...pools, ...bridges, ...(layer?.venues ?? [])];
  const problem: Problem = {
    version: 1,
    nodes: [
      ...tokens.map(({ node, chain, token, price }) => ({
        id: node,
        asset: token.asset,
        chain: chain.chainId,
        decimals: token.decimals,
        price: formatFixed36(price),
      })),
      ...(layer?.nodes ?? []),
    ],
    venues: market.map(({ venue }) => venue),
    groups: groupsOf(scene, pools, bridges, layer),
    objective: layer?.objective ?? balancedObjective(scene),
    settings: {
      ...(layer === null ? { gapBps: GAP_BPS } : {}),
      venueInputCap: VENUE_INPUT_CAP,
    },
  };
  return {
    problem,
    ...readOnce(problem),
    bridges: new Map(bridges.map((edge) => [edge.venue.id, edge])),
    pools: new Map(pools.map(({ state }) => [state.pool.id, state])),
    layer,
  };
}

/** For a problem that is asked for once: read when it is first needed. */
function readOnce(problem: Problem): Pick<BuiltProblem, 'parsed' | 'text'> {
  let member: SharedMember | null = null;
  const read = () => (member ??= shareProblem(problem).with(problem.objective));
  return { parsed: () => read().parsed, text: () => read().text };
}

export const balancedObjective = (scene: Scene): Problem['objective'] => ({
  kind: 'rebalance',
  holdings: Object.fromEntries([...scene.holdings].map(([node, n]) => [node, n.toString()])),
  targets: scene.targets.map(({ tokens: members, weightBps }) => ({
    nodes: members.map(({ node }) => node),
    weight: formatDecimal(BigInt(weightBps), 4),
  })),
});

/** Gas of one swap on a pool inside a fill transaction. */
export const swapGas = ({ kind }: PoolState): bigint =>
  kind === 'uniswapV2' ? GAS.swapV2 : GAS.swapV3;

const dollars = (value: Usd): string => formatDecimal(value, 18);

interface PoolEdge {
  readonly chain: ChainConfig;
  readonly state: PoolState;
  readonly venue: ProblemVenue;
}

function poolVenues(scene: Scene): readonly PoolEdge[] {
  return scene.chains.flatMap((chain) => {
    const symbols = new Map(chain.tokens.map(({ address, symbol }) => [address, symbol]));
    const market = present(scene.markets.get(chain.chainId), 'market of a live chain');
    return market.pools.flatMap((state): PoolEdge[] => {
      const [node0, node1] = state.pool.tokens.map((address) =>
        nodeIdOf(chain.chainId, symbols.get(address) ?? ''),
      );
      if (node0 === undefined || node1 === undefined) return [];
      if (!scene.tokens.has(node0) || !scene.tokens.has(node1)) return [];
      const cost = gasCost(scene, chain.chainId, swapGas(state));
      // Usd carries 18 decimals, Fixed36 has 36.
      const venue = venueOfPool(state, [node0, node1], fixed36(cost * 10n ** 18n));
      return [{ chain, state, venue }];
    });
  });
}

/** What transfers are posted on. */
interface Posting {
  readonly policy: QuotePolicy;
  readonly available: Available;
  readonly capacities: ReadonlyMap<string, bigint>;
  /** The layer's venues pay for the output already. */
  readonly layered: boolean;
}

function bridgeEdge(
  scene: Scene,
  from: SceneToken,
  to: SceneToken,
  { policy, available, capacities, layered }: Posting,
): BridgeEdge | null {
  if (from.token.asset !== to.token.asset || from.chain === to.chain) return null;
  // The fill at `to` must be provable at `from`, where the input is in escrow.
  if (messageCost(scene, to.chain.chainId, from.chain.chainId, 1) === null) return null;
  const id = `transfer:${from.node}→${to.node}`;
  const capacity = capacities.get(id) ?? available.get(to.node) ?? 0n;
  if (capacity <= 0n) return null;
  const gas = (layered ? 0n : GAS.fillPerOutput + GAS.approve) + GAS.submitPerRecord;
  return {
    from,
    to,
    venue: {
      id,
      kind: 'bridge',
      nodes: [from.node, to.node],
      feePips: policy.bridgeFeePips,
      fixedFee: '0',
      capacity: capacity.toString(),
      fixedCost: dollars(gasCost(scene, to.chain.chainId, gas)),
    },
  };
}

/**
 * Costs paid once: a fill transaction per chain that trades, opening and releasing per chain that
 * sends, a message per path of proof. An estimate for the search; costs.ts bills the real shape.
 */
function groupsOf(
  scene: Scene,
  pools: readonly PoolEdge[],
  bridges: readonly BridgeEdge[],
  layer: Layer | null,
): readonly ProblemGroup[] {
  const groups: ProblemGroup[] = [];
  const add = (id: string, cost: Usd, venues: readonly string[]) => {
    if (venues.length > 0 && cost > ZERO_USD) groups.push({ id, fixedCost: dollars(cost), venues });
  };
  const idsOf = (edges: readonly { venue: { id: string } }[]) => edges.map(({ venue }) => venue.id);
  for (const chain of scene.chains) {
    const { chainId } = chain;
    const inbound = bridges.filter(({ to }) => to.chain === chain);
    const outbound = bridges.filter(({ from }) => from.chain === chain);
    const local = pools.filter((pool) => pool.chain === chain);
    const own = layer?.venues.filter(({ token }) => token.chain === chain) ?? [];
    const side = (wanted: string) => idsOf(own.filter((edge) => edge.side === wanted));
    const fill = gasCost(scene, chainId, GAS.fillBatch);
    add(`chain:${chainId}`, fill, [...idsOf(local), ...idsOf(inbound), ...side('hold')]);
    // The layer's venues pay for each input, so a first one costs no more than another.
    const firstInput = layer === null ? GAS.openPerInput + GAS.releasePerInput : 0n;
    const opening = gasCost(scene, chainId, GAS.open + GAS.release + firstInput);
    add(`open:${chainId}`, opening, layer === null ? idsOf(outbound) : side('spend'));
    for (const origin of scene.chains) {
      const path = inbound.filter(({ from }) => from.chain === origin);
      const cost = proofCost(scene, chainId, origin.chainId);
      if (path.length > 0) add(`message:${chainId}→${origin.chainId}`, cost, idsOf(path));
    }
  }
  return groups;
}

function proofCost(scene: Scene, from: ChainId, to: ChainId): Usd {
  if (from === to) return ZERO_USD;
  const fee = messageCost(scene, from, to, 1) ?? ZERO_USD;
  return usd(fee + gasCost(scene, from, GAS.submitPerMessage));
}
