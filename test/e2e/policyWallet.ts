// The owner of a standing policy, through the HTTP API alone: arms it, watches its log, approves and
// signs what is proposed.

import type { PrivateKeyAccount } from 'viem/accounts';
import { follow, request, type StreamedEvent } from '../../api/cli/http.ts';
import { approve, followOrder, type OfferedQuote } from '../../api/cli/sampleWallet.ts';
import type { World } from '../../api/cli/world.ts';
import type { Hex } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type {
  PolicyEventView,
  PolicyView,
  ProposalView,
} from '../../solver/types/policyService.ts';

export type { PolicyEventView } from '../../solver/types/policyService.ts';

/** Signs what the dry run offers to sign, and arms it. */
export async function arm(
  { api }: World,
  account: PrivateKeyAccount,
  document: JsonObject,
  nonce = '1',
): Promise<Hex> {
  const asked = { document, owner: account.address, arm: { nonce } };
  const run = await request(`${api.url}/v1/policies/dry-run`, { body: asked });
  const signature = await account.signTypedData(run.payload as never);
  const body = { document, owner: account.address, nonce, signature };
  const { policyId, created } = await request(`${api.url}/v1/policies`, { body });
  if (created !== true) throw new Error('it was armed before');
  return policyId as Hex;
}

export const policyUrl = ({ api }: World, id: Hex) => `${api.url}/v1/policies/${id}`;

export const readPolicy = async (world: World, id: Hex) =>
  (await request(policyUrl(world, id))) as unknown as PolicyView;

/** The whole log so far. */
export async function logOf(world: World, id: Hex): Promise<readonly PolicyEventView[]> {
  const page = await request(`${policyUrl(world, id)}/decisions?limit=100`);
  if (page.next !== null) throw new Error('the log has more than a page');
  return page.decisions as unknown as readonly PolicyEventView[];
}

/** Follows the log until an event is `wanted`; throws after `ms`. */
export async function waitFor(
  world: World,
  id: Hex,
  wanted: (event: PolicyEventView) => boolean,
  ms = 90_000,
): Promise<PolicyEventView> {
  const isWanted = (event: StreamedEvent) => wanted(event as unknown as PolicyEventView);
  let last: StreamedEvent | null = null;
  const url = `${policyUrl(world, id)}/events`;
  try {
    for await (const event of follow(url, isWanted, AbortSignal.timeout(ms))) last = event;
  } catch (error) {
    const log = await logOf(world, id);
    throw new Error(`not seen within ${ms} ms; the log ends with ${shown(log)}`, { cause: error });
  }
  if (last === null) throw new Error('the log ended');
  return last as unknown as PolicyEventView;
}

const shown = (log: readonly PolicyEventView[]) => JSON.stringify(log.slice(-3), null, 1);

/** The one live proposal, or null. */
export async function proposalOf(world: World, id: Hex): Promise<ProposalView | null> {
  const { proposals } = await request(`${policyUrl(world, id)}/proposals`);
  const live = proposals as unknown as readonly ProposalView[];
  if (live.length > 1) throw new Error('more than one live proposal');
  return live[0] ?? null;
}

/** Approves, signs and submits what is proposed. */
export async function signProposal(
  world: World,
  account: PrivateKeyAccount,
  proposal: ProposalView,
): Promise<{ readonly orderId: Hex; readonly quote: OfferedQuote }> {
  const quote = proposal.response as unknown as OfferedQuote;
  await approve(world.lab.network, account, quote.metadata.approvals, () => {});
  const signature = await account.signTypedData(quote.order.payload);
  const body = { quoteId: proposal.quoteId, signature };
  const { orderId } = await request(`${world.api.url}/v1/orders`, { body });
  return { orderId: orderId as Hex, quote };
}

export async function settled(world: World, orderId: Hex, ms = 150_000): Promise<void> {
  let last = '';
  for await (const { type } of followOrder(world.api.url, orderId, AbortSignal.timeout(ms))) {
    last = type;
  }
  if (last !== 'order.settled') throw new Error(`the order ended with ${last}`);
}
