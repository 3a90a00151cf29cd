// Random orders in canonical form, and helpers the tests of this folder share. Seeded: a failure
// names its seed.

import fc from 'fast-check';
import type { Address, Hex } from 'viem';
import { compareOutputs } from '../../contracts-abi/orderJson.ts';
import type { MandateOutput, Origin, PortfolioOrder } from '../../contracts-abi/typedData.ts';

const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((array): Hex => `0x${Buffer.from(array).toString('hex')}`);
export const address: fc.Arbitrary<Address> = hex(20).filter((text) => BigInt(text) > 0n);
export const bytes32 = hex(32);
const bytes = fc
  .uint8Array({ maxLength: 70 })
  .map((array): Hex => `0x${Buffer.from(array).toString('hex')}`);
const amount = fc.bigInt({ min: 1n, max: 2n ** 256n - 1n });
const chainId = fc.bigInt({ min: 1n, max: 2n ** 40n });
const padded = address.map((text): Hex => `0x${'0'.repeat(24)}${text.slice(2)}`);

const origin: fc.Arbitrary<Origin> = fc.record({
  chainId,
  settler: address,
  oracle: address,
  inputs: fc
    .uniqueArray(fc.record({ token: address, amount }), {
      minLength: 1,
      maxLength: 4,
      selector: ({ token }) => token,
    })
    .map((inputs) => inputs.sort((x, y) => (BigInt(x.token) < BigInt(y.token) ? -1 : 1))),
});
const output = (auctioned: boolean): fc.Arbitrary<MandateOutput> =>
  fc.record({
    oracle: padded,
    settler: padded,
    chainId,
    token: fc.oneof(padded, fc.constant<Hex>(`0x${'0'.repeat(64)}`)),
    amount,
    recipient: padded,
    callbackData: bytes,
    context: auctioned ? fc.constant<Hex>('0x') : bytes,
  });

/** Any order the contracts would take, in canonical form, times near 2^31. */
export const order: fc.Arbitrary<PortfolioOrder> = fc.boolean().chain((auctioned) =>
  fc.record({
    owner: address,
    nonce: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    openDeadline: fc.integer({ min: 1, max: 2 ** 31 }),
    fillDeadline: fc.integer({ min: 2 ** 31 + 1, max: 2 ** 31 + 1000 }),
    expiry: fc.integer({ min: 2 ** 31 + 1001, max: 2 ** 32 - 1 }),
    auctioneer: auctioned ? address : fc.constant<Address>(`0x${'0'.repeat(40)}`),
    targets: bytes32,
    origins: fc
      .uniqueArray(origin, { minLength: 1, maxLength: 4, selector: (o) => o.chainId })
      .map((origins) => origins.sort((x, y) => (x.chainId < y.chainId ? -1 : 1))),
    outputs: fc
      .uniqueArray(output(auctioned), {
        minLength: 1,
        maxLength: auctioned ? 4 : 1,
        comparator: (x, y) => compareOutputs(x, y) === 0,
      })
      .map((outputs) => outputs.sort(compareOutputs)),
  }),
);
