// What the commands say of quotes and orders to people: what is given, what is got, what is signed in
// words, why each trade was made. Pure: values in, lines out.

import type {
  LogEvent,
  Network,
  Offer,
  Order,
  OrderPage,
  VerifiedCertificate,
} from '../../client/index.ts';
import { dollars, flowText, percent, table, timeText } from './service.ts';

export function quoteText(offer: Offer, certified: VerifiedCertificate): readonly string[] {
  const { quote, network } = offer;
  const { preview, metadata } = quote;
  const { weights, fees, warnings, legs } = metadata;
  return [
    `quote ${quote.quoteId}: ${dollars(metadata.worthUsd)}, valid until ${timeText(quote.validUntil)}`,
    ...preview.inputs.map((flow) => `  gives  ${flowText(network, flow, flow.amount)}`),
    ...preview.outputs.map(
      (flow) =>
        `  gets   ${flowText(network, flow, flow.amount)}, at least ` +
        flowText(network, flow, flow.minimumAmount).split(' ')[0],
    ),
    ...table([
      ['  asset', 'now', 'after', 'target'],
      ...weights.targets.map(({ asset, chain, beforeBps, afterBps, targetBps }) => [
        `  ${asset}${chain === undefined ? '' : `@${chain}`}`,
        percent(beforeBps),
        percent(afterBps),
        percent(targetBps),
      ]),
    ]),
    `  fees   ${fees.map(({ kind, amountUsd }) => `${kind} ${dollars(amountUsd)}`).join(', ')}: ` +
      `${dollars(metadata.totalFeesUsd)}, taken off already`,
    `  ready  in about ${metadata.eta.p50Seconds} s, nine times in ten within ${metadata.eta.p90Seconds} s`,
    `  proof  ${legs.length} legs within ${Number(certified.gapBps)} bps of the best possible: ` +
      `${dollars(certified.value)} of at most ${dollars(certified.bound)}; checked here`,
    ...warnings.map(({ severity, message }) => `  ${severity}   ${message}`),
  ];
}

/** Why each trade was made or skipped, its marginal cost at the dual prices, and the bound. */
export function explanationText(certified: VerifiedCertificate): readonly string[] {
  const { made, skipped, bound } = certified.explain();
  const rate = (bps: number | null) => (bps === null ? '–' : `${bps} bps`);
  return [
    'trades made: what each loses against the dual prices, on average and at its end',
    ...made.flatMap((trade) => [
      `  ${trade.venue}: ${trade.in.amount} ${trade.in.node} → ${trade.out.amount} ${trade.out.node}`,
      `    average ${rate(trade.averageCostBps)}, marginal ${rate(trade.marginalCostBps)}: ${trade.why}`,
    ]),
    'skipped:',
    ...skipped.map(({ venue, why }) => `  ${venue}: ${why}`),
    `bound: no plan is worth more than $${bound.boundUsd}; this one is worth $${bound.valueUsd}, ` +
      `${bound.gapBps} bps below${bound.byCases ? ' (proved by cases)' : ''}`,
    `  covers ${bound.covers}`,
    `  dual prices ${Object.entries(bound.dualPrices)
      .map(([node, price]) => `${node} ${Number(price).toPrecision(8)}`)
      .join(', ')}`,
  ];
}

/** The signature in words: everything that binds the owner, out of the order that is hashed. */
export function signedText({ order, orderId, network }: Offer): readonly string[] {
  const token = (chainId: bigint, address: string, amount: bigint) =>
    flowText(network, { chainId: Number(chainId), asset: address }, amount.toString());
  return [
    `you sign one order, ${orderId}:`,
    ...order.origins.flatMap(({ chainId, settler, inputs }) =>
      inputs.map(
        (input) =>
          `  ${settler} may take ${token(chainId, input.token, input.amount)}, into escrow, ` +
          `until ${timeText(order.openDeadline)}`,
      ),
    ),
    ...order.outputs.map(
      (output) =>
        `  you are paid at least ${token(output.chainId, output.token, output.amount)} ` +
        `by ${timeText(order.fillDeadline)}`,
    ),
    `  if anything of it is missing, everything comes back: at the latest after ${timeText(order.expiry)}`,
    `  the winner of the auction is named by ${order.auctioneer}; it may be paid no other way`,
  ];
}

export function orderText(order: Order, network: Network): readonly string[] {
  return [
    `${order.orderId}  ${order.status} (${order.state})`,
    ...(order.reason === null ? [] : [`  why: ${order.reason}`]),
    `  money: ${order.money}`,
    `  next: ${order.next}`,
    ...order.inputAmounts.map((flow) => `  gives  ${flowText(network, flow, flow.amount)}`),
    ...order.outputAmounts.map((flow) => `  gets   ${flowText(network, flow, flow.amount)}`),
    ...order.transactions.map(
      ({ chainId, purpose, hash, status }) => `  ${purpose} on ${chainId}: ${hash} ${status}`,
    ),
  ];
}

export function ordersText({ orders, nextCursor }: OrderPage): readonly string[] {
  if (orders.length === 0) return ['no orders'];
  return [
    ...table(
      orders.map(({ orderId, status, state, createdAt }) => [
        orderId,
        status,
        state,
        timeText(createdAt),
      ]),
    ),
    ...(nextCursor === null ? [] : [`more: --cursor ${nextCursor}`]),
  ];
}

export function eventText({ at, type, data }: LogEvent): string {
  const known = ['chain', 'purpose', 'hash', 'money', 'why'] as const;
  const parts = known.flatMap((name) => (data[name] === undefined ? [] : [String(data[name])]));
  return `${timeText(at)}  ${type.padEnd(18)} ${parts.join('  ')}`.trimEnd();
}
