// What a wallet may sign: the order is rebuilt here from the request, the preview a person reads and
// the network that is pinned or announced, and the service's typed data is held against it. Whatever
// differs is refused with the pointer of the difference, so that a dishonest service cannot swap
// the message. Free in an order are the nonce, the times (within LIMITS), and how much is given for
// what: there the floor is `maxLossBps`, and the certificate says the rest.
//
// What no signature can hold: prices are the service's word unless `prices` are given.

import { type Hex, keccak256, toHex } from 'viem';
import { canonicalFault, OrderJsonError, orderFromJson } from '../../contracts-abi/orderJson.ts';
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
  readonly payload: ReturnType<typeof typedDataPayload>;
}

type Rebalance = Extract<NonNullable<Asked['intent']>, { intentType: 'rebalance' }>;
type Placed = Quote['preview']['inputs'][number];
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

function rebuild(asked: Asked, quote: Quote, network: Network, rules: SigningRules): RebuiltOrder {
  const signed = signedOrder(quote);
  const owner = address(asked.owner, '/order/payload/message/owner');
  const now = rules.now ?? Math.floor(Date.now() / 1000);
  checkTimes(signed, quote, network, now);
  const intent = rebalanceOf(asked.intent);
  const tokens = previewTokens(quote, owner, network, intent);
  if (intent !== null) checkAmounts(quote, intent, tokens);
  const order: PortfolioOrder = {
    owner,
    nonce: signed.nonce,
    openDeadline: signed.openDeadline,
    fillDeadline: signed.fillDeadline,
    expiry: signed.expiry,
    auctioneer: address(network.auctioneer, '/order/payload/message/auctioneer'),
    targets: intent === null ? signed.targets : targetsHash(intent, network),
    origins: originsOf(quote, network, tokens.inputs),
    outputs: outputsOf(quote, network, tokens.outputs, owner),
  };
  const payload = typedDataPayload(order);
  same(orderMessage(signed), orderMessage(order), '/order/payload/message');
  const { signatureType, message: _, ...rest } = quote.order.payload;
  const { message: __, ...ours } = payload;
  same(signatureType, 'eip712', '/order/payload/signatureType');
  same(rest, ours, '/order/payload');
  checkApprovals(quote, order);
  checkLoss(quote, tokens, rules);
  return { orderId: hashOrder(order), order, payload };
}

function mismatch(pointer: string, message: string): never {
  throw new TrimtabError('mismatch', `${message}; nothing was signed`, {
    pointer,
    remedy: 'Do not sign this. Ask again; if it happens again, do not trust this service.',
  });
}

function signedOrder({ order }: Quote): PortfolioOrder {
  const at = '/order/payload/message';
  if (order?.type !== 'trimtab-portfolio-v1') {
    return mismatch('/order/type', `orders of type ${String(order?.type)} are not signed here`);
  }
  let signed: PortfolioOrder;
  try {
    signed = orderFromJson(order.payload?.message);
  } catch (error) {
    if (!(error instanceof OrderJsonError)) throw error;
    return mismatch(`${at}${error.pointer}`, `the order cannot be read: ${error.message}`);
  }
  const fault = canonicalFault(signed);
  if (fault !== null) mismatch(`${at}${fault.pointer}`, fault.message);
  return signed;
}

function checkTimes(order: PortfolioOrder, quote: Quote, network: Network, now: number): void {
  const at = (field: string) => `/order/payload/message/${field}`;
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

function rebalanceOf(intent: Asked['intent']): Rebalance | null {
  if (intent === null) return null;
  if (intent.intentType !== 'rebalance') {
    return mismatch('/order/type', 'another intent than a rebalance was asked for');
  }
  return intent;
}

interface PreviewTokens {
  readonly inputs: readonly Token[];
  readonly outputs: readonly Token[];
}

/** The preview's tokens as the network has them; each belongs to what was asked. */
function previewTokens(
  { preview }: Quote,
  owner: Hex,
  network: Network,
  intent: Rebalance | null,
): PreviewTokens {
  const targets = intent?.targets;
  const assets = intent?.scope?.assets ?? targets?.map(({ asset }) => asset);
  const read = (side: 'inputs' | 'outputs', whose: (flow: Placed) => unknown) =>
    preview[side].map((flow, i) => {
      const at = `/preview/${side}/${i}`;
      const token = tokenOf(flow as Placed, network, at);
      const account = interoperable(token.chainId, owner);
      if (whose(flow as Placed) !== account) mismatch(at, 'it is not the owner’s account');
      const chains = intent?.scope?.chains;
      if (chains !== undefined && !chains.includes(token.chainId)) {
        mismatch(at, `chain ${token.chainId} is not in scope`);
      }
      if (assets !== undefined && !assets.includes(token.asset)) {
        mismatch(at, `${token.asset} is not in scope`);
      }
      return token;
    });
  const outputs = read('outputs', (flow) => (flow as { receiver?: string }).receiver);
  for (const [i, { asset, chainId }] of outputs.entries()) {
    const wanted = targets?.some(
      (one) => one.asset === asset && one.weightBps > 0 && (one.chain ?? chainId) === chainId,
    );
    if (wanted === false) {
      mismatch(`/preview/outputs/${i}`, `${asset} on chain ${chainId} is in no target`);
    }
  }
  return { inputs: read('inputs', ({ user }) => user), outputs };
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
  const kept = BPS - BigInt(intent.maxSlippageBps ?? SLIPPAGE_BPS);
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
  owner: Hex,
): readonly MandateOutput[] {
  return preview.outputs.map(({ chainId, minimumAmount }, i) => {
    const at = `/preview/outputs/${i}`;
    return {
      oracle: bytes32(contractOf(network, chainId, 'layerZeroOracle', at)),
      settler: bytes32(contractOf(network, chainId, 'outputSettler', at)),
      chainId: BigInt(chainId),
      token: bytes32(address(tokens[i]?.address ?? '', at)),
      amount: BigInt(minimumAmount),
      recipient: bytes32(owner),
      callbackData: '0x',
      context: '0x',
    };
  });
}

/** An approval that the quote asks for is of an input, to its escrow, of its amount. */
function checkApprovals({ metadata }: Quote, { origins }: PortfolioOrder): void {
  for (const [i, { chainId, token, spender, required }] of metadata.approvals.entries()) {
    const origin = origins.find((one) => one.chainId === BigInt(chainId));
    const input = origin?.inputs.find((one) => one.token === token.toLowerCase());
    if (origin?.settler !== spender.toLowerCase() || input?.amount !== BigInt(required)) {
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
