// What a wallet may sign: the order is rebuilt here from the request, the preview a person reads and
// the network that is pinned or announced, and the service's typed data is held against it. Whatever
// differs is refused with the pointer of the difference, so that a dishonest service cannot swap
// the message. Free in an order are the nonce, the times (within LIMITS), and how much is given for
// what: there the floor is `maxLossBps`, and the certificate says the rest.
//
// What no signature can hold: prices are the service's word unless `prices` are given.

import { type Hex, keccak256, toHex } from 'viem';
import { permit2Payload } from '../../contracts-abi/permit2.ts';
import {
  hashOrder,
  type MandateOutput,
  type Origin,
  orderMessage,
  type PortfolioOrder,
  typedDataPayload,
} from '../../contracts-abi/typedData.ts';
import { canonicalJson } from '../../solver/market/jsonText.ts';
import { TrimtabError } from './errors.ts';
import { accountOf, address, bytes32, contractOf, mismatch, same } from './mismatch.ts';
import {
  byPermit2,
  previewOf,
  previewTokens,
  type Rebalance,
  type Swap,
  signedOrder,
  type Token,
} from './rebuildPreview.ts';
import {
  checkAmounts,
  checkApprovals,
  checkLoss,
  checkSwap,
  checkTimes,
  type SigningRules,
} from './rebuildRules.ts';
import type { Network, Quote, QuoteRequest } from './types.ts';

/** What was asked for. `intent` null: unknown, as of an order that a policy proposes. */
export interface Asked {
  /** Who signs: a plain address. */
  readonly owner: string;
  readonly intent: QuoteRequest['intent'] | null;
}

export interface RebuiltOrder {
  /** What the order is called everywhere, before it is submitted. */
  readonly orderId: Hex;
  readonly order: PortfolioOrder;
  /** What to sign: ours, equal to the service's. */
  readonly payload: ReturnType<typeof typedDataPayload> | ReturnType<typeof permit2Payload>;
}

/** Throws TrimtabError `mismatch` with a pointer into the quote. Pure but for the clock. */
export function rebuildOrder(
  asked: Asked,
  quote: Quote,
  network: Network,
  rules: SigningRules = {},
): RebuiltOrder {
  try {
    return rebuild(asked, quote, network, rules);
  } catch (error) {
    if (error instanceof TrimtabError) throw error;
    // A member that is missing, or no number: not an answer of the documented shape.
    return mismatch('', `the quote cannot be read: ${String(error).slice(0, 200)}`);
  }
}

function rebuild(
  asked: Asked,
  offered: Quote,
  network: Network,
  rules: SigningRules,
): RebuiltOrder {
  const quote = { ...offered, preview: previewOf(offered) };
  const [signed, at] = signedOrder(quote);
  const owner = address(asked.owner, `${at}/owner`);
  const now = rules.now ?? Math.floor(Date.now() / 1000);
  checkTimes(signed, at, quote, network, now);
  const { intent } = asked;
  const swap = intent?.intentType === 'oif-swap' ? intent : null;
  const rebalance = intent?.intentType === 'rebalance' ? intent : null;
  const receiver = swap === null ? owner : receiverOf(swap, owner);
  const tokens = previewTokens(quote, { owner, receiver }, network, rebalance);
  if (rebalance !== null) checkAmounts(quote, rebalance, tokens);
  if (swap !== null) checkSwap(quote, swap, owner);
  const order: PortfolioOrder = {
    owner,
    nonce: signed.nonce,
    openDeadline: signed.openDeadline,
    fillDeadline: signed.fillDeadline,
    expiry: signed.expiry,
    auctioneer: address(network.auctioneer, `${at}/auctioneer`),
    // It explains the order and binds nothing; what a policy or a swap aims at is not known here.
    targets: rebalance === null ? signed.targets : targetsHash(rebalance, network),
    origins: originsOf(quote, network, tokens.inputs),
    outputs: outputsOf(quote, network, tokens.outputs, receiver),
  };
  same(orderMessage(signed), orderMessage(order), at);
  const payload = payloadOf(quote, order, network);
  const { signatureType, ...rest } = quote.order.payload;
  same(signatureType, 'eip712', '/order/payload/signatureType');
  same(rest, payload, '/order/payload');
  checkApprovals(quote, order, network);
  checkLoss(quote, tokens, rules);
  return { orderId: hashOrder(order), order, payload };
}

/** The typed data of the order's type, ours. */
function payloadOf(quote: Quote, order: PortfolioOrder, network: Network): RebuiltOrder['payload'] {
  if (!byPermit2(quote)) return typedDataPayload(order);
  const [origin, another] = order.origins;
  const at = '/order/payload/message/witness/origins';
  if (origin === undefined || another !== undefined) return mismatch(at, 'it is not one chain’s');
  const permit2 = contractOf(network, Number(origin.chainId), 'permit2', at);
  return permit2Payload(order, origin.chainId, permit2);
}

/** Of a swap: who is paid. */
function receiverOf({ outputs }: Swap, owner: Hex): Hex {
  const [output] = outputs;
  return output === undefined ? owner : accountOf(output.receiver, '/preview/outputs/0/receiver');
}

/** keccak256 of the targets' canonical JSON, with what is sold whole as targets of weight 0. */
function targetsHash({ targets, scope }: Rebalance, network: Network): Hex {
  const chains = scope?.chains ?? network.chains.map(({ chainId }) => chainId);
  const list = targets.map(({ asset, chain, weightBps }) => ({
    asset,
    chain: chain ?? null,
    weightBps,
  }));
  for (const asset of new Set(scope?.assets ?? targets.map((target) => target.asset))) {
    const tokens = network.assets.find((one) => one.asset === asset)?.tokens ?? [];
    const own = targets.filter((target) => target.asset === asset);
    const untaken = tokens.some(
      ({ chainId }) =>
        chains.includes(chainId) && !own.some(({ chain = chainId }) => chain === chainId),
    );
    if (untaken) list.push({ asset, chain: null, weightBps: 0 });
  }
  return keccak256(toHex(canonicalJson(list)));
}

function originsOf(
  { preview }: Quote,
  network: Network,
  tokens: readonly Token[],
): readonly Origin[] {
  const origins = new Map<number, Origin>();
  for (const [i, { chainId, amount }] of preview.inputs.entries()) {
    const at = `/preview/inputs/${i}`;
    const token = address(tokens[i]?.address ?? '', at);
    const before = origins.get(chainId);
    origins.set(chainId, {
      chainId: BigInt(chainId),
      settler: contractOf(network, chainId, 'portfolioSettler', at),
      oracle: contractOf(network, chainId, 'layerZeroOracle', at),
      inputs: [...(before?.inputs ?? []), { token, amount: BigInt(amount) }],
    });
  }
  return [...origins.values()];
}

function outputsOf(
  { preview }: Quote,
  network: Network,
  tokens: readonly Token[],
  receiver: Hex,
): readonly MandateOutput[] {
  return preview.outputs.map(({ chainId, minimumAmount }, i) => {
    const at = `/preview/outputs/${i}`;
    return {
      oracle: bytes32(contractOf(network, chainId, 'layerZeroOracle', at)),
      settler: bytes32(contractOf(network, chainId, 'outputSettler', at)),
      chainId: BigInt(chainId),
      token: bytes32(address(tokens[i]?.address ?? '', at)),
      amount: BigInt(minimumAmount),
      recipient: bytes32(receiver),
      callbackData: '0x',
      context: '0x',
    };
  });
}
