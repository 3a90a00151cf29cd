// Policies, decisions and portfolios as they are shown: by asset instead of by position, and of a
// private policy only its commitment, its states and its codes. Pure.

import type { Decision, Policy, Reason, Skipped } from '../policy/types.ts';
import { present } from '../types/assert.ts';
import type { OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type {
  DecisionView,
  PolicyEventView,
  PolicyView,
  PortfolioView,
  ProposalView,
  ReasonView,
} from '../types/policyService.ts';
import type { PolicyEvent, StoredPolicy, StoredProposal } from '../types/policyStore.ts';
import { STATUS_NOTES } from './lifecycle.ts';
import { memoryOf } from './memory.ts';
import type { Observed } from './observe.ts';

export const byAsset = (
  assets: readonly string[],
  values: Float64Array | readonly number[],
): Readonly<Record<string, number>> =>
  Object.fromEntries(assets.map((asset, i) => [asset, present(values[i], `value of ${asset}`)]));

export function decisionView(policy: Pick<Policy, 'assets'>, decision: Decision): DecisionView {
  const { assets } = policy;
  const { at, mode, kind, cause, aim, nextAt } = decision;
  return {
    at,
    mode,
    kind,
    cause,
    aim:
      aim === null
        ? null
        : {
            landing: byAsset(assets, aim.landing),
            targets: byAsset(assets, aim.targets),
            turnover: aim.turnover,
            aversion: aim.aversion,
          },
    leverage: decision.leverage === null ? null : plain(decision.leverage),
    hedge: decision.hedge === null ? null : decision.hedge.map(plain),
    reasons: decision.reasons.map(reasonView),
    skipped: decision.skipped.map(skippedView),
    nextAt,
  };
}

/** What makes a decision another one: not its numbers, but what it says. */
export function decisionKey({ mode, kind, cause, reasons, skipped }: DecisionView): string {
  const codes = reasons.map(({ code }) => code).sort();
  const left = skipped.map(({ code, asset }) => `${code}:${asset ?? ''}`).sort();
  return [mode, kind, cause ?? '', codes.join(','), left.join(',')].join('|');
}

const plain = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

const reasonView = ({ code, message, data }: Reason): ReasonView => ({
  code,
  message,
  ...(data === undefined ? {} : { data }),
});
const skippedView = ({ asset, ...reason }: Skipped): DecisionView['skipped'][number] => ({
  ...reasonView(reason),
  ...(asset === undefined ? {} : { asset }),
});

/** `shown`: the caller may see everything of it. */
export function policyView(
  row: StoredPolicy,
  privacy: Policy['privacy'],
  live: StoredProposal | null,
  shown: boolean,
): PolicyView {
  const memory = memoryOf(row.memory);
  const halted = row.status === 'halted' || row.status === 'reduceOnly';
  const settling = row.status === 'committed' || row.status === 'inFlight';
  return {
    policyId: row.policyId,
    owner: row.owner,
    nonce: row.nonce,
    expires: row.expires === 0 ? null : row.expires,
    commitment: row.documentHash,
    privacy,
    state: row.status,
    note: STATUS_NOTES[row.status],
    createdAt: Math.floor(row.createdAtMs / 1_000),
    updatedAt: Math.floor(row.updatedAtMs / 1_000),
    haltedEvent: halted ? memory.haltedEvent : null,
    orderId: settling && shown ? (memory.orderId as OrderId | null) : null,
    document: shown ? row.document : null,
    lastDecision: shown ? memory.decision : null,
    nextAt: shown ? (memory.decision?.nextAt ?? null) : null,
    proposal:
      live === null || !shown
        ? null
        : { quoteId: live.quoteId, validUntil: Math.floor(live.validUntilMs / 1_000) },
  };
}

export function eventView({ seq, number, atMs, type, data }: PolicyEvent, shown: boolean) {
  const { from = null, to = null, code = null } = data;
  const view: PolicyEventView = {
    seq,
    number,
    at: Math.floor(atMs / 1_000),
    type,
    data: shown ? data : { from, to, code },
  };
  return view;
}

export const proposalView = (proposal: StoredProposal): ProposalView => ({
  policyId: proposal.policyId,
  quoteId: proposal.quoteId,
  createdAt: Math.floor(proposal.createdAtMs / 1_000),
  validUntil: Math.floor(proposal.validUntilMs / 1_000),
  response: proposal.response,
});

/** `covariance`: annual, row by row, as the decision saw it. */
export function portfolioView(
  { assets }: Pick<Policy, 'assets'>,
  seen: Observed,
  targets: Float64Array | readonly number[],
  forecast: { readonly covariance: Float64Array; readonly source: string },
): PortfolioView {
  const drifts = assets.map((_, i) => (seen.weights[i] ?? 0) - (targets[i] ?? 0));
  const n = assets.length;
  let variance = 0;
  for (const [i, a] of drifts.entries()) {
    for (const [j, b] of drifts.entries())
      variance += a * b * (forecast.covariance[i * n + j] ?? 0);
  }
  return {
    at: seen.now,
    worthUsd: seen.worthUsd,
    inFlightUsd: seen.inFlightUsd,
    assets: assets.map((asset, i) => ({
      asset,
      weight: seen.weights[i] ?? 0,
      target: targets[i] ?? 0,
      drift: drifts[i] ?? 0,
      worthUsd: (seen.weights[i] ?? 0) * seen.worthUsd,
      priceUsd: seen.usd[i] ?? 0,
    })),
    chains: [...seen.chainWeights].map(([chain, weights]) => ({
      chain,
      weights: byAsset(assets, weights),
    })),
    largestDrift: Math.max(0, ...drifts.map(Math.abs)),
    turnover: drifts.reduce((sum, drift) => sum + Math.abs(drift), 0) / 2,
    trackingError: Math.sqrt(Math.max(0, variance)),
    forecast: forecast.source,
  };
}
