// What a wallet may sign: the order is rebuilt here from the request, the preview a person reads and
// the network that is pinned or announced, and the service's typed data is held against it. Whatever
// differs is refused with the pointer of the difference, so that a dishonest service cannot swap
// the message. Free in an order are the nonce, the times (within LIMITS), and how much is given for
// what: there the floor is `maxLossBps`, and the certificate says the rest.
//
// What no signature can hold: prices are the service's word unless `prices` are given.

import { type Hex, keccak256, toHex } from 'viem';
import { canonicalFault, OrderJsonError, orderFromJson } from '../../contracts-abi/orderJson.ts';
import { permit2Payload } from '../../contracts-abi/permit2.ts';
import {
  hashOrder,
  type MandateOutput,
  type Origin,
  orderMessage,
  type PortfolioOrder,
  typedDataPayload,
} from '../../contracts-abi/typedData.ts';
import { parseFixed36 } from '../../solver/market/decimal.ts';
import { canonicalJson } from '../../solver/market/jsonText.ts';
import { interoperable } from '../../solver/types/interop.ts';
import { TrimtabError } from './errors.ts';
import type { Network, Quote, QuoteRequest } from './types.ts';

/** Times of an order, seconds; a service that needs longer is asked why, not signed. */
export const LIMITS = {
  /** From now to the end of opening. */
  openSeconds: 3_600,
  /** From there to the end of filling. */
  fillSeconds: 6 * 3_600,
  /** From there to the refund, beyond what the contracts leave for proofs. */
  proofSlackSeconds: 6 * 3_600,
  /** Longest the contracts may be said to leave for proofs. */
  proofWindowSeconds: 7 * 86_400,
} as const;

const SLIPPAGE_BPS = 30;
const LOSS_BPS = 1_000;
const BPS = 10_000n;

/** How strictly a quote is held to what was asked. */
export interface SigningRules {
  /**
   * What the signed minimums may be worth less than the inputs, bps; default 1000. Fees and slippage
   * count: a small portfolio over expensive chains needs more.
   */
  readonly maxLossBps?: number | undefined;
  /** Dollars per whole token by asset, decimal strings: yours, instead of the quote's own. */
  readonly prices?: Readonly<Record<string, string>> | undefined;
  /** Unix seconds; default: this machine's clock. */
  readonly now?: number | undefined;
}

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

type Intent = NonNullable<Asked['intent']>;
type Rebalance = Extract<Intent, { intentType: 'rebalance' }>;
type Swap = Extract<Intent, { intentType: 'oif-swap' }>;
type Preview = Quote['preview'];
type Placed = Preview['inputs'][number];
type Token = Network['assets'][number]['tokens'][number] & { readonly asset: string };

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

/** OIF's type: the order as the witness of a Permit2 transfer. */
const byPermit2 = ({ order }: Quote): boolean => (order.type as string) === 'oif-escrow-v0';

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

/** The typed data of the order's type, ours. */
function payloadOf(quote: Quote, order: PortfolioOrder, network: Network): RebuiltOrder['payload'] {
  if (!byPermit2(quote)) return typedDataPayload(order);
  const [origin, another] = order.origins;
  const at = '/order/payload/message/witness/origins';
  if (origin === undefined || another !== undefined) return mismatch(at, 'it is not one chain’s');
  const permit2 = contractOf(network, Number(origin.chainId), 'permit2', at);
  return permit2Payload(order, origin.chainId, permit2);
}

function mismatch(pointer: string, message: string): never {
  throw new TrimtabError('mismatch', `${message}; nothing was signed`, {
    pointer,
    remedy: 'Do not sign this. Ask again; if it happens again, do not trust this service.',
  });
}

