// GET /v1/orders over a scripted service: filters, cursors and their refusals. That pages neither
// skip nor repeat is test/adapters/orderPages.test.ts's, on PostgreSQL.

import type { FastifyInstance } from 'fastify';
import { Check } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { OrderList } from '../../api/schemas/orders.ts';
import { type FakeTrimtab, fakeTrimtab, ID, OWNER, storedOrder } from './fakeTrimtab.ts';

let trimtab: FakeTrimtab;
let app: FastifyInstance;
beforeEach(async () => {
  trimtab = fakeTrimtab();
  app = await buildApp({ trimtab });
});
afterEach(() => app.close());

const list = (query: string) => app.inject(`/v1/orders?${query}`);

describe('GET /v1/orders', () => {
  test('default: an owner’s orders without what only their own pages have', async () => {
    trimtab.listed = [storedOrder('settled')];
    const answer = await list(`owner=${OWNER}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    const body = answer.json();
    expect(Check(OrderList, body)).toBe(true);
    expect(body.nextCursor).toBeNull();
    expect(body.orders[0]).toMatchObject({ orderId: ID, state: 'settled', status: 'finalized' });
    expect(body.orders[0].transactions).toBeUndefined();
    expect(body.orders[0].outputAmounts[0].minimumAmount).toBe('2990000000');
  });

  test('behavior: the owner as ERC-7930, one state only', async () => {
    trimtab.listed = [storedOrder('settled'), storedOrder('created')];
    const interop = `0x00010000027a6a14${OWNER.slice(2)}`;
    const body = (await list(`owner=${interop}&state=created`)).json();
    expect(body.orders.map(({ state }: { state: string }) => state)).toEqual(['created']);
  });

  test('behavior: a cursor that was given is taken back', async () => {
    trimtab.nextPlace = { createdAtMs: 1_800_000_000_000, orderId: ID };
    const { nextCursor } = (await list(`owner=${OWNER}&limit=1`)).json();
    const next = await list(`owner=${OWNER}&cursor=${nextCursor}`);
    expect(next.statusCode).toBe(200);
    expect(trimtab.pagesAsked.at(-1)).toMatchObject({ after: trimtab.nextPlace, limit: 20 });
  });

  test('error: no owner, a made-up cursor, another state, an unknown parameter', async () => {
    for (const [query, code] of [
      ['', 'missingField'],
      ['owner=0x12', 'invalidAddress'],
      [`owner=${OWNER}&cursor=abc`, 'invalidCursor'],
      [`owner=${OWNER}&state=lost`, 'invalidField'],
      [`owner=${OWNER}&limit=0`, 'invalidField'],
      [`owner=${OWNER}&page=2`, 'unknownField'],
      [`owner=${OWNER}&owner=${OWNER}`, 'invalidAddress'],
    ] as const) {
      const answer = await list(query);
      expect([query, answer.statusCode, answer.json().code]).toEqual([query, 400, code]);
    }
  });
});
