// A webhook's delivery as its receiver sees it, signed as the service signs it.

import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifyDelivery } from '../../../api/client/index.ts';

const secret = 'a secret of sixteen and more';
const body = '{"type":"order.settled","seq":7}';
const sign = (time: number, text = body, key = secret) =>
  `t=${time},v1=${createHmac('sha256', key).update(`${time}.${text}`).digest('hex')}`;
const now = 1_800_000_000;

describe('verifyDelivery', () => {
  test('default: signed under the secret, unaltered and fresh', async () => {
    await expect(verifyDelivery({ secret, body, signature: sign(now), now })).resolves.toBe(true);
    const early = { secret, body, signature: sign(now - 200), now };
    await expect(verifyDelivery(early)).resolves.toBe(true);
  });

  test('error: altered, under another secret, old, from the future, or no signature', async () => {
    const cases = [
      { body: `${body} ` },
      { signature: sign(now, body, 'another secret, as long') },
      { signature: sign(now - 301) },
      { signature: sign(now + 301) },
      { signature: sign(now).replace(/.$/, (last) => (last === '0' ? '1' : '0')) },
      { signature: `t=${now},v1=` },
      { signature: null },
      { maxAgeSeconds: 10, signature: sign(now - 11) },
    ];
    for (const change of cases) {
      const delivery = { secret, body, signature: sign(now), now, ...change };
      await expect(verifyDelivery(delivery), JSON.stringify(change)).resolves.toBe(false);
    }
  });
});
