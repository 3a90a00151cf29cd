// Published dual prices, read strictly: one positive decimal per node and nothing else.

import { type Fixed36, parseFixed36 } from '../market/decimal.ts';
import { pointerTo } from '../market/jsonText.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { pointed } from '../market/reader.ts';
import { InvalidInput } from '../types/errors.ts';
import type { DualPrices } from '../types/problem.ts';

/** What every engine writes; anything else is read with its place at hand. */
const PLAIN = /^(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,36})?$/;

/** Dollars per whole token by node. Throws InvalidInput with a pointer below `pointer`. */
export function parseDualPrices(
  problem: ParsedProblem,
  prices: DualPrices,
  pointer = '/prices',
): readonly Fixed36[] {
  for (const id of Object.keys(prices)) {
    if (!problem.nodeIndex.has(id)) {
      throw new InvalidInput(`no node has the id ${JSON.stringify(id)}`, {
        pointer: pointerTo(pointer, id),
      });
    }
  }
  return problem.nodes.map(({ id }) => {
    const text = Object.hasOwn(prices, id) ? prices[id] : undefined;
    if (text === undefined) {
      throw new InvalidInput(`no dual price for node ${id}`, placeOf(pointer, id));
    }
    const price = PLAIN.test(text)
      ? parseFixed36(text)
      : pointed(placeOf(pointer, id), () => parseFixed36(text));
    if (price <= 0n) {
      throw new InvalidInput('a dual price must be greater than 0', placeOf(pointer, id));
    }
    return price;
  });
}

/** Only a fault needs its place spelled out. */
const placeOf = (pointer: string, id: string) => ({ pointer: pointerTo(pointer, id) });
