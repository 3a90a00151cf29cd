// created → awarded: the built-in filler's bid, the auction over all bids (one today), the award
// signed by the auctioneer, all stored in one transaction. After that the award is never made again.

import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { signedAwardToJson } from '../auction/award.ts';
import {
  type AuctionInstance,
  auctionRecord,
  decideAuction,
  signAward,
} from '../auction/single.ts';
import { present } from '../types/assert.ts';
import { isRefusal, type Refusal } from '../types/errors.ts';
import { fromBytes32Address } from '../types/ids.ts';
import type { Signer } from '../types/ports.ts';
import { blocksToJson, parseOrder } from './awardedOrder.ts';
import { failure } from './lifecycle.ts';
import type { SettlementPolicy } from './policy.ts';
import type { DeskBid, FillerDesk, QuotedPlan } from './ports.ts';
import { reserving, type Sharing } from './reserving.ts';
import { openTimeNeeded, orderFault, timesFault } from './rules.ts';
import { again, chainOf, type JobOutcome, moveTo, type Run } from './steps.ts';

export interface Awarding extends Sharing {
  readonly desk: FillerDesk;
  readonly auctioneer: Signer;
  readonly policy: SettlementPolicy;
}

/** Throws Fault when a chain or feed the bid needs is down: tried again until openDeadline. */
export async function award(run: Run, awarding: Awarding): Promise<JobOutcome> {
  const { deps } = run;
  const { desk, policy } = awarding;
  const order = parseOrder(run.order);
  const now = deps.clock.now();
  const fault = orderFault(order, deps.network) ?? timesFault(order, deps.network, now);
  if (fault !== null) return fail(run, fault.refused, fault.message);
  const left = order.fillDeadline - now;
  const needed = openTimeNeeded(order, deps.network, policy.minFillSeconds);
  if (left < needed) {
    const why = `${left} s are left to the fill deadline, and opening and filling take ${needed}`;
    return fail(run, 'tooLateToFill', why);
  }
  const quote = await quotedPlan(run);
  const kept = await reserving(
    run.order,
    awarding,
    () => desk.bid({ orderId: run.order.orderId, order, quote }),
    (bid) => settleAuction(run, awarding, order, bid),
  );
  return kept ?? again(deps, 0);
}

async function settleAuction(
  run: Run,
  { desk, auctioneer }: Awarding,
  order: PortfolioOrder,
  bid: DeskBid | Refusal,
): Promise<JobOutcome> {
  if (isRefusal(bid)) return fail(run, 'noBid', `the filler does not bid: ${bid.message}`);
  const instance = instanceOf(run, order, bid);
  const decided = decideAuction(instance, [{ filler: desk.address, amounts: bid.amounts }]);
  if (isRefusal(decided)) return fail(run, 'noBid', decided.message);

  const fromBlocks = await fillsCannotBeBefore(run, order);
  const signed = await signAward(order, decided, auctioneer);
  const record = auctionRecord(decided);
  await moveTo(run, 'awarded', {
    award: signedAwardToJson(signed),
    facts: {
      auction: record,
      fromBlocks: blocksToJson(fromBlocks),
      reserves: { ...bid.reserves },
      bid: bid.notes,
    },
    data: {
      awardId: signed.awardId,
      filler: signed.award.filler,
      bids: record.bids ?? [],
      score: record.score ?? '0',
      amounts: signed.amounts.map(String),
      openBy: signed.award.openBy,
    },
  });
  return again(run.deps, 0);
}

/** What the order's quote promised, if it had one and the service still has it. */
export async function quotedPlan(run: Run): Promise<QuotedPlan | null> {
  const { quoteId } = run.order;
  if (quoteId === null) return null;
  const quote = await run.deps.store.getQuote(quoteId);
  if (quote === null) return null;
  return { amounts: quote.quotedAmounts.map(BigInt), result: quote.result };
}

function instanceOf(run: Run, order: PortfolioOrder, bid: DeskBid): AuctionInstance {
  return {
    orderId: run.order.orderId,
    openedAtMs: run.order.createdAtMs,
    openBy: order.openDeadline,
    fillDeadline: order.fillDeadline,
    outputs: order.outputs.map((output, i) => ({
      chainId: Number(output.chainId),
      token: fromBytes32Address(output.token),
      decimals: present(bid.decimals[i], 'decimals'),
      minimum: output.amount,
      priceWad: present(bid.pricesWad[i], 'price'),
    })),
  };
}

/** The award does not exist before now, so neither do its fills: where reading events may begin. */
async function fillsCannotBeBefore(run: Run, order: PortfolioOrder) {
  const ids = [...new Set(order.outputs.map((output) => Number(output.chainId)))];
  const blocks = await Promise.all(
    ids.map(async (id) => {
      const { number } = await chainOf(run.deps, id).block('final');
      return [id, number] as const;
    }),
  );
  return new Map(blocks);
}

async function fail(run: Run, code: string, why: string): Promise<JobOutcome> {
  await moveTo(run, 'failed', { failure: failure(code, why, 'failed') });
  return again(run.deps, 0);
}
