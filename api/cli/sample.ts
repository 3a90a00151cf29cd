// The sample: one rebalance of the lab's wallet, step by step, through the HTTP API. An order that an
// earlier, killed service left unfinished is followed to its end instead of asking for a new one.

import { formatUnits } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Hex } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { NetworkConfig } from '../../solver/types/network.ts';
import type { StreamedEvent } from './http.ts';
import { type Position, readPortfolio, weightsByAsset } from './portfolio.ts';
import type { Reporter } from './reporter.ts';
import { approve, askQuote, followOrder, type OfferedQuote, submit } from './sampleWallet.ts';

/** What the sample asks for: weights per asset, over all chains. */
export const SAMPLE_TARGETS = [
  { asset: 'BTC', weightBps: 3500 },
  { asset: 'ETH', weightBps: 3500 },
  { asset: 'USDC', weightBps: 2250 },
  { asset: 'LINK', weightBps: 750 },
] as const;

export interface SampleWorld {
  readonly baseUrl: string;
  readonly network: NetworkConfig;
  readonly privateKey: Hex;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** Who is who among the fillers, by address, for people. */
  readonly fillers?: ReadonlyMap<string, string>;
  /** The wallet's order of an earlier run on these chains with the quote it came from, if any. */
  readonly earlier: { readonly orderId: Hex; readonly quote: OfferedQuote } | null;
}

export interface SampleOutcome {
  readonly settled: boolean;
  /** Why not, for people. */
  readonly reason: string | null;
}

export async function runSample(world: SampleWorld): Promise<SampleOutcome> {
  const { reporter, network } = world;
  const account = privateKeyToAccount(world.privateKey);
  const owner = account.address.toLowerCase() as Parameters<typeof readPortfolio>[1];
  const { orderId, quote, txs } =
    world.earlier === null
      ? await placeOrder(world)
      : { ...world.earlier, txs: [] as JsonObject[] };
  if (world.earlier !== null) {
    reporter.step('resumed', `order ${short(orderId)} of an earlier start`, { orderId });
  }
  let last: StreamedEvent | null = null;
  for await (const event of followOrder(world.baseUrl, orderId, world.signal)) {
    last = event;
    if (event.type === 'order.awarded') reportBids(world, event);
    reportEvent(reporter, network, orderId, event);
    if (event.type === 'tx.sent') txs.push(txOf(event));
  }
  if (last?.type !== 'order.settled') {
    const reason = `order ${orderId} ended as ${last?.type ?? 'interrupted'}: ${String(last?.data.why ?? '')}`;
    reporter.step('ended', reason, { orderId, reason });
    return { settled: false, reason };
  }
  const positions = await readPortfolio(network, owner);
  reportSettled(world, orderId, quote, positions, txs);
  return { settled: true, reason: null };
}

async function placeOrder(
  world: SampleWorld,
): Promise<{ orderId: Hex; quote: OfferedQuote; txs: JsonObject[] }> {
  const { reporter, network, baseUrl } = world;
  const account = privateKeyToAccount(world.privateKey);
  const quote = await askQuote(baseUrl, account.address, SAMPLE_TARGETS);
  reportQuote(reporter, network, quote);
  const txs: JsonObject[] = [];
  await approve(network, account, quote.metadata.approvals, (approval, hash) => {
    const { chainId, symbol } = approval;
    txs.push({ chain: chainId, purpose: `approve:${symbol}`, hash });
    const text = `${symbol} on ${chainName(network, chainId)}  ${hash}`;
    reporter.step('approved', text, { chain: chainId, symbol, hash });
  });
  const signature = await account.signTypedData(quote.order.payload);
  reporter.step('signed', 'one EIP-712 signature over every origin', { quoteId: quote.quoteId });
  const orderId = await submit(baseUrl, quote.quoteId, signature);
  reporter.step('admitted', `order ${orderId}`, { orderId });
  return { orderId, quote, txs };
}

function reportQuote(reporter: Reporter, network: NetworkConfig, quote: OfferedQuote): void {
  const { preview, metadata } = quote;
  const { gapBps } = metadata.certificate;
  const chains = (flows: typeof preview.inputs) =>
    [...new Set(flows.map(({ chainId }) => chainName(network, chainId)))].join(', ');
  const text =
    `$${dollars(metadata.worthUsd)}: ${preview.inputs.length} inputs on ${chains(preview.inputs)} → ` +
    `${preview.outputs.length} outputs on ${chains(preview.outputs)}, ${metadata.legs.length} legs, ` +
    `costs $${dollars(metadata.totalFeesUsd)}, certified within ${gapBps} bps of the best possible`;
  reporter.step('quoted', text, {
    quoteId: quote.quoteId,
    inputs: preview.inputs as unknown as readonly JsonObject[],
    outputs: preview.outputs as unknown as readonly JsonObject[],
    gapBps: Number(gapBps),
    fees: feesOf(quote),
  });
}

