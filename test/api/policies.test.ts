// /v1/policies by injection over a scripted service: shapes, status codes, the reader's header, the
// typed data that arms, and the log as an event stream.

import type { FastifyInstance } from 'fastify';
import { hashTypedData } from 'viem';
import { afterEach, describe, expect, it } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { ERRORS } from '../../api/errors.ts';
import { policyDigest } from '../../contracts-abi/policyTypedData.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import { hash32, policyId } from '../../solver/types/ids.ts';
import type {
  DecisionView,
  PolicyEventView,
  PolicyRefusalCode,
  PolicyService,
  PolicyView,
} from '../../solver/types/policyService.ts';
import { fakeTrimtab, OWNER } from './fakeTrimtab.ts';

const ID = policyId(`0x${'ab'.repeat(32)}`);
const COMMITMENT = hash32(`0x${'cd'.repeat(32)}`);
const SIGNATURE = `0x${'12'.repeat(65)}` as const;
const document = { targets: { BTC: '0.5', ETH: '0.3', USDC: '0.2' } };
const decision: DecisionView = {
  at: 1_800_000_000,
  mode: 'normal',
  kind: 'idle',
  cause: null,
  aim: null,
  leverage: null,
  hedge: null,
  reasons: [{ code: 'insideBand', message: 'BTC/USDC stands at 0.4 of its trigger' }],
  skipped: [],
  nextAt: 1_800_000_060,
};
const view: PolicyView = {
  policyId: ID,
  owner: OWNER,
  nonce: '1',
  expires: null,
  commitment: COMMITMENT,
  privacy: 'public',
  state: 'idle',
  note: 'inside its bands',
  createdAt: 1_800_000_000,
  updatedAt: 1_800_000_000,
  haltedEvent: null,
  orderId: null,
  document,
  lastDecision: decision,
  nextAt: 1_800_000_060,
  proposal: null,
};
const events: readonly PolicyEventView[] = [
  { seq: 4, number: 1, at: 1_800_000_000, type: 'policy.armed', data: {} },
  { seq: 9, number: 2, at: 1_800_000_001, type: 'policy.revoked', data: {} },
];

let app: FastifyInstance;
afterEach(() => app.close());

const asked: unknown[][] = [];
async function open(answers: Partial<PolicyService> = {}) {
  asked.length = 0;
  const base = fakeTrimtab().policies;
  app = await buildApp({ trimtab: fakeTrimtab({ ...base, ...answers }) });
}
const send = (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: unknown, headers = {}) =>
  app.inject({
    method,
    url,
    headers: {
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(payload === undefined ? {} : { payload: JSON.stringify(payload) }),
  });
const armBody = { document, owner: OWNER, nonce: '1', signature: SIGNATURE };

describe('POST /v1/policies', () => {
  it('default: 201 for a new policy with its location, 200 for the same again', async () => {
    let created = true;
    await open({
      arm: async (request) => {
        asked.push([request]);
        return { policyId: ID, created, policy: view };
      },
    });
    const first = await send('POST', '/v1/policies', armBody);
    expect(first.statusCode).toBe(201);
    expect(first.headers.location).toBe(`/v1/policies/${ID}`);
    created = false;
    expect((await send('POST', '/v1/policies', { ...armBody, expires: 9 })).statusCode).toBe(200);
    expect(asked).toEqual([[armBody], [{ ...armBody, expires: 9 }]]);
  });

  it('error: a bad document is 400 with the pointer into it', async () => {
    await open({
      arm: async () => {
        throw new InvalidInput('weights sum to 1.1, not 1', { pointer: '/document/targets' });
      },
    });
    const answer = await send('POST', '/v1/policies', armBody);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalidInput', pointer: '/document/targets' });
  });

  it.each([
    ['owner', { ...armBody, owner: 'me' }, 'invalidAddress'],
    ['nonce', { ...armBody, nonce: '-1' }, 'invalidField'],
    ['signature', { ...armBody, signature: 'xx' }, 'malformedSignature'],
    ['document', { ...armBody, document: 7 }, 'wrongType'],
    ['else', { ...armBody, else: 1 }, 'unknownField'],
  ])('error: %s', async (field, body, code) => {
    await open();
    const answer = await send('POST', '/v1/policies', body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code, pointer: `/${field}` });
  });

  it.each<PolicyRefusalCode>([
    'malformedSignature',
    'wrongSigner',
    'nonceUsed',
    'policyExpired',
    'unsupportedPolicy',
    'tooManyPolicies',
    'alreadyEnded',
    'unknownAsset',
    'chainDown',
  ])('error: the refusal %s keeps its code, status and remedy', async (refused) => {
    await open({ arm: async () => ({ refused, message: 'because', pointer: '/document' }) });
    const answer = await send('POST', '/v1/policies', armBody);
    expect(answer.statusCode).toBe(ERRORS[refused].status);
    expect(answer.json()).toMatchObject({ code: refused, pointer: '/document' });
  });
});

describe('POST /v1/policies/dry-run', () => {
  const run = {
    commitment: COMMITMENT,
    decision,
    portfolio: {
      at: 1,
      worthUsd: 10,
      inFlightUsd: 0,
      assets: [],
      chains: [],
      largestDrift: 0,
      turnover: 0,
      trackingError: 0,
      forecast: 'prior',
    },
    quote: null,
  };

  it('default: the decision, and on request the typed data that arms', async () => {
    await open({ dryRun: async () => run });
    const plain = await send('POST', '/v1/policies/dry-run', { document, owner: OWNER });
    expect(plain.json()).toEqual(run);
    const arm = { nonce: '7', expires: 1_900_000_000 };
    const { payload } = (
      await send('POST', '/v1/policies/dry-run', { document, owner: OWNER, arm })
    ).json();
    const signed = { owner: OWNER, document: COMMITMENT, nonce: 7n, expires: 1_900_000_000 };
    expect(hashTypedData(payload)).toBe(policyDigest(signed));
  });

  it('error: a nonce of more than 256 bits', async () => {
    await open({ dryRun: async () => run });
    const arm = { nonce: '9'.repeat(78) };
    const answer = await send('POST', '/v1/policies/dry-run', { document, owner: OWNER, arm });
    expect(answer.json()).toMatchObject({ code: 'invalidField', pointer: '/arm/nonce' });
  });
});