/** The order inside what is to be signed, and where it stands. */
function signedOrder(quote: Quote): readonly [PortfolioOrder, string] {
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

function checkTimes(
  order: PortfolioOrder,
  message: string,
  quote: Quote,
  network: Network,
  now: number,
): void {
  const at = (field: string) => `${message}/${field}`;
  const { validUntil } = quote;
  if (!(validUntil > now)) mismatch('/validUntil', 'the quote has expired');
  if (order.openDeadline < validUntil) {
    mismatch(at('openDeadline'), 'the order ends before the quote does');
  }
  if (order.openDeadline > now + LIMITS.openSeconds) {
    mismatch(at('openDeadline'), `it may be opened for more than ${LIMITS.openSeconds} s`);
  }
  if (order.fillDeadline > order.openDeadline + LIMITS.fillSeconds) {
    mismatch(at('fillDeadline'), `it may be filled for more than ${LIMITS.fillSeconds} s`);
  }
  const window = network.minProofWindowSeconds;
  if (window > LIMITS.proofWindowSeconds) {
    mismatch(at('expiry'), `${window} s for proofs are more than ${LIMITS.proofWindowSeconds}`);
  }
  if (order.expiry < order.fillDeadline + window) {
    mismatch(at('expiry'), 'it expires before a fill could be proven');
  }
  if (order.expiry > order.fillDeadline + window + LIMITS.proofSlackSeconds) {
    mismatch(at('expiry'), 'a refund would come too late');
  }
}

/** Of a swap: who is paid. */
function receiverOf({ outputs }: Swap, owner: Hex): Hex {
  const [output] = outputs;
  return output === undefined ? owner : accountOf(output.receiver, '/preview/outputs/0/receiver');
}

/** A plain address, or the last 20 bytes of an ERC-7930 one. */
function accountOf(text: string, at: string): Hex {
  if (!/^0x([0-9a-fA-F]{2}){20,}$/.test(text)) return mismatch(at, `${text} is no account`);
  return address(`0x${text.slice(-40)}`, at);
}

/** Exactly the swap's tokens, and amounts no worse than asked. */
function checkSwap({ preview }: Quote, swap: Swap, owner: Hex): undefined {
  const [output, another] = preview.outputs;
  const [wanted, more] = swap.outputs;
  if (output === undefined || wanted === undefined || another !== undefined || more !== undefined) {
    return mismatch('/preview/outputs', 'a swap here has one output');
  }
  if (!sameToken(wanted.asset, output.asset)) {
    mismatch('/preview/outputs/0/asset', `${output.asset} is not what was asked for`);
  }
  for (const [i, input] of preview.inputs.entries()) {
    const at = `/preview/inputs/${i}`;
    const given = swap.inputs.find(({ asset }) => sameToken(asset, input.asset));
    if (given === undefined) return mismatch(`${at}/asset`, `${input.asset} was not offered`);
    if (accountOf(given.user, `${at}/user`) !== owner) mismatch(`${at}/user`, 'it is another’s');
    if (given.amount !== undefined && BigInt(input.amount) > BigInt(given.amount)) {
      mismatch(`${at}/amount`, `it takes ${input.amount}, and ${given.amount} was offered`);
    }
  }
  const minimum = BigInt(output.minimumAmount);
  if (wanted.amount !== undefined && minimum < BigInt(wanted.amount)) {
    const message = `it promises ${minimum}, and ${wanted.amount} was asked for`;
    mismatch('/preview/outputs/0/minimumAmount', message);
  }
  checkSlippage(preview, SLIPPAGE_BPS);
}

/** Equal ERC-7930 addresses, with or without the length of the address written. */
const sameToken = (asked: string, placed: string): boolean => {
  const bare = (text: string) => text.toLowerCase().replace(/^(0x00010000.*?)14(.{40})$/, '$1$2');
  return bare(asked) === bare(placed);
};

interface PreviewTokens {
  readonly inputs: readonly Token[];
  readonly outputs: readonly Token[];
}

/** The preview's tokens as the network has them; each belongs to what was asked. */
function previewTokens(
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

/** Inputs within the holdings that were named, minimums within the slippage that was allowed. */
function checkAmounts({ preview }: Quote, intent: Rebalance, { inputs }: PreviewTokens): void {
  for (const [i, { amount }] of preview.inputs.entries()) {
    if (intent.holdings === undefined) break;
    const token = inputs[i];
    const held = intent.holdings.find(
      ({ chain, asset }) => chain === token?.chainId && asset === token?.asset,
    );
    if (held === undefined || BigInt(amount) > BigInt(held.amount)) {
      mismatch(`/preview/inputs/${i}/amount`, 'it is more than the holdings that may be traded');
    }
  }
  checkSlippage(preview, intent.maxSlippageBps ?? SLIPPAGE_BPS);
}

function checkSlippage(preview: Preview, bps: number): void {
  const kept = BPS - BigInt(bps);
  for (const [i, { amount, minimumAmount }] of preview.outputs.entries()) {
    const least = (BigInt(amount) * kept) / BPS;
    const minimum = BigInt(minimumAmount);
    if (minimum < least || minimum > BigInt(amount)) {
      const at = `/preview/outputs/${i}/minimumAmount`;
      mismatch(at, `${minimumAmount} is not within the slippage allowed of ${amount}`);
    }
  }
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

/** One chain's contracts by their names. Throws `mismatch` for what the network does not list. */
function contractOf(network: Network, chainId: number, name: string, at: string): Hex {
  const chain = network.chains.find((one) => one.chainId === chainId);
  if (chain === undefined) return mismatch(at, `the network has no chain ${chainId}`);
  const found = chain.contracts[name];
  if (found === undefined) return mismatch(at, `chain ${chainId} lists no ${name}`);
  return address(found, at);
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

/** An approval that the quote asks for is of an input, to what takes it, of its amount. */
function checkApprovals(quote: Quote, { origins }: PortfolioOrder, network: Network): void {
  const { metadata } = quote;
  for (const [i, { chainId, token, spender, required }] of metadata.approvals.entries()) {
    const origin = origins.find((one) => one.chainId === BigInt(chainId));
    const input = origin?.inputs.find((one) => one.token === token.toLowerCase());
    const taker = byPermit2(quote)
      ? contractOf(network, chainId, 'permit2', `/metadata/approvals/${i}`)
      : origin?.settler;
    if (taker !== spender.toLowerCase() || input?.amount !== BigInt(required)) {
      mismatch(`/metadata/approvals/${i}`, 'it approves something else than the order takes');
    }
  }
}

/** What is promised is worth nearly what is given. */
function checkLoss(
  { preview, metadata }: Quote,
  { inputs, outputs }: PreviewTokens,
  { maxLossBps = LOSS_BPS, prices }: SigningRules,
): void {
  const worth = (token: Token | undefined, amount: string, at: string): bigint => {
    if (token === undefined) return mismatch(at, 'it has no token');
    const text =
      prices === undefined
        ? metadata.certificate.prices[`${token.chainId}:${token.symbol}`]
        : prices[token.asset];
    if (text === undefined) return mismatch(at, `there is no price for ${token.asset}`);
    return BigInt(amount) * parseFixed36(text) * 10n ** BigInt(MAX_DECIMALS - token.decimals);
  };
  const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);
  const given = sum(
    preview.inputs.map(({ amount }, i) => worth(inputs[i], amount, `/preview/inputs/${i}`)),
  );
  const taken = sum(
    preview.outputs.map(({ minimumAmount }, i) =>
      worth(outputs[i], minimumAmount, `/preview/outputs/${i}`),
    ),
  );
  if (taken * BPS >= given * (BPS - BigInt(maxLossBps))) return;
  const lost = given === 0n ? 0n : ((given - taken) * BPS) / given;
  mismatch('/preview/outputs', `it promises ${lost} bps less than it takes; ${maxLossBps} may be`);
}
const MAX_DECIMALS = 36;

/** Equal as JSON, or `mismatch` at the first difference. */
function same(theirs: unknown, ours: unknown, pointer: string): void {
  if (typeof ours === 'object' && ours !== null && typeof theirs === 'object' && theirs !== null) {
    const [left, right] = [theirs, ours] as Record<string, unknown>[];
    for (const key of new Set([...Object.keys(right ?? {}), ...Object.keys(left ?? {})])) {
      same(left?.[key], right?.[key], `${pointer}/${key.slice(0, 64)}`);
    }
    return;
  }
  if (theirs === ours) return;
  const say = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 120);
  mismatch(pointer, `the service’s order has ${say(theirs)}, what was asked for ${say(ours)}`);
}

function address(text: string, pointer: string): Hex {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) mismatch(pointer, `${text.slice(0, 80)} is no address`);
  return text.toLowerCase() as Hex;
}

const bytes32 = (account: Hex): Hex => `0x${account.slice(2).padStart(64, '0')}`;
