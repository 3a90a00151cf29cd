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

/** One event of GET /v1/orders/{id}/events. */
export interface OrderStep {
  readonly seq: number;
  readonly type: string;
  readonly data: JsonObject;
}

/** A problem document the service answered with. */
export class RefusedByService extends Error {
  override readonly name = 'RefusedByService';
  readonly problem: JsonObject;
  constructor(problem: JsonObject) {
    super(String(problem.detail ?? problem.message ?? JSON.stringify(problem)));
    this.problem = problem;
  }
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
  const answer = await post(`${baseUrl}/v1/quotes`, body);
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
  const answer = await post(`${baseUrl}/v1/orders`, { quoteId, signature });
  return answer.orderId as Hex;
}

/** The order's events from its beginning, until it is over. Reconnects with Last-Event-ID. */
export async function* follow(
  baseUrl: string,
  orderId: Hex,
  signal: AbortSignal,
): AsyncGenerator<OrderStep> {
  let last = 0;
  while (!signal.aborted) {
    const response = await fetch(`${baseUrl}/v1/orders/${orderId}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': String(last) },
      signal,
    });
    if (!response.ok || response.body === null) throw await refusal(response);
    for await (const event of parseEvents(response.body)) {
      last = event.seq;
      yield event;
      if (/^order\.(settled|refunded|failed)$/.test(event.type)) return;
    }
  }
}

async function* parseEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<OrderStep> {
  const decoder = new TextDecoder();
  let buffer = '';
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true });
    for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
      const fields = new Map(
        buffer
          .slice(0, end)
          .split('\n')
          .filter((line) => line.includes(': '))
          .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
      );
      buffer = buffer.slice(end + 2);
      const text = fields.get('data');
      if (fields.has('id') && text !== undefined) yield JSON.parse(text) as OrderStep;
    }
  }
}

async function post(url: string, body: unknown): Promise<JsonObject> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as JsonObject;
}

async function refusal(response: Response): Promise<RefusedByService> {
  const text = await response.text();
  try {
    return new RefusedByService(JSON.parse(text) as JsonObject);
  } catch {
    return new RefusedByService({ detail: `HTTP ${response.status}: ${text.slice(0, 300)}` });
  }
}
