import { describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createLog, logSinks, scrubber, secretsOfUrl } from '../../api/log.ts';
import { Fault } from '../../solver/types/errors.ts';
import { fakeTrimtab } from '../api/fakeTrimtab.ts';

const KEY = `0x${'a1b2c3d4'.repeat(8)}`;
const SIGNATURE = `0x${'5e'.repeat(65)}`;
const PASSWORD = 'p%40ss/w0rd"x';
const DATABASE = `postgres://trimtab:${PASSWORD}@db:5432/trimtab`;
const WEBHOOK = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const RPC_KEY = 'k3yk3yk3yk3yk3yk3y';
const RPC = `https://rpc.example/v2/${RPC_KEY}`;
const ORDER = `0x${'12'.repeat(32)}`;
const SECRETS = [KEY, DATABASE, ...secretsOfUrl(DATABASE), ...secretsOfUrl(RPC)];

function sink() {
  const lines: string[] = [];
  const pino = createLog({ level: 'trace', secrets: SECRETS, write: (line) => lines.push(line) });
  return { lines, pino, ...logSinks(pino) };
}

function expectNothingSecret(lines: readonly string[]) {
  expect(lines.length).toBeGreaterThan(0);
  const text = lines.join('');
  for (const secret of [KEY, KEY.slice(2), PASSWORD, 'p@ss/w0rd', WEBHOOK.slice(6), RPC_KEY]) {
    expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
  }
  expect(text).not.toContain('5e'.repeat(65));
  for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
}

describe('createLog', () => {
  test('default: JSON lines with a level by name, ids as they are', () => {
    const { lines, tell } = sink();
    tell('order.opened', { orderId: ORDER, chain: 31338 });
    const line = JSON.parse(lines[0] ?? '');
    expect(line).toMatchObject({
      level: 'info',
      msg: 'order.opened',
      orderId: ORDER,
      chain: 31338,
    });
  });

  test('behavior: no secret comes through, by whatever path it is logged', () => {
    const { lines, pino, log, tell } = sink();
    const failure = new Fault(`cannot reach ${DATABASE} with ${KEY}`, {
      cause: new Error(`password ${PASSWORD}; POST ${RPC} sent ${SIGNATURE}; ${WEBHOOK}`),
    });
    log(failure, `job serve ${ORDER}`, { orderId: ORDER });
    tell('webhook.sent', { secret: WEBHOOK, url: `https://u:${PASSWORD}@hook.example/x` });
    pino.error({ err: failure }, `plain ${KEY.slice(2).toUpperCase()}`);
    pino.warn({ order: { ownerSignature: SIGNATURE, deep: { signature: 'short' } } }, 'nested');
    pino.info({ headers: { authorization: `Bearer ${RPC_KEY}`, cookie: 'sid=1' } }, 'headers');
    pino.info({ body: JSON.stringify({ signature: SIGNATURE, secret: 'abcdefgh' }) }, 'as text');
    pino
      .child({ privateKey: KEY, keys: { filler: KEY } })
      .info(`raw ${SIGNATURE}${'0'.repeat(40)}`);
    pino.fatal(failure);
    pino.info('Authorization: Bearer %s', RPC_KEY);
    expectNothingSecret(lines);
    const text = lines.join('');
    for (const plain of ['short', 'sid=1', 'abcdefgh']) expect(text).not.toContain(plain);
    expect(text).toContain(ORDER);
  });

  test('behavior: requests carry an id of their own; neither bodies nor headers are logged', async () => {
    const { lines, pino } = sink();
    const trimtab = fakeTrimtab();
    const app = await buildApp({ trimtab, logger: pino });
    try {
      const answer = await app.inject({
        method: 'POST',
        url: `/v1/orders?signature=${SIGNATURE}`,
        headers: { authorization: `Bearer ${RPC_KEY}`, 'content-type': 'application/json' },
        payload: JSON.stringify({ quoteId: 'q', signature: SIGNATURE, secret: WEBHOOK }),
      });
      const told = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'request');
      expect(told).toMatchObject({
        method: 'POST',
        route: '/v1/orders',
        status: answer.statusCode,
      });
      expect(told.reqId).toBe(answer.headers['x-request-id']);
      expect(told.reqId).toMatch(/^[0-9a-f-]{36}$/);
      expectNothingSecret(lines);
    } finally {
      await app.close();
    }
  });
});

describe('scrubber', () => {
  test('property: a line without secrets is the line', () => {
    const line = `{"level":"info","orderId":"${ORDER}","msg":"tx.sent","hash":"${ORDER}"}\n`;
    expect(scrubber(SECRETS)(line)).toBe(line);
  });
});
