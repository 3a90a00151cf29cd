// What webhooks never reach: every address that is not public, however it is written or resolved; and
// how little a receiver can do to us. Real local servers, a resolver of the test's own.

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { isPublicAddress } from '../../solver/adapters/publicAddress.ts';
import {
  createWebhookSender,
  type WebhookSenderOptions,
} from '../../solver/adapters/webhookSender.ts';
import { clock } from './support.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((down) => server.close(down));
  }
});
async function listen(handler: RequestListener): Promise<number> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
  return (server.address() as AddressInfo).port;
}
const never = new AbortController().signal;
function send(url: string, options: Partial<WebhookSenderOptions> = {}) {
  const sender = createWebhookSender({ clock, timeoutMs: 1_000, ...options });
  return sender.send({
    ...{ url, secret: 'secret', deliveryId: 'd-1', type: 'order.created', body: '{}' },
    signal: never,
  });
}

describe('public addresses', () => {
  test('error: private, loopback, link-local, CGNAT, multicast, reserved, and IPv4 inside IPv6', () => {
    for (const address of [
      ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.9.9.9'],
      ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.168.1.1', '192.0.0.192'],
      ...['198.18.0.1', '203.0.113.9', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
      ...['168.63.129.16', '192.88.99.1'],
      ...[
        '::',
        '::1',
        '::ffff:127.0.0.1',
        '::ffff:7f00:1',
        '::127.0.0.1',
        'fe80::1',
        'fe80::1%eth0',
      ],
      ...[
        'fc00::1',
        'fd00:ec2::254',
        'ff02::1',
        '64:ff9b::7f00:1',
        '64:ff9b:1::1',
        '2002:7f00:1::',
      ],
      ...[
        '2001::1',
        '2001:db8::1',
        '100::1',
        'fec0::1',
        '3fff::1',
        '',
        'localhost',
        '1.1.1',
        '1.1.1.1 ',
      ],
    ]) {
      expect([address, isPublicAddress(address)]).toEqual([address, false]);
    }
  });
  test('default: hosts of the internet', () => {
    for (const address of [
      '1.1.1.1',
      '8.8.8.8',
      '172.32.0.1',
      '2606:4700::1111',
      '2a00:1450::8a',
    ]) {
      expect([address, isPublicAddress(address)]).toEqual([address, true]);
    }
  });
});

describe('URLs', () => {
  const { urlFault } = createWebhookSender({ clock });
  test('error: other schemes and ports, credentials, addresses in every spelling, local names', () => {
    for (const url of [
      ...[
        'http://example.com/',
        'ftp://example.com/',
        'file:///etc/passwd',
        'gopher://x.com',
        'nonsense',
      ],
      ...['https://example.com:22/', 'https://example.com:6379/', 'https://u:p@example.com/'],
      ...['https://127.0.0.1/', 'https://2130706433/', 'https://0x7f.1/', 'https://0177.0.0.1/'],
      ...[
        'https://[::1]/',
        'https://[::ffff:10.0.0.1]/',
        'https://169.254.169.254/latest/meta-data',
      ],
      ...[
        'https://localhost/',
        'https://metadata/',
        'https://１２７.0.0.1/',
        'https:///x',
        'https://',
      ],
      `https://example.com/${'a'.repeat(2_100)}`,
    ]) {
      expect([url, urlFault(url)]).toEqual([url, expect.any(String)]);
    }
  });
  test('default: https names', () => {
    for (const url of [
      'https://example.com/x?y#z',
      'https://a.b.example:8443/',
      'https://1.1.1.1/',
    ]) {
      expect([url, urlFault(url)]).toEqual([url, null]);
    }
  });
});

describe('sending', () => {
  test('error: a name at a private address is not called, also beside a public one', async () => {
    let called = 0;
    await listen(() => {
      called += 1;
    });
    for (const addresses of [['127.0.0.1'], ['1.1.1.1', '10.0.0.1'], ['::ffff:127.0.0.1'], []]) {
      const sent = await send('https://rebind.example/', { resolve: async () => addresses });
      expect([addresses, sent.ok]).toEqual([addresses, false]);
    }
    expect(called).toBe(0);
  });

  test('behavior: resolved once, and the connection goes to what was checked', async () => {
    const port = await listen((request, response) => {
      request.resume();
      response.writeHead(request.headers.host === `rebind.example:${port}` ? 200 : 500).end();
    });
    let asked = 0;
    // A rebinding resolver: the first answer is ours, every later one another host's.
    const resolve = async () => (asked++ === 0 ? ['127.0.0.1'] : ['192.0.2.1']);
    const sent = await send(`http://rebind.example:${port}/`, { allowPrivate: true, resolve });
    expect(sent).toEqual({ ok: true, status: 200 });
    expect(asked).toBe(1);
  });

  test('error: a redirect is a failure and nobody follows it', async () => {
    let followed = 0;
    const inner = await listen((_, response) => {
      followed += 1;
      response.end();
    });
    const port = await listen((_, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${inner}/` }).end();
    });
    const sent = await send(`http://127.0.0.1:${port}/`, { allowPrivate: true });
    expect(sent).toMatchObject({ ok: false, status: 302 });
    expect(followed).toBe(0);
  });

  test('error: endless answers, endless headers, silence, and a resolver that hangs', async () => {
    const long = await listen((_, response) => {
      response.writeHead(200);
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
      };
      more();
    });
    const wide = await listen((_, response) => {
      response.writeHead(200, { x: 'y'.repeat(12_000) }).end();
    });
    const silent = await listen(() => {});
    const open = { allowPrivate: true, timeoutMs: 400 };
    for (const port of [long, wide, silent]) {
      expect(await send(`http://127.0.0.1:${port}/`, open)).toMatchObject({ ok: false });
    }
    const hanging = { ...open, resolve: () => new Promise<readonly string[]>(() => {}) };
    expect(await send('http://slow.example/', hanging)).toMatchObject({
      ok: false,
      error: 'no answer within 400 ms',
    });
  });
});
