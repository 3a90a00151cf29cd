// `trimtab replay`: a page, a bare record, by id from a service, and every exit code.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { replayPage } from '../../api/cli/commands/replay.ts';
import { main } from '../../api/cli/main.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import { instance, page, record } from './closed.ts';

const folder = mkdtempSync(join(tmpdir(), 'trimtab-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command; what it printed and its exit code. */
async function run(...args: readonly string[]) {
  const said: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
  const complain = vi.spyOn(console, 'error').mockImplementation((text) => {
    said.push(String(text));
  });
  try {
    process.exitCode = 0;
    await main(['node', 'trimtab', 'replay', ...args]);
    return { text: said.join(''), code: process.exitCode ?? 0 };
  } finally {
    process.exitCode = 0;
    write.mockRestore();
    complain.mockRestore();
  }
}
function file(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

describe('replayPage', () => {
  it('default: a page and a bare record', () => {
    expect(replayPage(page)).toMatchObject({ ok: true, engine: instance.engine });
    expect(replayPage(record)).toMatchObject({ ok: true });
  });

  it('behavior: orders beside it must be the ones it was about', () => {
    const orders = page.orders as readonly JsonObject[];
    const first = orders[0] as JsonObject;
    const order = first.order as JsonObject;
    const wrong: readonly (readonly [string, readonly JsonObject[]])[] = [
      ['/orders', orders.slice(1)],
      ['/orders/0/order', [{ ...first, order: { ...order, nonce: '1' } }, ...orders.slice(1)]],
    ];
    for (const [path, shown] of wrong) {
      expect(replayPage({ ...page, orders: shown })).toMatchObject({ ok: false, path });
    }
  });

  it('behavior: one that is open has no record yet', () => {
    const { record: _, ...open } = page;
    expect(replayPage({ ...open, state: 'bidding' })).toMatchObject({ ok: false, path: '/state' });
  });
});

describe('trimtab replay', () => {
  it('default: exits 0 and names core, bids and winners', async () => {
    const { text, code } = await run(file('page.json', page));
    expect(code).toBe(0);
    expect(text).toContain(instance.engine);
    expect(text).toContain('replayed: byte for byte');
    expect(text.match(/^won /gm)?.length).toBe(2);
    const json = await run(file('page.json', page), '--json');
    expect(JSON.parse(json.text)).toMatchObject({ ok: true, engine: instance.engine });
  });

  it('behavior: an altered bid exits 1 and says where', async () => {
    const altered = JSON.parse(JSON.stringify(page).replace(/"rank":1/, '"rank":2')) as JsonObject;
    const { text, code } = await run(file('altered.json', altered));
    expect([code, text]).toEqual([1, expect.stringContaining('differs at /record/bids/0/rank')]);
  });

  it('behavior: by id from a service', async () => {
    const server = createServer((request, response) => {
      const known = request.url === `/v1/auctions/${String(page.auctionId)}`;
      response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(known ? page : { status: 404, detail: 'not known' }));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      expect((await run(String(page.auctionId), '--api', api)).code).toBe(0);
      expect((await run(`0x${'7'.repeat(64)}`, '--api', api)).code).toBe(1);
    } finally {
      server.close();
    }
    expect((await run(String(page.auctionId), '--api', api)).code).toBe(3);
  });

  it('error: no such file, no JSON, no record', async () => {
    expect((await run(join(folder, 'none.json'))).code).toBe(2);
    expect((await run(file('text.json', 7))).code).toBe(2);
    expect((await run(file('other.json', { a: 1 }))).code).toBe(1);
  });
});
