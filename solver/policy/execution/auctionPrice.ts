// The price a component is offered at as its auction runs: steps of one bucket, away from the start,
// kept within bounds. The three curves are IndexCoop's auction price adapters (index-protocol):
//
//     linear        p0 ∓ slope·n
//     exponential   p0 ∓ scale·(e^(coefficient·n) − 1)
//     logarithmic   p0 ∓ scale·ln(coefficient·n + 1),        n = ⌊seconds / bucket⌋

import { InvalidInput } from '../../types/errors.ts';

export interface AuctionPrice {
  readonly curve:
    | { readonly kind: 'linear'; readonly slope: number }
    | {
        readonly kind: 'exponential' | 'logarithmic';
        readonly scale: number;
        readonly coefficient: number;
      };
  /** Quote units per unit of the component, like min and max. */
  readonly start: number;
  readonly bucketSeconds: number;
  readonly decreasing: boolean;
  readonly min: number;
  readonly max: number;
}

/** The price `seconds` after the auction opened, seconds ≥ 0. Throws InvalidInput naming the field. */
export function auctionPrice(auction: AuctionPrice, seconds: number): number {
  check(auction, seconds);
  const bucket = Math.floor(seconds / auction.bucketSeconds);
  const change = moved(auction.curve, bucket);
  const price = auction.start + (auction.decreasing ? -change : change);
  return Math.min(auction.max, Math.max(auction.min, price));
}

function moved(curve: AuctionPrice['curve'], bucket: number): number {
  switch (curve.kind) {
    case 'linear':
      return curve.slope * bucket;
    case 'exponential':
      return curve.scale * Math.expm1(curve.coefficient * bucket);
    case 'logarithmic':
      return curve.scale * Math.log1p(curve.coefficient * bucket);
  }
}

function check(auction: AuctionPrice, seconds: number): void {
  const demand = (holds: boolean, field: string, message: string): void => {
    if (!holds) throw new InvalidInput(message, { pointer: `/${field}` });
  };
  const { min, max, start, bucketSeconds } = auction;
  demand(seconds >= 0 && Number.isFinite(seconds), 'seconds', `seconds ≥ 0, got ${seconds}`);
  demand(
    Number.isInteger(bucketSeconds) && bucketSeconds > 0,
    'bucketSeconds',
    `a bucket is whole seconds above 0, got ${bucketSeconds}`,
  );
  demand(min > 0 && max < Infinity && min <= max, 'min', `0 < min ≤ max, got ${min} and ${max}`);
  demand(start >= min && start <= max, 'start', `start ${start} lies outside ${min} … ${max}`);
  const numbers =
    auction.curve.kind === 'linear'
      ? [auction.curve.slope]
      : [auction.curve.scale, auction.curve.coefficient];
  demand(
    numbers.every((value) => value >= 0 && Number.isFinite(value)),
    'curve',
    `a curve's numbers are ≥ 0, got ${numbers.join(' and ')}`,
  );
}
