// The sample wallet: a user of the HTTP API like any other. Asks for a quote, approves what is not
// yet approved, signs once, submits, and follows the order to its end.

import {
  type Account,
  createWalletClient,
  erc20Abi,
  type Hex,
  http,
  publicActions,
  type TypedDataDefinition,
} from 'viem';
import type { JsonObject } from '../../solver/types/json.ts';
import type { NetworkConfig } from '../../solver/types/network.ts';
import { follow, RefusedByService, request } from './http.ts';

/** What the sample reads of GET /v1/quotes' answer. */
export interface OfferedQuote {
  readonly quoteId: string;
  readonly order: { readonly payload: TypedDataDefinition };
  readonly preview: { readonly inputs: readonly Placed[]; readonly outputs: readonly Placed[] };
  readonly metadata: {
    readonly worthUsd: string;
    readonly weights: {
      readonly targets: readonly {
        readonly asset: string;
        readonly targetBps: number;
        readonly beforeBps: number;
      }[];
    };
    readonly legs: readonly JsonObject[];
    readonly fees: readonly { readonly kind: string; readonly amountUsd: string }[];
    readonly totalFeesUsd: string;
    readonly approvals: readonly {
      readonly chainId: number;
      readonly token: Hex;
      readonly symbol: string;
      readonly spender: Hex;
      readonly required: string;
    }[];
    readonly certificate: { readonly gapBps: string; readonly bound: string };
  };
}
interface Placed {
  readonly symbol: string;
  readonly chainId: number;
  readonly amount: string;
  readonly minimumAmount?: string;
}

export async function askQuote(
  baseUrl: string,
  owner: string,
  targets: readonly {
    readonly asset: string;
    readonly weightBps: number;
    readonly chain?: number;
  }[],
): Promise<OfferedQuote> {
  const body = {
    user: owner,
    intent: { intentType: 'rebalance', owner, scope: {}, targets },
    supportedTypes: ['trimtab-portfolio-v1'],
  };
  const answer = await request(`${baseUrl}/v1/quotes`, { body });
  const [quote] = answer.quotes as unknown as readonly OfferedQuote[];
  if (quote === undefined) throw new RefusedByService({ detail: 'the answer holds no quote' });
  return quote;
}

/** Approves exactly what one quote still needs; calls back per included transaction. */
export async function approve(
  network: NetworkConfig,
  account: Account,
  approvals: OfferedQuote['metadata']['approvals'],
  onApproved: (approval: (typeof approvals)[number], hash: Hex) => void,
): Promise<void> {
  const chainIds = new Set(approvals.map(({ chainId }) => chainId));
  await Promise.all(
    [...chainIds].map(async (chainId) => {
      const wanted = approvals.filter((approval) => approval.chainId === chainId);
      const config = network.chains.find((chain) => chain.chainId === chainId);
      if (config === undefined)
        throw new Error(`the quote names chain ${chainId}, which is not ours`);
      const client = createWalletClient({ account, transport: http(config.rpcUrl) }).extend(
        publicActions,
      );
      for (const approval of wanted) {
        const hash = await client.writeContract({
          chain: null,
          address: approval.token,
          abi: erc20Abi,
          functionName: 'approve',
          args: [approval.spender, BigInt(approval.required)],
        });
        const receipt = await client.waitForTransactionReceipt({ hash, pollingInterval: 100 });
        if (receipt.status !== 'success') throw new Error(`approving ${approval.symbol} reverted`);
        onApproved(approval, hash);
      }
    }),
  );
}

export async function submit(baseUrl: string, quoteId: string, signature: Hex): Promise<Hex> {
  const answer = await request(`${baseUrl}/v1/orders`, { body: { quoteId, signature } });
  return answer.orderId as Hex;
}

/** The order's events from its beginning, until it is over. */
export const followOrder = (baseUrl: string, orderId: Hex, signal: AbortSignal) =>
  follow(
    `${baseUrl}/v1/orders/${orderId}/events`,
    ({ type }) => /^order\.(settled|refunded|failed)$/.test(type),
    signal,
  );
