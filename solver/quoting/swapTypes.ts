// One offer in every type a caller can sign. trimtab-portfolio-v1 is the order's own typed data;
// oif-escrow-v0 the same order as the witness of a Permit2 transfer, where it has one origin with a
// Permit2. Both may be offered of one order: whichever is signed and opened, it is the one order.

import { bytesToHex } from '@noble/hashes/utils.js';
import { orderFromJson } from '../../contracts-abi/orderJson.ts';
import { permit2Payload } from '../../contracts-abi/permit2.ts';
import type { MarketSource } from '../market/source.ts';
import { present } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { EvmAddress } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { ChainConfig, NetworkConfig } from '../types/network.ts';
import type { Rng } from '../types/ports.ts';
import type { Quote } from '../types/service.ts';
import type { Store, StoredQuote } from '../types/store.ts';
import { ORDER_TYPE } from './response.ts';
import { type QuoteRefusal, refuse } from './scope.ts';

/** OIF's order type of an order signed as a Permit2 witness. */
export const PERMIT2_TYPE = 'oif-escrow-v0';

export interface TypedDeps {
  readonly network: NetworkConfig;
  readonly source: MarketSource;
  readonly store: Pick<Store, 'putQuote'>;
  readonly rng: Rng;
}

/** Those of the caller's types that we know, in the caller's order, each once; all by default. */
export function wantedTypes(
  supported: readonly string[] | undefined,
  otherwise: readonly string[],
): readonly string[] | QuoteRefusal {
  const ours = [PERMIT2_TYPE, ORDER_TYPE];
  const wanted = [...new Set(supported ?? otherwise)].filter((type) => ours.includes(type));
  if (wanted.length > 0) return wanted;
  const message = `quotes are orders of type ${ours.join(' or ')}; add one to supportedTypes`;
  return refuse('unsupportedOrderType', message, '/supportedTypes');
}

/** The stored quote of type trimtab-portfolio-v1 in each of `types` it can be. Throws Fault. */
export async function inTypes(
  deps: TypedDeps,
  stored: StoredQuote,
  types: readonly string[],
): Promise<readonly Quote[] | QuoteRefusal> {
  const chain = permit2Chain(stored, deps.network);
  const offered = types.filter((type) => type === ORDER_TYPE || chain !== null);
  if (offered.length === 0) {
    const message =
      `an ${PERMIT2_TYPE} order has inputs on one chain with Permit2, and this one has them on ` +
      `several or elsewhere; add ${ORDER_TYPE} to supportedTypes`;
    return refuse('unsupportedOrderType', message, '/supportedTypes');
  }
  return Promise.all(
    offered.map(async (type) => {
      if (type === ORDER_TYPE || chain === null) return quoteOf(stored);
      const twin = await permit2Twin(deps, stored, chain);
      await deps.store.putQuote(twin);
      return quoteOf(twin);
    }),
  );
}

const quoteOf = ({ quoteId, validUntilMs, response }: StoredQuote): Quote => ({
  quoteId,
  validUntil: validUntilMs / 1000,
  response,
});

/** The one chain of the inputs, if Permit2 is on it. */
function permit2Chain({ order }: StoredQuote, network: NetworkConfig): ChainConfig | null {
  const { origins } = orderFromJson(order);
  const [origin, another] = origins;
  if (origin === undefined || another !== undefined) return null;
  const chain = network.chains.find(({ chainId }) => BigInt(chainId) === origin.chainId);
  return chain?.contracts.permit2 === undefined ? null : chain;
}

async function permit2Twin(
  { source, rng }: TypedDeps,
  stored: StoredQuote,
  chain: ChainConfig,
): Promise<StoredQuote> {
  const permit2 = present(chain.contracts.permit2, 'Permit2');
  const order = orderFromJson(stored.order);
  const payload = permit2Payload(order, BigInt(chain.chainId), permit2);
  const quoteId = `q-${bytesToHex(rng.bytes(16))}`;
  const { metadata, preview } = stored.response;
  const approvals = await approvalsFor(source, chain, order.owner as EvmAddress, permit2, order);
  const response: JsonObject = {
    ...stored.response,
    order: {
      type: PERMIT2_TYPE,
      payload: { signatureType: 'eip712', ...(payload as unknown as JsonObject) },
    },
    quoteId,
    preview: oifPreview(preview as unknown as Preview),
    metadata: { ...(metadata as JsonObject), preview: preview ?? {}, approvals },
  };
  return { ...stored, quoteId, response };
}

interface Preview {
  readonly inputs: readonly { user: string; asset: string; amount: string }[];
  readonly outputs: readonly { receiver: string; asset: string; amount: string }[];
}

/** OIF's members and no others: its aggregator refuses a preview that has more. */
function oifPreview({ inputs, outputs }: Preview): JsonObject {
  return {
    inputs: inputs.map(({ user, asset, amount }) => ({ user, asset, amount })),
    outputs: outputs.map(({ receiver, asset, amount }) => ({ receiver, asset, amount })),
  };
}

/** What the owner must still let Permit2 take. */
async function approvalsFor(
  source: MarketSource,
  chain: ChainConfig,
  owner: EvmAddress,
  permit2: EvmAddress,
  { origins }: ReturnType<typeof orderFromJson>,
): Promise<readonly JsonObject[]> {
  const { block } = await source.chain(chain.chainId);
  const { allowances } = await source.owner(chain.chainId, owner, block, permit2);
  return origins.flatMap(({ inputs }) =>
    inputs.flatMap(({ token, amount }) => {
      const config = chain.tokens.find(({ address }) => address === token);
      if (config === undefined) throw new Fault(`token ${token} of a quote is not listed`);
      const allowance = allowances.get(config.address) ?? 0n;
      if (allowance >= amount) return [];
      return [
        {
          chainId: chain.chainId,
          token: config.address,
          symbol: config.symbol,
          spender: permit2,
          required: amount.toString(),
          allowance: allowance.toString(),
        },
      ];
    }),
  );
}
