// How strictly a quote is held to what was asked: times, amounts, slippage, approvals, and how much is given
// for what. Each check refuses with the pointer of what it does not allow.

import type { Hex } from 'viem';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { parseFixed36 } from '../../solver/market/decimal.ts';
import { accountOf, contractOf, mismatch } from './mismatch.ts';
import {
  byPermit2,
  type Preview,
  type PreviewTokens,
  type Rebalance,
  type Swap,
  type Token,
} from './rebuildPreview.ts';
import type { Network, Quote } from './types.ts';

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
/** Of a token, at most: worths are compared at this scale. */
const MAX_DECIMALS = 36;

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

/** An order that ends in time: for opening, filling, proving and the refund. */
export function checkTimes(
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

/** Exactly the swap's tokens, and amounts no worse than asked. */
export function checkSwap({ preview }: Quote, swap: Swap, owner: Hex): undefined {
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

/** Inputs within the holdings that were named, minimums within the slippage that was allowed. */
export function checkAmounts(
  { preview }: Quote,
  intent: Rebalance,
  { inputs }: PreviewTokens,
): void {
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

/** An approval that the quote asks for is of an input, to what takes it, of its amount. */
export function checkApprovals(quote: Quote, { origins }: PortfolioOrder, network: Network): void {
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
export function checkLoss(
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
