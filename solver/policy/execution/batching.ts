// Who pays what when several policies settle together. Fixed costs come in items (a transaction on a
// chain, a message along a lane); an item used by several policies is paid once and shared equally
// among those who use it. That is the Shapley value of the game "together we pay the union of our
// items": shares add up to what is paid, and no group pays more than it would on its own
// (Littlechild and Owen, 1973, for the airport game; the argument holds item by item).

import { InvalidInput } from '../../types/errors.ts';

export interface FixedCost {
  /** Chain or lane; the same id is the same item. */
  readonly item: string;
  readonly usd: number;
}

export interface Shares {
  /** Dollars each pays, parallel to the members. */
  readonly pays: Float64Array;
  /** Dollars each would pay alone. */
  readonly alone: Float64Array;
  readonly togetherUsd: number;
  readonly separateUsd: number;
}

/** `members`: the items each policy needs. Refuses one item at two prices, and a policy naming it twice. */
export function shareFixedCosts(members: readonly (readonly FixedCost[])[]): Shares {
  const items = new Map<string, { readonly usd: number; users: number }>();
  for (const [index, costs] of members.entries()) {
    const own = new Set<string>();
    for (const { item, usd } of costs) {
      const pointer = `/${index}/${item}`;
      if (!(usd >= 0 && Number.isFinite(usd))) {
        throw new InvalidInput(`${item} must cost dollars ≥ 0, got ${usd}`, { pointer });
      }
      if (own.has(item)) throw new InvalidInput(`${item} is named twice`, { pointer });
      own.add(item);
      const known = items.get(item);
      if (known !== undefined && known.usd !== usd) {
        throw new InvalidInput(`${item} costs both ${known.usd} and ${usd}`, { pointer });
      }
      if (known === undefined) items.set(item, { usd, users: 1 });
      else known.users += 1;
    }
  }
  const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
  const pays = Float64Array.from(members, (costs) =>
    sum(costs.map(({ item, usd }) => usd / (items.get(item)?.users ?? 1))),
  );
  const alone = Float64Array.from(members, (costs) => sum(costs.map(({ usd }) => usd)));
  return {
    pays,
    alone,
    togetherUsd: sum([...items.values()].map(({ usd }) => usd)),
    separateUsd: sum(alone),
  };
}
