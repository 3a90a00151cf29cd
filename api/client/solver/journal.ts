// A solver's memory over restarts, one JSON object per line: its bids, the awards it is serving and
// how they ended. Optional: without one, awards come again with the feed and a bid is proven from
// the auction's public record. A torn last line (the machine died while writing) is ignored.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Hex } from 'viem';
import type { Offer } from './types.ts';

type Line =
  | { readonly kind: 'bid'; readonly auctionId: Hex; readonly items: readonly JsonOffer[] }
  | { readonly kind: 'award'; readonly awardId: Hex; readonly data: unknown }
  | { readonly kind: 'end'; readonly awardId: Hex; readonly end: string }
  | { readonly kind: 'seen'; readonly seq: number };
interface JsonOffer {
  readonly orderId: Hex;
  readonly amounts: readonly string[];
}

export interface Journal {
  /** What this filler bid, by auction, earliest first. */
  readonly bids: ReadonlyMap<Hex, readonly Offer[]>;
  /** Data of awards that have not ended. */
  readonly unfinished: readonly unknown[];
  /** The last feed entry of an earlier run that was acted on; null: none. */
  readonly seen: number | null;
  bid(auctionId: Hex, items: readonly Offer[]): void;
  award(awardId: Hex, data: unknown): void;
  end(awardId: Hex, end: string): void;
  see(seq: number): void;
}

/** `path` null: nothing is kept. Throws when the file cannot be read or written. */
export function openJournal(path: string | null): Journal {
  const bids = new Map<Hex, Offer[]>();
  const awards = new Map<Hex, unknown>();
  let seen: number | null = null;
  const lines = path === null || !existsSync(path) ? [] : readFileSync(path, 'utf8').split('\n');
  for (const text of lines) {
    const line = parsed(text);
    if (line === null) continue;
    if (line.kind === 'bid') {
      const offers = line.items.map(({ orderId, amounts }) => ({
        orderId,
        amounts: amounts.map(BigInt),
      }));
      bids.set(line.auctionId, [...(bids.get(line.auctionId) ?? []), ...offers]);
    } else if (line.kind === 'award') awards.set(line.awardId, line.data);
    else if (line.kind === 'end') awards.delete(line.awardId);
    else seen = line.seq;
  }
  const write = (line: Line) => {
    if (path !== null) appendFileSync(path, `${JSON.stringify(line)}\n`);
  };
  return {
    bids,
    unfinished: [...awards.values()],
    seen,
    bid: (auctionId, items) =>
      write({
        kind: 'bid',
        auctionId,
        items: items.map(({ orderId, amounts }) => ({ orderId, amounts: amounts.map(String) })),
      }),
    award: (awardId, data) => write({ kind: 'award', awardId, data }),
    end: (awardId, end) => write({ kind: 'end', awardId, end }),
    see: (seq) => write({ kind: 'seen', seq }),
  };
}

function parsed(text: string): Line | null {
  if (text === '') return null;
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}