describe('reading a policy', () => {
  it('default: the reader’s header goes to the service', async () => {
    await open({
      get: async (...args) => {
        asked.push(args);
        return view;
      },
    });
    const headers = { 'trimtab-reader': `1800000600;${SIGNATURE}` };
    expect((await send('GET', `/v1/policies/${ID}`, undefined, headers)).json()).toEqual(view);
    await send('GET', `/v1/policies/${ID}`);
    const reader = { validUntil: 1_800_000_600, signature: SIGNATURE };
    expect(asked).toEqual([
      [ID, reader],
      [ID, undefined],
    ]);
  });

  it('error: a malformed header, an unknown id, a private policy', async () => {
    await open({
      get: async () => ({ refused: 'policyNotFound', message: 'no such policy' }),
      proposals: async () => ({ refused: 'ownerOnly', message: 'private' }),
    });
    const odd = await send('GET', `/v1/policies/${ID}`, undefined, { 'trimtab-reader': 'x' });
    expect(odd.json()).toMatchObject({ status: 400, code: 'invalidField' });
    expect((await send('GET', '/v1/policies/0x12')).statusCode).toBe(400);
    expect((await send('GET', `/v1/policies/${ID}`)).json().code).toBe('policyNotFound');
    expect((await send('GET', `/v1/policies/${ID}/proposals`)).json()).toMatchObject({
      status: 403,
      code: 'ownerOnly',
    });
  });

  it('behavior: a page of decisions names the next one only when there may be more', async () => {
    await open({
      decisions: async (_, after, limit) => events.filter(({ seq }) => seq > after).slice(0, limit),
    });
    const page = (await send('GET', `/v1/policies/${ID}/decisions?limit=1`)).json();
    expect(page).toEqual({ decisions: [events[0]], next: 4 });
    const rest = (await send('GET', `/v1/policies/${ID}/decisions?after=4`)).json();
    expect(rest).toEqual({ decisions: [events[1]], next: null });
  });

  it('behavior: the stream ends with the policy, and answers 204 from then on', async () => {
    await open({
      get: async () => ({ ...view, state: 'revoked' }),
      decisions: async (_, after, limit) => events.filter(({ seq }) => seq > after).slice(0, limit),
    });
    const accept = { accept: 'text/event-stream' };
    const all = await send('GET', `/v1/policies/${ID}/events`, undefined, accept);
    expect(all.payload.match(/^event: .*$/gm)).toEqual([
      'event: policy.armed',
      'event: policy.revoked',
    ]);
    const done = { ...accept, 'last-event-id': '9' };
    expect((await send('GET', `/v1/policies/${ID}/events`, undefined, done)).statusCode).toBe(204);
  });

  it('behavior: an owner is an ERC-7930 or plain address; the page size is bounded', async () => {
    await open({
      list: async (...args) => {
        asked.push(args);
        return [view];
      },
    });
    const answer = await send('GET', `/v1/policies?owner=${OWNER}&limit=999`);
    expect(answer.json()).toEqual({ policies: [view] });
    expect(asked).toEqual([[OWNER, 100]]);
    expect((await send('GET', '/v1/policies?owner=nobody')).statusCode).toBe(400);
  });
});

describe('ending and resuming', () => {
  it('default: the signature goes to the service', async () => {
    await open({
      revoke: async (...args) => {
        asked.push(args);
        return { ...view, state: 'revoked' };
      },
      resume: async () => ({ refused: 'notHalted', message: 'it does not stand halted' }),
    });
    const body = { signature: SIGNATURE };
    expect((await send('DELETE', `/v1/policies/${ID}`, body)).json().state).toBe('revoked');
    expect(asked).toEqual([[ID, SIGNATURE]]);
    const answer = await send('POST', `/v1/policies/${ID}/resume`, body);
    expect(answer.json()).toMatchObject({ status: 409, code: 'notHalted' });
  });
});

describe('what costs much', () => {
  it('error: more than eight dry runs at once, and too many a minute, are refused', async () => {
    let release = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    const policies: Partial<PolicyService> = {
      async dryRun() {
        await held;
        return { refused: 'emptyPortfolio', message: 'nothing' };
      },
    };
    const fake = fakeTrimtab();
    const busy = await buildApp({
      trimtab: { ...fake, policies: { ...fake.policies, ...policies } },
      requestsPerMinute: 48,
    });
    const payload = { document, owner: OWNER };
    // An injected request begins when it is waited for.
    const ask = async () => {
      const answer = await busy.inject({ method: 'POST', url: '/v1/policies/dry-run', payload });
      return answer;
    };
    const first = Array.from({ length: 8 }, ask);
    const ninth = await ask();
    expect([ninth.statusCode, ninth.json().code]).toEqual([429, 'rateLimited']);
    expect(ninth.headers['retry-after']).toBe('1');
    release();
    for (const answer of await Promise.all(first)) expect(answer.statusCode).toBe(422);
    const codes: number[] = [];
    for (let n = 0; n < 4; n += 1) codes.push((await ask()).statusCode);
    expect(codes).toEqual([422, 422, 422, 429]);
    await busy.close();
  });
});
