// hashOrder and orderDigest are written out; viem's walk over the types must say the same of every order.

import fc from 'fast-check';
import { hashStruct, hashTypedData } from 'viem';
import { describe, expect, test } from 'vitest';
import {
  domain,
  hashOrder,
  orderDigest,
  portfolioOrderTypes as types,
} from '../../contracts-abi/typedData.ts';
import { order } from './samples.ts';

const primaryType = 'PortfolioOrder' as const;

describe('hashOrder', () => {
  test('property: as viem hashes, for orders of every shape (seed 52)', () => {
    fc.assert(
      fc.property(order, (data) => {
        expect(hashOrder(data)).toBe(hashStruct({ primaryType, types, data }));
        const digest = hashTypedData({ domain, types, primaryType, message: data });
        expect(orderDigest(data)).toBe(digest);
        const bare = { ...data, origins: [], outputs: [] };
        expect(hashOrder(bare)).toBe(hashStruct({ primaryType, types, data: bare }));
      }),
      { seed: 52, numRuns: 200 },
    );
  });

  test('error: values their types cannot hold', () => {
    const [sample] = fc.sample(order, { seed: 1, numRuns: 1 });
    if (sample === undefined) throw new Error('a sample');
    for (const change of [
      { nonce: 2n ** 256n },
      { nonce: -1n },
      { expiry: 2 ** 32 },
      { owner: '0x12' as const },
      { targets: '0x' as const },
    ]) {
      expect(() => hashOrder({ ...sample, ...change })).toThrow('is no');
    }
  });
});