function reportEvent(
  reporter: Reporter,
  network: NetworkConfig,
  orderId: Hex,
  { type, data }: StreamedEvent,
): void {
  const chain = typeof data.chain === 'number' ? chainName(network, data.chain) : '';
  const name = type.replace(/^order\./, '');
  if (type.startsWith('tx.')) {
    const gas = data.gasUsed === undefined ? '' : `gas ${String(data.gasUsed)}`;
    const what = [...amountsIn(network, data), gas].filter((part) => part !== '').join(', ');
    const text = `${String(data.purpose).padEnd(18)} ${chain.padEnd(6)} ${String(data.hash)}  ${what}`;
    const { step, ...rest } = data;
    reporter.step(name, text, { orderId, ...(step === undefined ? {} : { act: step }), ...rest });
    return;
  }
  if (type === 'proof.arrived') {
    const from = [data.from ?? []].flat().map((id) => chainName(network, Number(id)));
    const text = `LayerZero proofs from ${from.join(', ')} verified by both DVNs, delivered on ${chain}`;
    reporter.step('proven', text, { orderId, ...data });
    return;
  }
  // The closing line of the settled order is the sample's own, with the weights.
  if (type === 'order.settled') return;
  const money = data.money === undefined ? `order ${orderId}` : `money: ${String(data.money)}`;
  const text = data.why === undefined ? money : String(data.why);
  reporter.step(name, text, { orderId, ...data });
}

/** Every bid of the order's auction, best first: sealed until it closed, public since. */
function reportBids({ reporter, fillers }: SampleWorld, { data }: StreamedEvent): void {
  const bids = (data.bids ?? []) as unknown as readonly {
    readonly filler: string;
    readonly score: string;
    readonly rank: number;
    readonly won: boolean;
    readonly orders: number;
    readonly amounts: readonly string[];
  }[];
  for (const bid of bids) {
    const { filler, score, rank, won } = bid;
    const name = fillers?.get(filler) ?? 'a solver';
    const surplus = `$${Number(formatUnits(BigInt(score), 18)).toFixed(4)} above the signed minimums`;
    const text = `#${rank} ${name.padEnd(16)} ${short(filler)}  ${surplus}${won ? '  wins' : ''}`;
    reporter.step('bid', text, { ...bid, solver: name });
  }
}

/** `17.5 WETH` for every token amount an event names, and its message fee. */
function amountsIn(network: NetworkConfig, data: JsonObject): readonly string[] {
  const tokens = network.chains.find(({ chainId }) => chainId === data.chain)?.tokens ?? [];
  const parts: string[] = [];
  for (const item of [data.inputs ?? [], data.outputs ?? [], [data]].flat()) {
    const { token: address, amount } = item as { token?: string; amount?: string };
    const token = tokens.find((known) => known.address === address);
    if (token === undefined || amount === undefined) continue;
    const whole = Number(formatUnits(BigInt(amount), token.decimals));
    parts.push(`${Number(whole.toPrecision(7))} ${token.symbol}`);
  }
  if (data.feeWei !== undefined) {
    const fee = Number(formatUnits(BigInt(String(data.feeWei)), 18));
    parts.push(`message fee ${Number(fee.toPrecision(3))} ETH`);
  }
  return parts;
}

function reportSettled(
  { reporter }: SampleWorld,
  orderId: Hex,
  quote: OfferedQuote,
  positions: readonly Position[],
  txs: readonly JsonObject[],
): void {
  const targets = quote.metadata.weights.targets;
  const after = weightsByAsset(positions);
  const before = Object.fromEntries(targets.map((t) => [t.asset, fraction(t.beforeBps)]));
  const target = Object.fromEntries(targets.map((t) => [t.asset, fraction(t.targetBps)]));
  const gapBps = Number(quote.metadata.certificate.gapBps);
  const fees = feesOf(quote);
  const row = (asset: string) =>
    `${asset.padEnd(5)} ${percent(before[asset])} → ${percent(after[asset])}  target ${percent(target[asset])}`;
  const lines = [
    `order ${orderId}`,
    ...Object.keys(target).map(row),
    `fees: ${Object.entries(fees)
      .map(([kind, amount]) => `${kind} $${dollars(String(amount))}`)
      .join(', ')}`,
    `certificate: within ${gapBps} bps of the best possible`,
  ];
  const [first, ...rest] = lines;
  reporter.step('settled', [first, ...rest.map((line) => `${' '.repeat(21)}${line}`)].join('\n'), {
    orderId,
    weights: { before, target, after },
    gapBps,
    fees,
    txs,
  });
}

function feesOf({ metadata }: OfferedQuote): JsonObject {
  return {
    ...Object.fromEntries(metadata.fees.map(({ kind, amountUsd }) => [kind, amountUsd])),
    total: metadata.totalFeesUsd,
  };
}

function txOf({ data }: StreamedEvent): JsonObject {
  const { chain, purpose, hash } = data;
  return { chain: chain ?? null, purpose: purpose ?? null, hash: hash ?? null };
}

const chainName = (network: NetworkConfig, id: number): string =>
  network.chains.find(({ chainId }) => chainId === id)?.name ?? String(id);
/** A share in bps with two decimals as a fraction of one. */
const fraction = (bps: number): number => Math.round(bps * 100) / 1e6;
const short = (hash: string): string => `${hash.slice(0, 10)}…`;
const dollars = (text: string): string => Number(text).toFixed(2);
const percent = (fraction = 0): string => `${(fraction * 100).toFixed(2).padStart(6)} %`;
