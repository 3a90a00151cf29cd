// What a quote shows and what it asks to sign, read: the order inside its typed data, the preview a person
// reads, and the preview's tokens as the network lists them.

import type { Hex } from 'viem';
import { canonicalFault, OrderJsonError, orderFromJson } from '../../contracts-abi/orderJson.ts';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { interoperable } from '../../solver/types/interop.ts';
import { mismatch, same } from './mismatch.ts';
import type { Network, Quote, QuoteRequest } from './types.ts';

type Intent = QuoteRequest['intent'];
export type Rebalance = Extract<Intent, { intentType: 'rebalance' }>;
export type Swap = Extract<Intent, { intentType: 'oif-swap' }>;
export type Preview = Quote['preview'];
type Placed = Preview['inputs'][number];
export type Token = Network['assets'][number]['tokens'][number] & { readonly asset: string };

export interface PreviewTokens {
  readonly inputs: readonly Token[];
  readonly outputs: readonly Token[];
}

/** OIF's type: the order as the witness of a Permit2 transfer. */
export const byPermit2 = ({ order }: Quote): boolean => (order.type as string) === 'oif-escrow-v0';

/** OIF's order type has OIF's preview; ours stands beside it and must say the same. */
export function previewOf(quote: Quote): Preview {
  const { preview, metadata } = quote;
  if (!byPermit2(quote)) return preview;
  const full = (metadata as unknown as { preview: Preview }).preview;
  for (const side of ['inputs', 'outputs'] as const) {
    for (const [i, flow] of full[side].entries()) {
      for (const [name, value] of Object.entries(preview[side][i] ?? {})) {
        same(value, flow[name as keyof typeof flow], `/preview/${side}/${i}/${name}`);
      }
    }
    same(preview[side].length, full[side].length, `/preview/${side}/length`);
  }
  return full;
}

/** The order inside what is to be signed, and where it stands. */
export function signedOrder(quote: Quote): readonly [PortfolioOrder, string] {
  const { type, payload } = quote.order;
  const wrapped = byPermit2(quote);
  if (type !== 'trimtab-portfolio-v1' && !wrapped) {
    return mismatch('/order/type', `orders of type ${String(type)} are not signed here`);
  }
  const at = `/order/payload/message${wrapped ? '/witness' : ''}`;
  let signed: PortfolioOrder;
  try {
    const { message } = payload as { readonly message: unknown };
    signed = orderFromJson(wrapped ? (message as { witness?: unknown }).witness : message);
  } catch (error) {
    if (!(error instanceof OrderJsonError)) throw error;
    return mismatch(`${at}${error.pointer}`, `the order cannot be read: ${error.message}`);
  }
  const fault = canonicalFault(signed);
  if (fault !== null) mismatch(`${at}${fault.pointer}`, fault.message);
  return [signed, at];
}

/** The preview's tokens as the network has them; each belongs to what was asked. */
export function previewTokens(
  { preview }: Quote,
  whom: { readonly owner: Hex; readonly receiver: Hex },
  network: Network,
  intent: Rebalance | null,
): PreviewTokens {
  const targets = intent?.targets;
  const assets = intent?.scope?.assets ?? targets?.map(({ asset }) => asset);
  const read = (side: 'inputs' | 'outputs', who: Hex, whose: (flow: Placed) => unknown) =>
    preview[side].map((flow, i) => {
      const at = `/preview/${side}/${i}`;
      const token = tokenOf(flow as Placed, network, at);
      const account = interoperable(token.chainId, who);
      if (whose(flow as Placed) !== account)
        mismatch(at, 'it is not the account that was named: not the owner’s');
      const chains = intent?.scope?.chains;
      if (chains !== undefined && !chains.includes(token.chainId)) {
        mismatch(at, `chain ${token.chainId} is not in scope`);
      }
      if (assets !== undefined && !assets.includes(token.asset)) {
        mismatch(at, `${token.asset} is not in scope`);
      }
      return token;
    });
  const outputs = read(
    'outputs',
    whom.receiver,
    (flow) => (flow as { receiver?: string }).receiver,
  );
  for (const [i, { asset, chainId }] of outputs.entries()) {
    const wanted = targets?.some(
      (one) => one.asset === asset && one.weightBps > 0 && (one.chain ?? chainId) === chainId,
    );
    if (wanted === false) {
      mismatch(`/preview/outputs/${i}`, `${asset} on chain ${chainId} is in no target`);
    }
  }
  return { inputs: read('inputs', whom.owner, ({ user }) => user), outputs };
}

function tokenOf({ asset, symbol, chainId }: Placed, network: Network, at: string): Token {
  for (const listed of network.assets) {
    for (const token of listed.tokens) {
      if (token.chainId !== chainId || interoperable(chainId, token.address) !== asset) continue;
      if (token.symbol !== symbol) {
        mismatch(`${at}/symbol`, `${token.address} is ${token.symbol}, not ${symbol}`);
      }
      return { ...token, asset: listed.asset };
    }
  }
  return mismatch(`${at}/asset`, `${symbol} is no token that the network lists`);
}
