// From an offer to its settlement: approve, sign, submit, follow, cancel. What is signed is the order
// rebuilt from the request (rebuild.ts), never the service's own message. An order can be followed from
// its id alone, also by another process and after a restart.

import {
  type Account,
  type Address,
  type Client,
  erc20Abi,
  type Hex,
  isAddressEqual,
  keccak256,
  toHex,
} from 'viem';
import {
  getChainId,
  readContract,
  signTypedData,
  waitForTransactionReceipt,
  writeContract,
} from 'viem/actions';
import { cancelPayload } from '../../contracts-abi/typedData.ts';
import { TrimtabError } from './errors.ts';
import { type FollowOptions, followLog, type LogEvent } from './events.ts';
import type { Offer } from './quotes.ts';
import { rebuildOrder } from './rebuild.ts';
import { type Api, pause } from './transport.ts';
import type { Order, OrderPage } from './types.ts';

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

/** A viem client with an account: a wallet. Its chain does not matter for what is signed. */
type Signer = Client & { readonly account?: Account | undefined };

export interface SignedOrder {
  readonly quoteId: string;
  /** Known before it is submitted: keep it, and the order can be followed whatever happens. */
  readonly orderId: Hex;
  readonly signature: Hex;
}

/** One allowance that the order needs. */
export interface Approval {
  readonly chainId: number;
  readonly token: Address;
  readonly spender: Address;
  /** Base units. */
  readonly required: bigint;
  readonly allowance: bigint;
}

export interface ApproveParameters extends Cancellable {
  /** The wallet of a chain: a viem client that has the account and reaches that chain's node. */
  readonly clientOf: (chainId: number) => Signer | Promise<Signer>;
  /** Called once a transaction is included. */
  readonly onApproved?: (approval: Approval, hash: Hex) => void;
  readonly pollingInterval?: number;
}

/** What of the order's inputs its escrows, or Permit2, may not take yet, by the chains' own word. */
export async function missingApprovals(
  offer: Offer,
  { clientOf, signal }: ApproveParameters,
): Promise<readonly Approval[]> {
  const { domain } = offer.payload;
  const perOrigin = offer.order.origins.map(async ({ chainId: id, settler, inputs }) => {
    const chainId = Number(id);
    const spender = 'verifyingContract' in domain ? domain.verifyingContract : settler;
    const client = await walletOf(chainId, clientOf);
    return Promise.all(
      inputs.map(async ({ token, amount }): Promise<Approval> => {
        signal?.throwIfAborted();
        const args = [offer.order.owner, spender] as const;
        const allowance = await readContract(client, {
          address: token,
          abi: erc20Abi,
          functionName: 'allowance',
          args,
        });
        return { chainId, token, spender, required: amount, allowance };
      }),
    );
  });
  const approvals = (await Promise.all(perOrigin)).flat();
  return approvals.filter(({ allowance, required }) => allowance < required);
}

/**
 * Sends what is missing, exact amounts, one transaction after another on each chain; nothing where
 * nothing is. Throws TrimtabError `walletFault` when a client is of another chain or a transaction
 * reverted; viem's own errors as they are.
 */
export async function approve(
  offer: Offer,
  parameters: ApproveParameters,
): Promise<readonly Approval[]> {
  const missing = await missingApprovals(offer, parameters);
  const chains = [...new Set(missing.map(({ chainId }) => chainId))];
  await Promise.all(
    chains.map(async (id) => {
      const client = await walletOf(id, parameters.clientOf);
      for (const approval of missing.filter(({ chainId }) => chainId === id)) {
        await approveOne(client, approval, offer.order.owner, parameters);
      }
    }),
  );
  return missing;
}

async function approveOne(
  client: Signer,
  approval: Approval,
  owner: Address,
  { signal, onApproved, pollingInterval }: ApproveParameters,
): Promise<void> {
  const { token, spender, required, allowance } = approval;
  const account = accountOf(client, owner);
  // Some tokens refuse to change an allowance that is not 0.
  for (const amount of allowance > 0n ? [0n, required] : [required]) {
    signal?.throwIfAborted();
    const hash = await writeContract(client, {
      account,
      chain: null,
      address: token,
      abi: erc20Abi,
      functionName: 'approve',
      args: [spender, amount],
    });
    const receipt = await waitForTransactionReceipt(client, {
      hash,
      ...(pollingInterval === undefined ? {} : { pollingInterval }),
    });
    if (receipt.status !== 'success') {
      throw new TrimtabError('walletFault', `approving ${token} reverted: ${hash}`);
    }
    if (amount > 0n) onApproved?.(approval, hash);
  }
}

async function walletOf(chainId: number, clientOf: ApproveParameters['clientOf']): Promise<Signer> {
  const client = await clientOf(chainId);
  const said = await getChainId(client);
  if (said === chainId) return client;
  const message = `the client given for chain ${chainId} is of chain ${said}`;
  throw new TrimtabError('walletFault', message);
}

