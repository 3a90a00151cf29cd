import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  awardFromJson,
  awardToJson,
  canonicalFault,
  OrderJsonError,
  orderFromJson,
  orderToJson,
} from '../../contracts-abi/orderJson.ts';
import { hashOrder, openAward, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { order } from './samples.ts';

const sample = (): PortfolioOrder => {
  const [first] = fc.sample(
    order.filter((o) => BigInt(o.auctioneer) > 0n && o.outputs.length > 1 && o.origins.length > 1),
    { numRuns: 1, seed: 7 },
  );
  if (first === undefined) throw new Error('no sample');
  return first;
};

describe('orderFromJson', () => {
  test('property: the inverse of orderToJson, through text', () => {
    fc.assert(
      fc.property(order, (value) => {
        const text = JSON.stringify(orderToJson(value));
        const back = orderFromJson(JSON.parse(text));
        expect(back).toEqual(value);
        expect(hashOrder(back)).toBe(hashOrder(value));
      }),
    );
  });

  test('behavior: hex comes out in lower case, so that equal orders are equal text', () => {
    const value = sample();
    const json = JSON.parse(
      JSON.stringify(orderToJson(value)).replaceAll(/0x[0-9a-f]+/g, (h) => {
        return `0x${h.slice(2).toUpperCase()}`;
      }),
    );
    expect(orderFromJson(json)).toEqual(value);
  });

  test.each([
    ['/owner', { owner: '0x12' }],
    ['/nonce', { nonce: 1 }],
    ['/nonce', { nonce: '-1' }],
    ['/nonce', { nonce: '01' }],
    ['/nonce', { nonce: '1'.repeat(79) }],
    ['/nonce', { nonce: (2n ** 256n).toString() }],
    ['/openDeadline', { openDeadline: '5' }],
    ['/openDeadline', { openDeadline: 2 ** 32 }],
    ['/expiry', { expiry: 1.5 }],
    ['/targets', { targets: '0x' }],
    ['/origins', { origins: {} }],
    ['/origins', { origins: Array.from({ length: 17 }, () => ({})) }],
    ['/origins/0', { origins: [null] }],
    ['/origins/0/chainId', { origins: [{}] }],
    ['/outputs/0/oracle', { outputs: [{}] }],
    ['/extra', { extra: 1 }],
    ['/__proto__', JSON.parse('{"__proto__": 1}')],
  ])('error: %s of %j', (pointer, change) => {
    const json: Record<string, unknown> = { ...orderToJson(sample()) };
    for (const [key, value] of Object.entries(change)) {
      Object.defineProperty(json, key, { value, enumerable: true, configurable: true });
    }
    expect(() => orderFromJson(json)).toThrowError(OrderJsonError);
    try {
      orderFromJson(json);
    } catch (error) {
      expect(error instanceof OrderJsonError && error.pointer).toBe(pointer);
    }
  });

  test('error: a missing field, a list, null', () => {
    const { nonce: _, ...rest } = orderToJson(sample());
    expect(() => orderFromJson(rest)).toThrowError('missing');
    expect(() => orderFromJson([])).toThrowError('must be an object');
    expect(() => orderFromJson(null)).toThrowError('must be an object');
  });
});

describe('awardFromJson', () => {
  test('property: the inverse of awardToJson', () => {
    const award = openAward(sample());
    expect(awardFromJson(JSON.parse(JSON.stringify(awardToJson(award))))).toEqual(award);
    expect(() => awardFromJson({ ...award, extra: 1 })).toThrowError('unknown field');
  });
});

describe('canonicalFault', () => {
  test('default: nothing to say of a canonical order', () => {
    fc.assert(
      fc.property(order, (value) => {
        expect(canonicalFault(value)).toBeNull();
      }),
    );
  });

  const changes: [string, (o: PortfolioOrder) => PortfolioOrder][] = [
    ['/owner', (o) => ({ ...o, owner: `0x${'0'.repeat(40)}` })],
    ['/fillDeadline', (o) => ({ ...o, fillDeadline: o.openDeadline })],
    ['/expiry', (o) => ({ ...o, expiry: o.fillDeadline })],
    ['/origins', (o) => ({ ...o, origins: [] })],
    ['/origins/1/chainId', (o) => ({ ...o, origins: o.origins.toReversed() })],
    ['/origins/1/chainId', (o) => ({ ...o, origins: twice(o.origins) })],
    ['/origins/0/inputs', (o) => ({ ...o, origins: mapFirst(o.origins, { inputs: [] }) })],
    ['/origins/0/inputs/1/token', (o) => withInputs(o, (i) => [i, i])],
    ['/origins/0/inputs/0/amount', (o) => withInputs(o, (i) => [{ ...i, amount: 0n }])],
    ['/outputs', (o) => ({ ...o, outputs: [] })],
    ['/outputs', (o) => ({ ...o, auctioneer: `0x${'0'.repeat(40)}` })],
    ['/outputs/1', (o) => ({ ...o, outputs: twice(o.outputs) })],
    ['/outputs/1', (o) => ({ ...o, outputs: o.outputs.toReversed() })],
    ['/outputs/0/amount', (o) => ({ ...o, outputs: mapFirst(o.outputs, { amount: 0n }) })],
    ['/outputs/0/context', (o) => ({ ...o, outputs: mapFirst(o.outputs, { context: '0x00' }) })],
    [
      '/outputs/0/recipient',
      (o) => ({ ...o, outputs: mapFirst(o.outputs, { recipient: `0x${'0'.repeat(64)}` }) }),
    ],
    [
      '/outputs/0/settler',
      (o) => ({ ...o, outputs: mapFirst(o.outputs, { settler: `0x01${'0'.repeat(62)}` }) }),
    ],
  ];
  test.each(changes)('error: %s', (pointer, change) => {
    expect(canonicalFault(change(sample()))?.pointer).toBe(pointer);
  });
});

const twice = <T>(list: readonly T[]): T[] => list.slice(0, 1).flatMap((item) => [item, item]);
const mapFirst = <T>(list: readonly T[], change: Partial<T>): T[] =>
  list.map((item, i) => (i === 0 ? { ...item, ...change } : item));
type OrderInput = PortfolioOrder['origins'][number]['inputs'][number];
const withInputs = (
  o: PortfolioOrder,
  change: (input: OrderInput) => OrderInput[],
): PortfolioOrder => ({
  ...o,
  origins: o.origins.map((origin, i) =>
    i === 0 ? { ...origin, inputs: origin.inputs.slice(0, 1).flatMap(change) } : origin,
  ),
});
