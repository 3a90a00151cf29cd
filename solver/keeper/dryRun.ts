// What a document would do now, without leaving a trace: no row, no quote, no price kept. And how
// far a portfolio stands from what it says.

import { nodeIdOf } from '../market/snapshot.ts';
import type { Policy } from '../policy/types.ts';
import { isRefusal } from '../types/errors.ts';
import type { JsonObject } from '../types/json.ts';
import type { NetworkConfig } from '../types/network.ts';
import type {
  DriftRequest,
  DryRun,
  DryRunRequest,
  PolicyRefusal,
  PortfolioView,
} from '../types/policyService.ts';
import { requestOf } from './evaluate.ts';
import { forecastOf } from './history.ts';
import { judge } from './judge.ts';
import { freshMemory } from './memory.ts';
import { type Instead, type Observed, observe } from './observe.ts';
import { commitmentOf, policyOf } from './policyOf.ts';
import type { PolicyServiceDeps } from './ports.ts';
import { decisionView, portfolioView } from './view.ts';

export async function dryRun(
  deps: PolicyServiceDeps,
  { document, owner, holdings }: DryRunRequest,
): Promise<DryRun | PolicyRefusal> {
  const policy = policyOf(document, deps.network, '/document');
  const instead = insteadOf(deps.network, policy, holdings);
  if (isRefusal(instead)) return instead;
  const seen = await observe(deps, policy, owner, instead);
  if (isRefusal(seen)) return seen;
  const { decision, forecast } = await judge(deps, policy, seen, freshMemory(seen.now), false);
  const targets = decision.aim?.targets ?? policy.targets;
  return {
    commitment: commitmentOf(document),
    decision: decisionView(policy, decision),
    portfolio: portfolioView(policy, seen, targets, forecast),
    quote: await quoted(deps, policy, decision, owner, holdings),
  };
}

export async function drift(
  deps: PolicyServiceDeps,
  { owner, document }: DriftRequest,
): Promise<PortfolioView | PolicyRefusal> {
  const policy = policyOf(document, deps.network, '/document');
  const seen: Observed | PolicyRefusal = await observe(deps, policy, owner);
  if (isRefusal(seen)) return seen;
  const forecast = await forecastOf(deps, policy, seen.now);
  return portfolioView(policy, seen, policy.targets, forecast);
}

/** Base units by node id of what is said to be held; null: nothing is said. */
function insteadOf(
  network: NetworkConfig,
  policy: Policy,
  holdings: DryRunRequest['holdings'],
): Instead | PolicyRefusal | null {
  if (holdings === undefined) return null;
  const held = new Map<string, bigint>();
  for (const [i, { chain, asset, amount }] of holdings.entries()) {
    const config = network.chains.find(({ chainId }) => chainId === chain);
    if (config === undefined || policy.chains?.includes(config.chainId) === false) {
      const message = `chain ${chain} is not one of the policy's`;
      return { refused: 'unknownChain', message, pointer: `/holdings/${i}/chain` };
    }
    const named = policy.universe[policy.assets.indexOf(asset)] ?? asset;
    const token = config.tokens.find((listed) => listed.asset === named);
    if (token === undefined || !policy.universe.includes(named)) {
      const message = `${JSON.stringify(asset)} is not an asset of the policy on chain ${chain}`;
      return { refused: 'unknownAsset', message, pointer: `/holdings/${i}/asset` };
    }
    const node = nodeIdOf(config.chainId, token.symbol);
    held.set(node, (held.get(node) ?? 0n) + BigInt(amount));
  }
  return held;
}

async function quoted(
  deps: PolicyServiceDeps,
  policy: Policy,
  decision: Parameters<typeof requestOf>[1],
  owner: DryRunRequest['owner'],
  holdings: DryRunRequest['holdings'],
): Promise<DryRun['quote']> {
  if (decision.kind === 'idle') return null;
  if (decision.aim === null) {
    const message = 'the trade needs a lending or option venue, and none is connected';
    return { offered: false, refused: 'unsupportedPolicy', message };
  }
  const request = requestOf({ policy, row: { owner } }, decision);
  const inNetwork = holdings?.map(({ asset, ...rest }) => ({
    ...rest,
    asset: policy.universe[policy.assets.indexOf(asset)] ?? asset,
  }));
  const quote = await deps.dryQuoter.quote({
    ...request,
    ...(inNetwork === undefined ? {} : { holdings: inNetwork }),
  });
  if (isRefusal(quote)) {
    return { offered: false, refused: quote.refused, message: quote.message };
  }
  return { offered: true, response: quote.response satisfies JsonObject };
}