function accountOf(client: Signer, owner: Address): Account {
  const { account } = client;
  if (account === undefined) throw new TrimtabError('walletFault', 'the client has no account');
  if (isAddressEqual(account.address, owner)) return account;
  const message = `the client’s account is ${account.address}, the order’s owner ${owner}`;
  throw new TrimtabError('walletFault', message);
}

/**
 * One EIP-712 signature over every origin. The offer is held against its request once more: it may
 * have expired, or been touched. Throws TrimtabError `mismatch`.
 */
export async function signOrder(wallet: Signer, offer: Offer): Promise<SignedOrder> {
  const { quoteId, asked, quote, network, rules } = offer;
  const { order, orderId, payload } = rebuildOrder(asked, quote, network, rules);
  const account = accountOf(wallet, order.owner);
  const signature = await signTypedData(wallet, { account, ...(payload as object) } as Parameters<
    typeof signTypedData
  >[1]);
  return { quoteId, orderId, signature };
}

/**
 * Submits it; again is harmless: the same signed order is the same order. Throws TrimtabError by the
 * service's codes, and `mismatch` if the service calls it something else.
 */
export async function submitOrder(
  api: Api,
  { quoteId, orderId, signature }: SignedOrder,
  { signal }: Cancellable = {},
): Promise<Order> {
  const answer = await api.request<{ readonly orderId: string; readonly order: Order }>(
    '/v1/orders',
    {
      method: 'POST',
      body: { quoteId, signature },
      // The same call after a restart has the same key.
      headers: { 'idempotency-key': keccak256(toHex(`${quoteId}:${signature}`)) },
      safe: true,
      signal,
    },
  );
  if (answer.orderId === orderId) return answer.order;
  throw new TrimtabError('mismatch', `${orderId} was signed, the service took ${answer.orderId}`, {
    pointer: '/orderId',
  });
}

const pathOf = (orderId: string): string => `/v1/orders/${encodeURIComponent(orderId)}`;

export const getOrder = (
  api: Api,
  { orderId, signal }: { readonly orderId: string } & Cancellable,
): Promise<Order> => api.request(pathOf(orderId), { signal });

/** Newest first. `cursor`: nextCursor of the page before. */
export const listOrders = (
  api: Api,
  {
    owner,
    cursor,
    limit,
    signal,
  }: {
    readonly owner: string;
    readonly cursor?: string | undefined;
    readonly limit?: number | undefined;
  } & Cancellable,
): Promise<OrderPage> => api.request('/v1/orders', { query: { owner, cursor, limit }, signal });

const isLast = ({ type }: LogEvent): boolean => /^order\.(settled|refunded|failed)$/.test(type);

/** Its events from the first, or from after `afterSeq`, until it is over. */
export const watchOrder = (
  api: Api,
  { orderId, ...options }: { readonly orderId: string } & FollowOptions,
): AsyncGenerator<LogEvent, void, void> =>
  followLog(api, `${pathOf(orderId)}/events`, isLast, options);

/** Where no event stream can be had, the order is asked for this often. */
const POLL_MS = 2_000;
/** Failed polls in a row before the last failure is thrown. */
const POLL_FAILURES_MAX = 30;

/**
 * The order once it is over (`terminal`): settled, refunded or failed; its `status` and `reason` say
 * which and why. Follows the event stream; where none can be had, asks again and again instead.
 */
export async function waitForOrder(
  api: Api,
  {
    orderId,
    onEvent,
    ...options
  }: { readonly orderId: string; readonly onEvent?: (event: LogEvent) => void } & FollowOptions,
): Promise<Order> {
  try {
    for await (const event of watchOrder(api, { orderId, ...options })) onEvent?.(event);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof TrimtabError) || !NO_STREAM.has(error.code)) throw error;
  }
  const { signal } = options;
  for (let failures = 0; ; ) {
    try {
      const order = await getOrder(api, { orderId, signal });
      if (order.terminal) return order;
      failures = 0;
    } catch (error) {
      failures += 1;
      const passes = error instanceof TrimtabError && error.retryable;
      if (!passes || failures > POLL_FAILURES_MAX) throw error;
    }
    await pause(POLL_MS, signal);
  }
}

/** There is no stream, but there may be an order. */
const NO_STREAM: ReadonlySet<string> = new Set([
  'streamLost',
  'tooManyStreams',
  'notTrimtab',
  'notAcceptable',
]);

/** Signed by its owner; possible until it is awarded. The order as it stands then. */
export async function cancelOrder(
  api: Api,
  wallet: Signer,
  { orderId, signal }: { readonly orderId: string } & Cancellable,
): Promise<Order> {
  const { owner, nonce } = await getOrder(api, { orderId, signal });
  const account = accountOf(wallet, owner as Address);
  const payload = cancelPayload(owner as Address, BigInt(nonce));
  const signature = await signTypedData(wallet, { account, ...(payload as object) } as Parameters<
    typeof signTypedData
  >[1]);
  return api.request(pathOf(orderId), {
    method: 'DELETE',
    body: { signature },
    safe: true,
    signal,
  });
}
