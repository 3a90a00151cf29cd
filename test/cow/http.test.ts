// POST /solve and /notify over HTTP: the driver's paths, its body sizes, one auction at a time.

import { describe, expect, it } from 'vitest';
import { buildApp } from '../../api/app.ts';
import type { CowService } from '../../solver/index.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import { fakeTrimtab } from '../api/fakeTrimtab.ts';
import { driverAuction } from './driver.ts';

const serve = (cow: CowService) => buildApp({ trimtab: { ...fakeTrimtab(), cow } });
const auction = driverAuction({
  deadlineMs: Date.now() + 5_000,
  orders: [{ sell: 'WETH', buy: 'USDC', eth: 1, slackBps: 100 }],
});

describe('cow over HTTP', () => {
  it('default', async () => {
    const asked: unknown[] = [];
    const app = await serve({
      solve: async (body) => {
        asked.push(body);
        return { solutions: [] };
      },
    });
    const payload = JSON.stringify(auction);
    expect(payload.length).toBeGreaterThan(64 * 1024);
    const headers = { 'content-type': 'application/json' };
    const answer = await app.inject({ method: 'POST', url: '/solve', headers, payload });
    expect([answer.statusCode, answer.json()]).toEqual([200, { solutions: [] }]);
    expect(asked).toEqual([JSON.parse(payload)]);
    const told = { auctionId: '1', solutionId: 0, kind: 'success', transaction: '0x12' };
    const heard = await app.inject({ method: 'POST', url: '/notify', payload: told });
    expect([heard.statusCode, heard.json()]).toEqual([200, {}]);
    await app.close();
  });

  it('behavior: one auction at a time', async () => {
    let finish = () => {};
    const app = await serve({
      solve: () => new Promise((done) => (finish = () => done({ solutions: [] }))),
    });
    // An injected request starts when it is first waited for.
    const ask = () => app.inject({ method: 'POST', url: '/solve', payload: {} }).then((it) => it);
    const first = ask();
    await new Promise((started) => setTimeout(started, 50));
    const second = await ask();
    expect([second.statusCode, second.headers['retry-after']]).toEqual([429, '2']);
    finish();
    expect((await first).statusCode).toBe(200);
    await app.close();
  });

  it('error: what cannot be read is 400 with its place', async () => {
    const app = await serve({
      solve: async () => {
        throw new InvalidInput('must be an object, got 7', { pointer: '/tokens' });
      },
    });
    const answer = await app.inject({ method: 'POST', url: '/solve', payload: { tokens: 7 } });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalidInput', pointer: '/tokens' });
    const nothing = await app.inject({ method: 'POST', url: '/notify', payload: {} });
    expect([nothing.statusCode, nothing.json().pointer]).toEqual([400, '/kind']);
    await app.close();
  });
});
