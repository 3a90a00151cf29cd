// What the keeper needs of the rest: ports and rooms as arguments, and its own times. It reads no
// clock, no chain and no database but through these.

import type { MarketSource } from '../market/source.ts';
import type { FlowCap } from '../policy/execution/flow.ts';
import type { Decision, Forecast, Policy, PolicyState } from '../policy/types.ts';
import type { Quoter } from '../quoting/quoter.ts';
import type { NetworkConfig } from '../types/network.ts';
import type { PolicyStore } from '../types/policyStore.ts';
import type { Clock } from '../types/ports.ts';
import type { RiskKernel } from '../types/risk.ts';
import type { CheckOwner, ReadStanding } from '../types/standing.ts';
import type { Store } from '../types/store.ts';

export interface KeeperOptions {
  /** Longest pause between two looks at a policy. */
  readonly pollMs: number;
  /** How long after a quote's end an order that signs it may still appear in the store. */
  readonly admissionGraceMs: number;
  /**
   * A wanted trade waits up to this long, spread over policies, so that many do not act at once.
   */
  readonly jitterSeconds: number;
  /** What all policies together may propose to buy of one asset, or to sell, within the window. */
  readonly ownFlow: FlowCap;
  /** First pause after a failure; doubles up to 64 times that. */
  readonly failurePauseMs: number;
  /** An unchanged decision is written down again after this long. */
  readonly repeatLogSeconds: number;
}

export const DEFAULT_KEEPER_OPTIONS: KeeperOptions = {
  pollMs: 60_000,
  admissionGraceMs: 5_000,
  jitterSeconds: 15,
  ownFlow: { windowSeconds: 600, capUsd: 5_000_000 },
  failurePauseMs: 5_000,
  repeatLogSeconds: 3_600,
};

export interface KeeperDeps {
  readonly store: PolicyStore;
  readonly orders: Pick<Store, 'getOrder' | 'listOrders'>;
  readonly source: MarketSource;
  readonly network: NetworkConfig;
  readonly clock: Clock;
  readonly kernel: RiskKernel;
  readonly quoter: Quoter;
  /** policy/decide.ts; an argument so that a simulated world may script it. */
  readonly decide: (
    policy: Policy,
    state: PolicyState,
    deps: { readonly kernel: RiskKernel },
  ) => Decision;
  /** Empty at first: the keeper's own. */
  readonly forecasts: Map<string, Forecast>;
  readonly standing: ReadStanding;
  readonly options: KeeperOptions;
}

/** What the service behind the API needs beyond the keeper. */
export interface PolicyServiceDeps extends KeeperDeps {
  readonly checkOwner: CheckOwner;
  /** A quoter whose store keeps nothing. */
  readonly dryQuoter: Quoter;
  /** Policies that are not ended, per owner, at most. */
  readonly policiesMax: number;
}
