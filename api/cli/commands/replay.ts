// trimtab replay: runs a closed auction again from its public record and says whether every byte comes
// out the same. Needs nothing of the service but the record. Exits 0 when it does, 1 when it does not
// (with the first place) or has not closed, 2 on bad input, 3 when the service cannot be reached.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { OrderJsonError } from '../../../contracts-abi/orderJson.ts';
import { ordersBehind } from '../../../solver/auction/behind.ts';
import { type Differs, type Replayed, replay } from '../../../solver/auction/record.ts';
import { formatDecimal } from '../../../solver/market/decimal.ts';
import { parseJsonText } from '../../../solver/market/jsonText.ts';
import { recoverSigner } from '../../../solver/settlement/signature.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { request } from '../http.ts';

const DEFAULT_API = 'http://127.0.0.1:8787';

interface Options {
  readonly api: string;
  readonly json?: true;
}

export function registerReplay(program: Command): void {
  program
    .command('replay')
    .description('run a closed auction again from its public record and compare every byte')
    .argument('<auction>', 'an auction id, or a file with what GET /v1/auctions/{id} answered')
    .option('--api <url>', 'the service', process.env.TRIMTAB_API ?? DEFAULT_API)
    .option('--json', 'print the outcome as JSON')
    .action(async (auction: string, options: Options) => {
      const page = await pageOf(auction, options.api);
      const outcome = replayPage(page);
      const text = options.json ? `${asJson(outcome)}\n` : asText(outcome);
      process.stdout.write(text);
      if (!outcome.ok) process.exitCode = 1;
    });
}

async function pageOf(auction: string, api: string): Promise<unknown> {
  if (/^0x[0-9a-fA-F]{64}$/.test(auction)) {
    return request(`${api.replace(/\/+$/, '')}/v1/auctions/${auction.toLowerCase()}`);
  }
  let text: string;
  try {
    text = readFileSync(auction, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InvalidInput(`neither an auction id nor a file that can be read (${why})`, {
      pointer: auction.slice(0, 200),
    });
  }
  return parseJsonText(text);
}

/** A page or a bare record. A record that stands beside its orders is checked against them too. */
export function replayPage(page: unknown): Replayed | Differs {
  if (!isObject(page))
    throw new InvalidInput('holds no JSON object; give an auction or its record');
  if (!('record' in page) && 'state' in page) {
    return { ok: false, path: '/state', message: `the auction is still ${String(page.state)}` };
  }
  const bare = !('record' in page);
  const outcome = replay(bare ? page : page.record, recoverSigner);
  if (bare) return outcome;
  if (!outcome.ok) return { ...outcome, path: `/record${outcome.path}` };
  if (page.auctionId !== undefined && page.auctionId !== outcome.auctionId) {
    const message = `the record is of auction ${outcome.auctionId}`;
    return { ok: false, path: '/auctionId', message };
  }
  if (!('orders' in page)) return outcome;
  try {
    return ordersBehind(outcome.instance, page.orders) ?? outcome;
  } catch (error) {
    if (!(error instanceof InvalidInput || error instanceof OrderJsonError)) throw error;
    return { ok: false, path: error.pointer, message: error.message };
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const usd = (wad: bigint): string => `${formatDecimal(wad, 18)} USD`;

function asText(outcome: Replayed | Differs): string {
  if (!outcome.ok) return `differs at ${outcome.path || '/'}: ${outcome.message}\n`;
  const { auctionId, engine, decided, withheld } = outcome;
  const { ranked, winners } = decided;
  const lines = [
    `auction  ${auctionId}: ${ranked.instance.orders.length} orders, ${ranked.ranking.length} bids ranked, ${ranked.rejected.length} rejected`,
    `core     ${engine}`,
    ...ranked.ranking.map(
      ({ rank, won, score, bid, hash }) =>
        `${won ? 'won     ' : 'bid     '} #${rank} ${bid.filler} ${usd(score)} over ${bid.items.length} order(s), ${hash}`,
    ),
    ...ranked.rejected.map(
      ({ bid, rejection }) => `rejected ${bid.filler} ${rejection.code}: ${rejection.message}`,
    ),
    ...winners.map(({ bid }) => {
      const reference = ranked.referenceScores.get(bid.filler) ?? 0n;
      return `without  ${bid.filler} the auction would have scored ${usd(reference)}`;
    }),
    `score    ${usd(ranked.score)}`,
    ...(withheld === 0 ? [] : [`withheld ${withheld} award(s): an order was cancelled meanwhile`]),
    'replayed: byte for byte; every bid and award is signed by whom it names',
  ];
  return `${lines.join('\n')}\n`;
}

function asJson(outcome: Replayed | Differs): string {
  if (!outcome.ok) return JSON.stringify(outcome, null, 2);
  const { auctionId, engine, decided, withheld } = outcome;
  const { ranked, winners } = decided;
  const summary = {
    ok: true,
    auctionId,
    engine,
    orders: ranked.instance.orders.length,
    bids: ranked.ranking.length,
    rejected: ranked.rejected.length,
    score: ranked.score.toString(),
    winners: winners.map(({ bid, hash, score }) => ({
      filler: bid.filler,
      bidHash: hash,
      score: score.toString(),
      referenceScore: (ranked.referenceScores.get(bid.filler) ?? 0n).toString(),
      orderIds: bid.items.map(({ orderId }) => orderId),
    })),
    withheld,
  };
  return JSON.stringify(summary, null, 2);
}
