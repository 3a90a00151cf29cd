// Which process does which work: the one table from job kind to role and lane. A kind that is not
// here does not compile in solver.ts, and one that is here has its handler there. The role `api` does
// none of it: it answers, and whatever it admits is a row that the others find.

import { KEEP_JOB } from './keeper/lifecycle.ts';
import { PRUNE_JOB } from './retention.ts';
import { AUCTION_JOB, BID_JOB, GUARD_JOB, SERVE_JOB } from './settlement/kinds.ts';
import { WEBHOOK_JOB } from './webhooks/deliver.ts';

export const ROLES = ['api', 'worker', 'keeper'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Lanes have job slots of their own, so that slow work of one sort never keeps another waiting: a
 * policy's long quote delays no order that has a deadline.
 */
export const LANES = { orders: 8, auctions: 8, policies: 4, webhooks: 4 } as const satisfies Record<
  string,
  number
>;
type Lane = keyof typeof LANES;

interface Place {
  readonly role: Exclude<Role, 'api'>;
  readonly lane: Lane;
  /** What a job's key is, as logs call it. */
  readonly subject: 'orderId' | 'policyId' | 'auction' | 'webhookId' | 'sweep';
}

export const JOBS = {
  [SERVE_JOB]: { role: 'worker', lane: 'orders', subject: 'orderId' },
  [GUARD_JOB]: { role: 'worker', lane: 'orders', subject: 'orderId' },
  [AUCTION_JOB]: { role: 'worker', lane: 'auctions', subject: 'auction' },
  [BID_JOB]: { role: 'worker', lane: 'auctions', subject: 'auction' },
  [KEEP_JOB]: { role: 'keeper', lane: 'policies', subject: 'policyId' },
  [WEBHOOK_JOB]: { role: 'worker', lane: 'webhooks', subject: 'webhookId' },
  // Where nothing has a deadline.
  [PRUNE_JOB]: { role: 'worker', lane: 'webhooks', subject: 'sweep' },
} as const satisfies Record<string, Place>;

export type JobKind = keyof typeof JOBS;
export const JOB_KINDS = Object.keys(JOBS) as readonly JobKind[];

/** What a process of these roles runs; none for `api` alone. */
export function jobsOf(roles: readonly Role[]): readonly JobKind[] {
  return JOB_KINDS.filter((kind) => roles.includes(JOBS[kind].role));
}

/** Job kinds by lane, lanes without any left out. */
export function byLane(kinds: readonly JobKind[]): readonly (readonly [Lane, JobKind[]])[] {
  return (Object.keys(LANES) as Lane[])
    .map((lane) => [lane, kinds.filter((kind) => JOBS[kind].lane === lane)] as const)
    .filter(([, members]) => members.length > 0);
}
