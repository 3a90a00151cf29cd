// Everything an owner can get wrong about a standing policy, on real chains over real HTTP: each refused
// with its own code, the field and the remedy, nothing armed and no row in any table. The keeper does
// not run here, so that whatever is written was written by a request.

import pg from 'pg';
import type { Hex } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '../../api/errors.ts';
import {
  hashPolicy,
  policyDigest,
  readPolicyDigest,
  resumePolicyDigest,
  revokePolicyDigest,
} from '../../contracts-abi/policyTypedData.ts';
import { commitmentOf } from '../../solver/keeper/policyOf.ts';
import { present } from '../../solver/types/assert.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import { BAD_DOCUMENTS } from '../policy/documentBad.ts';
import { chainOf, clientOf, give, type OwnWorld, openOwnWorld } from './harness.ts';

const [ALDER, BIRCH, CEDAR] = [31338, 31339, 31340];
const POLICIES = '/v1/policies';
const GOOD: JsonObject = { targets: { BTC: '0.5', ETH: '0.3', USDC: '0.2' } };
const good = (rest: JsonObject): JsonObject => ({ ...GOOD, ...rest });
const NOBODY = `0x${'00'.repeat(32)}`;
const DAY = 86_400;

interface Expected {
  readonly code: ErrorCode;
  /** Of the field in the body; null where no one field is wrong. */
  readonly pointer: string | null;
  /** What the answer must say, in its message or its remedy. */
  readonly says: RegExp;
}

let own: OwnWorld;
let database: pg.Client;
let tables: readonly string[];
let user: PrivateKeyAccount;
let other: PrivateKeyAccount;
/** Requests that were refused, for the tally. */
let refusals = 0;

beforeAll(async () => {
  own = await openOwnWorld({ solver: { jobs: [] } });
  database = new pg.Client({ connectionString: own.world.databaseUrl });
  await database.connect();
  const { rows } = await database.query(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  tables = (rows as readonly { name: string }[]).map(({ name }) => name).sort();
  user = privateKeyToAccount(own.world.lab.accounts.spare1.privateKey);
  other = privateKeyToAccount(own.world.lab.accounts.spare2.privateKey);
  await give(own.world, ALDER, 'USDC', '30000', user.address);
});

afterAll(async () => {
  await database?.end();
  await own?.close();
});

test('the tables that are counted are all there are', () => {
  expect(tables).toEqual(
    expect.arrayContaining(['jobs', 'policies', 'policy_events', 'proposals']),
  );
  expect(tables).toEqual(expect.arrayContaining(['orders', 'events', 'quotes', 'price_samples']));
});

describe('documents', () => {
  /** Refused by the body's door before anyone reads the document. */
  const atTheDoor: Readonly<Record<string, Partial<Expected>>> = {
    'no object': { code: 'wrongType', says: /type/i },
    'an array': { code: 'wrongType', says: /type/i },
    __proto__: { code: 'forbiddenKey', says: /Remove the member/ },
    'an asset __proto__': { code: 'forbiddenKey', says: /Remove the member/ },
    'an asset constructor': { code: 'forbiddenKey', says: /Remove the member/ },
  };
  /** What JSON cannot say. */
  const notJson = ['an instance of a class', 'a budget that is no number'];
  const cases = BAD_DOCUMENTS.filter(({ what }) => !notJson.includes(what));

  test.each(cases.map((bad) => [bad.what, bad] as const))('%s', async (what, bad) => {
    const expected: Expected = {
      code: 'invalidInput',
      pointer: `/document${bad.pointer}`,
      says: bad.remedy,
      ...atTheDoor[what],
    };
    await refusedEverywhere(bad.document as JsonObject, expected);
  });
});

describe('documents this network cannot keep', () => {
  const cases: readonly (readonly [string, JsonObject, Expected])[] = [
    [
      'an asset nobody trades',
      { targets: { BTC: '0.5', DOGE: '0.5' } },
      {
        code: 'unknownAsset',
        pointer: '/document/targets/DOGE',
        says: /knows no such asset.*ETH.*\/v1\/assets/,
      },
    ],
    [
      'an asset under a wrong id',
      good({ universe: { ETH: 'WEETH' } }),
      {
        code: 'unknownAsset',
        pointer: '/document/targets/ETH',
        says: /"ETH" is "WEETH".*map it in \/universe/,
      },
    ],
    [
      'cash beside the dollar token it stands for',
      { targets: { BTC: '0.5', CASH: '0.3', USDC: '0.2' } },
      { code: 'invalidInput', pointer: '/document/targets/USDC', says: /add them up/ },
    ],
    [
      'a chain that is not served',
      good({ chains: [ALDER, 999] }),
      { code: 'unknownChain', pointer: '/document/chains/1', says: /served are 31338, 31339/ },
    ],
    [
      'a limit on a chain that is not served',
      good({
        chainLimits: [
          { chain: ALDER, cap: '0.5' },
          { chain: 999, floor: '0.1' },
        ],
      }),
      {
        code: 'unknownChain',
        pointer: '/document/chainLimits/1/chain',
        says: /chain 999 is not served; served are 31338/,
      },
    ],
  ];
  test.each(cases)('%s', async (_, document, expected) => {
    await refusedEverywhere(document, expected);
  });

  test('leverage, where nobody lends', async () => {
    const document = good({ leverage: { target: 2 } });
    const says = /no lending venue is connected.*Drop the part/;
    const pointer = '/document/leverage';
    await refusedArm(document, { code: 'unsupportedPolicy', pointer, says });
  });

  test('a hedge, where nobody writes options', async () => {
    const hedge = { underlying: 'ETH', band: { model: 'fixed', width: 1 } };
    const says = /no option venue is connected.*Drop the part/;
    const pointer = '/document/hedge';
    await refusedArm(good({ hedge }), { code: 'unsupportedPolicy', pointer, says });
  });

  test('an expiry that is over, of the document and of the signature', async () => {
    await refusedArm(good({ expires: '2020-01-01' }), {
      code: 'policyExpired',
      pointer: '/document/expires',
      says: /Arm it with a later expiry/,
    });
    await refused(POLICIES, await signed(GOOD, { expires: now() - 60 }), {
      code: 'policyExpired',
      pointer: '/expires',
      says: /lies \d+ s back.*later expiry/,
    });
  });
});

describe('requests', () => {
  const field = (change: JsonObject) => async () => ({ ...(await signed(GOOD)), ...change });
  const without = (name: string) => async () => {
    const { [name]: _, ...rest } = await signed(GOOD);
    return rest as JsonObject;
  };
  const cases: readonly (readonly [string, () => Promise<JsonObject>, Expected])[] = [
    ...['document', 'owner', 'nonce', 'signature'].map(
      (name) =>
        [
          `no ${name}`,
          without(name),
          { code: 'missingField', pointer: `/${name}`, says: /Add the field/ },
        ] as const,
    ),
    [
      'an unknown field',
      field({ chain: 1 }),
      { code: 'unknownField', pointer: '/chain', says: /Remove the field/ },
    ],
    ...['-1', '1.5', '0x1', '01', '', 1].map(
      (nonce) =>
        [
          `the nonce ${JSON.stringify(nonce)}`,
          field({ nonce }),
          {
            code: typeof nonce === 'string' ? 'invalidField' : 'wrongType',
            pointer: '/nonce',
            says: /Send/,
          },
        ] as const,
    ),
    [
      'a nonce of 257 bits',
      field({ nonce: (2n ** 256n).toString() }),
      { code: 'invalidInput', pointer: '/nonce', says: /decimal uint256/ },
    ],
    ...[-1, 1.5, 2 ** 32, '1900000000'].map(
      (expires) =>
        [
          `the expiry ${JSON.stringify(expires)}`,
          field({ expires }),
          {
            code: Number.isInteger(expires) ? 'invalidField' : 'wrongType',
            pointer: '/expires',
            says: /Send/,
          },
        ] as const,
    ),
    ...['nobody', '0x1234', `0x01${'00'.repeat(30)}`].map(
      (owner) =>
        [
          `the owner ${owner.slice(0, 20)}`,
          field({ owner }),
          { code: 'invalidAddress', pointer: '/owner', says: /Send ERC-7930/ },
        ] as const,
    ),
  ];
  test.each(cases)('%s', async (_, body, expected) => {
    await refused(POLICIES, await body(), expected);
  });

  test('a key twice, a body too large, a body that is no JSON', async () => {
    const text = JSON.stringify(await signed(GOOD));
    const twice = text.replace('"BTC":', '"ETH":"0.1","BTC":');
    await refused(POLICIES, twice, {
      code: 'duplicateKey',
      pointer: '/document/targets/ETH',
      says: /Keep one of the two/,
    });
    const padded = text.replace('{', `{"padding":"${'x'.repeat(64 * 1024)}",`);
    await refused(POLICIES, padded, { code: 'bodyTooLarge', pointer: null, says: /64 KiB/ });
    await refused(POLICIES, text.slice(1), { code: 'malformedJson', pointer: null, says: /JSON/ });
  });

  test('a dry run of what is not held, on a chain or of an asset outside the policy', async () => {
    const run = (holding: JsonObject) => ({
      document: good({ chains: [ALDER, BIRCH] }),
      owner: user.address,
      holdings: [{ chain: ALDER, asset: 'USDC', amount: '1', ...holding }],
    });
    const at = '/holdings/0';
    await refused(`${POLICIES}/dry-run`, run({ chain: CEDAR }), {
      code: 'unknownChain',
      pointer: `${at}/chain`,
      says: /not one of the policy/,
    });
    await refused(`${POLICIES}/dry-run`, run({ asset: 'LINK' }), {
      code: 'unknownAsset',
      pointer: `${at}/asset`,
      says: /"LINK" is not an asset of the policy/,
    });
    await refused(`${POLICIES}/dry-run`, run({ amount: '-1' }), {
      code: 'invalidAmount',
      pointer: `${at}/amount`,
      says: /decimal string of base units/,
    });
  });

  test('a portfolio of nothing', async () => {
    const body = { document: GOOD, owner: own.world.lab.accounts.spare3.address };
    for (const path of ['dry-run', 'drift']) {
      await refused(`${POLICIES}/${path}`, body, {
        code: 'emptyPortfolio',
        pointer: null,
        says: /fund the account/i,
      });
    }
  });
});

describe('signatures', () => {
  const wrongSigner: Expected = {
    code: 'wrongSigner',
    pointer: '/signature',
    says: /not the owner’s \(0x[0-9a-f]{40}\).*sign the typed data as given/,
  };
  const malformed: Expected = {
    code: 'malformedSignature',
    pointer: '/signature',
    says: /65 bytes with low s and v 27 or 28/,
  };
  const cases: readonly (readonly [string, () => Promise<JsonObject>, Expected])[] = [
    ['another’s key', () => signed(GOOD, { by: other, owner: user }), wrongSigner],
    [
      'over another document',
      async () => ({ ...(await signed(good({ name: 'another' }))), document: GOOD }),
      wrongSigner,
    ],
    ['over another nonce', async () => ({ ...(await signed(GOOD)), nonce: '2' }), wrongSigner],
    [
      'over another expiry',
      async () => ({ ...(await signed(GOOD)), expires: now() + DAY }),
      wrongSigner,
    ],
    [
      'over another owner',
      async () => ({ ...(await signed(GOOD)), owner: other.address }),
      wrongSigner,
    ],
    [
      'to revoke',
      async () => ({
        ...(await signed(GOOD)),
        signature: await user.sign({ hash: revokePolicyDigest(idOf(GOOD, '1')) }),
      }),
      wrongSigner,
    ],
    [
      'with high s',
      async () => {
        const body = await signed(GOOD);
        return { ...body, signature: highS(body.signature as Hex) };
      },
      malformed,
    ],
    ...['0x', '0x1234', `0x${'00'.repeat(65)}`, `0x${'ff'.repeat(65)}`].map(
      (signature) =>
        [
          `of ${(signature.length - 2) / 2} bytes, ${signature.slice(0, 6)}`,
          async () => ({ ...(await signed(GOOD)), signature }),
          malformed,
        ] as const,
    ),
    [
      'that is no hex',
      async () => ({ ...(await signed(GOOD)), signature: 'signed' }),
      { ...malformed, says: /Send 65 bytes of hex/ },
    ],
  ];
  test.each(cases)('%s', async (_, body, expected) => {
    await refused(POLICIES, await body(), expected);
  });

  test('a contract wallet that refuses on one chain of the policy', async () => {
    const wallet = await deployWallets();
    const body = { document: GOOD, owner: wallet, nonce: '1', signature: '0x1234' };
    await refused(POLICIES, body, {
      code: 'malformedSignature',
      pointer: '/signature',
      says: /must answer isValidSignature on every chain of the policy/,
    });
    // Where it agrees on every chain of the policy, it is armed by the same bytes.
    const within = { ...body, document: good({ chains: [ALDER, BIRCH] }) };
    expect((await post(POLICIES, within)).status).toBe(201);
  });
});

describe('beside an armed policy', () => {
  const SECRET = good({ privacy: 'commitment' });
  let id: Hex;
  let secret: Hex;
  beforeAll(async () => {
    id = await armed(GOOD, '1');
    secret = await armed(SECRET, '2');
  });

  test('the same policy again is the same answer', async () => {
    const before = await rowCounts();
    const again = await post(POLICIES, await signed(GOOD));
    expect([again.status, again.body.policyId, again.body.created]).toEqual([200, id, false]);
    const upper = (await signed(GOOD)) as { signature: string };
    const shout = `0x${upper.signature.slice(2).toUpperCase()}`;
    expect((await post(POLICIES, { ...upper, signature: shout } as JsonObject)).status).toBe(200);
    expect(await rowCounts()).toEqual(before);
  });

  test('another document with its nonce', async () => {
    await refused(POLICIES, await signed(good({ name: 'another' })), {
      code: 'nonceUsed',
      pointer: '/nonce',
      says: /nonce 1 armed another document of yours; take another nonce/,
    });
    await refused(POLICIES, await signed(GOOD, { expires: now() + DAY }), {
      code: 'nonceUsed',
      pointer: '/nonce',
      says: /take another nonce/,
    });
  });

  test('ids that are none, and of no policy', async () => {
    const word: Hex = await user.sign({ hash: revokePolicyDigest(id) });
    for (const path of ['', '/decisions', '/proposals', '/events']) {
      await refused(`${POLICIES}/${NOBODY}${path}`, null, {
        code: 'policyNotFound',
        pointer: null,
        says: /Check the policy id/,
      });
      for (const bad of ['0x1234', NOBODY.toUpperCase(), 'mine']) {
        await refused(`${POLICIES}/${bad}${path}`, null, {
          code: 'invalidField',
          pointer: null,
          says: /policyId must match pattern/,
        });
      }
    }
    for (const [method, path] of [
      ['DELETE', ''],
      ['POST', '/resume'],
    ] as const) {
      const expected = { code: 'policyNotFound', pointer: null, says: /Check the/ } as const;
      await refused(`${POLICIES}/${NOBODY}${path}`, { signature: word }, expected, { method });
    }
  });

  test('revoking and resuming without the owner’s word for it', async () => {
    const end = `${POLICIES}/${id}`;
    const words: readonly (readonly [Hex, Expected])[] = [
      [await other.sign({ hash: revokePolicyDigest(id) }), wrong()],
      [await user.sign({ hash: revokePolicyDigest(secret) }), wrong()],
      [await user.sign({ hash: resumePolicyDigest(id, 1) }), wrong()],
      [highS(await user.sign({ hash: revokePolicyDigest(id) })), malformedWord()],
      ['0x', malformedWord()],
    ];
    for (const [signature, expected] of words) {
      await refused(end, { signature }, expected, { method: 'DELETE' });
    }
    await refused(
      end,
      {},
      { code: 'missingField', pointer: '/signature', says: /Add the field/ },
      { method: 'DELETE' },
    );
    await refused(
      `${end}/resume`,
      { signature: await user.sign({ hash: resumePolicyDigest(id, 1) }) },
      { code: 'notHalted', pointer: null, says: /there is nothing to resume/ },
    );
  });

  test('pages that are none', async () => {
    for (const query of ['after=-1', 'limit=0', 'limit=1e3', 'after=x']) {
      await refused(`${POLICIES}/${id}/decisions?${query}`, null, {
        code: 'invalidField',
        pointer: null,
        says: /querystring\/(after|limit) must match/,
      });
    }
    await refused(`${POLICIES}?owner=nobody`, null, {
      code: 'invalidAddress',
      pointer: null,
      says: /0x address/,
    });
  });

  test('readers of a private policy', async () => {
    const read = async (until: number, by = user, of: Hex = secret) =>
      `${until};${await by.sign({ hash: readPolicyDigest(of, until) })}`;
    const soon = now() + 600;
    const late: Expected = {
      code: 'readExpired',
      pointer: null,
      says: /between now .* and a day ahead; sign .*anew/,
    };
    const strange: Expected = { ...wrong(), pointer: null };
    const cases: readonly (readonly [string, Expected])[] = [
      [await read(now() - 60), late],
      [await read(now() + DAY + 600), late],
      [await read(soon, other), strange],
      [await read(soon, user, id), strange],
      [`${soon + 1};${(await read(soon)).split(';')[1]}`, strange],
      [
        'let me in',
        { code: 'invalidField', pointer: null, says: /trimtab-reader must match pattern/ },
      ],
    ];
    for (const [reader, expected] of cases) {
      for (const path of ['', '/decisions', '/proposals', '/events']) {
        const headers = { 'trimtab-reader': reader };
        await refused(`${POLICIES}/${secret}${path}`, null, expected, { headers });
      }
    }
    await refused(`${POLICIES}/${secret}/proposals`, null, {
      code: 'ownerOnly',
      pointer: null,
      says: /Send the owner’s ReadPolicy signature in the trimtab-reader header/,
    });
    const open = await get(`${POLICIES}/${secret}`, { 'trimtab-reader': await read(soon) });
    expect(open.body.document).toEqual(SECRET);
    const shut = await get(`${POLICIES}/${secret}`);
    expect(shut.body).toMatchObject({ document: null, commitment: commitmentOf(SECRET) });
    const { policies } = (await get(`${POLICIES}?owner=${user.address}`)).body;
    const listed = (policies as readonly JsonObject[]).map(({ policyId, document }) => [
      policyId,
      document,
    ]);
    expect(listed).toEqual([
      [secret, null],
      [id, GOOD],
    ]);
  });

  test('what has ended stays ended', async () => {
    const signature = await user.sign({ hash: revokePolicyDigest(secret) });
    const ended = await post(`${POLICIES}/${secret}`, { signature }, { method: 'DELETE' });
    expect([ended.status, ended.body.state]).toEqual([200, 'revoked']);
    const before = await rowCounts();
    const again = await post(`${POLICIES}/${secret}`, { signature }, { method: 'DELETE' });
    expect([again.status, again.body.state]).toEqual([200, 'revoked']);
    const rearmed = await post(POLICIES, await signed(SECRET, { nonce: '2' }));
    expect([rearmed.status, (rearmed.body.policy as JsonObject).state]).toEqual([200, 'revoked']);
    expect(await rowCounts()).toEqual(before);
    await refused(
      `${POLICIES}/${secret}/resume`,
      { signature: await user.sign({ hash: resumePolicyDigest(secret, 1) }) },
      { code: 'notHalted', pointer: null, says: /revoked/ },
    );
  });

  test('too many policies', async () => {
    const owner = privateKeyToAccount(own.world.lab.accounts.spare3.privateKey);
    for (let nonce = 1; nonce <= 32; nonce += 1) {
      const body = await signed(GOOD, { by: owner, nonce: String(nonce) });
      expect((await post(POLICIES, body)).status).toBe(201);
    }
    await refused(POLICIES, await signed(GOOD, { by: owner, nonce: '33' }), {
      code: 'tooManyPolicies',
      pointer: null,
      says: /may have 32 policies; revoke one first/,
    });
  });
});

test('the tally: what was armed, and nothing else', async () => {
  expect(refusals).toBeGreaterThan(60);
  const rows = await rowCounts();
  // Armed: the contract wallet's, two of the user's, 32 of another. Events: armed each, one revoked.
  const written = { policies: 35, policy_events: 36, jobs: 35 };
  for (const name of ['quotes', 'orders', 'events', 'chain_tx', 'proposals', 'price_samples']) {
    expect(rows[name], name).toBe(0);
  }
  expect(rows).toMatchObject(written);
});

const now = () => Math.floor(Date.now() / 1000);

const wrong = (): Expected => ({
  code: 'wrongSigner',
  pointer: '/signature',
  says: /not the owner’s.*sign the typed data/,
});
const malformedWord = (): Expected => ({
  code: 'malformedSignature',
  pointer: '/signature',
  says: /65 bytes/,
});

const idOf = (document: JsonObject, nonce: string, owner = user.address): Hex =>
  hashPolicy({ owner, document: commitmentOf(document), nonce: BigInt(nonce), expires: 0 });

interface Signing {
  readonly by?: PrivateKeyAccount;
  readonly nonce?: string;
  readonly expires?: number;
  /** Default: the signer. */
  readonly owner?: PrivateKeyAccount;
}

/** What POST /v1/policies takes, well signed whatever the document says. */
async function signed(
  document: JsonObject,
  { by = user, nonce = '1', expires = 0, owner }: Signing = {},
): Promise<JsonObject> {
  const whose = owner ?? by;
  const hash = policyDigest({
    owner: whose.address,
    document: commitmentOf(document),
    nonce: BigInt(nonce),
    expires,
  });
  const signature = await by.sign({ hash });
  return { document, owner: whose.address, nonce, expires, signature };
}

async function armed(document: JsonObject, nonce: string): Promise<Hex> {
  const { status, body } = await post(POLICIES, await signed(document, { nonce }));
  expect(status, JSON.stringify(body)).toBe(201);
  expect(body.policyId).toBe(idOf(document, nonce));
  return body.policyId as Hex;
}

/** The same signature in its other form: n − s, and the other v. */
function highS(signature: Hex): Hex {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = order - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.endsWith('1b') ? '1c' : '1b';
  return `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${v}` as Hex;
}

/**
 * One address on three chains: ERC-1271 wallets that answer every call with the magic value on the
 * first two, and with 0xffffffff on the third.
 */
async function deployWallets(): Promise<Hex> {
  const account = privateKeyToAccount(own.world.lab.accounts.spare3.privateKey);
  const addresses = await Promise.all(
    [ALDER, BIRCH, CEDAR].map(async (chain) => {
      const client = clientOf(chainOf(own.world.lab.network, chain), account);
      const word = chain === CEDAR ? 'ffffffff' : '1626ba7e';
      // PUSH4 word, PUSH1 e0, SHL, PUSH1 0, MSTORE, PUSH1 20, PUSH1 0, RETURN: 16 bytes.
      const runtime = `63${word}60e01b60005260206000f3`;
      const size = (runtime.length / 2).toString(16).padStart(2, '0');
      // PUSH1 size, DUP1, PUSH1 0b, PUSH1 0, CODECOPY, PUSH1 0, RETURN: 11 bytes.
      const data: Hex = `0x60${size}80600b6000396000f3${runtime}`;
      const hash = await client.sendTransaction({ chain: null, data });
      const receipt = await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
      return present(receipt.contractAddress, 'a contract');
    }),
  );
  expect(new Set(addresses).size).toBe(1);
  return present(addresses[0], 'an address');
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: JsonObject;
}
interface Sent {
  readonly method?: 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
}

async function post(path: string, body: JsonObject | string, { method, headers }: Sent = {}) {
  return answerOf(path, {
    method: method ?? 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  answerOf(path, { headers });

async function answerOf(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(`${own.world.api.url}${path}`, init);
  const type = response.headers.get('content-type');
  return { status: response.status, type, body: (await response.json()) as JsonObject };
}

/** Refused as expected, with every table as it was. A body of null is read with GET. */
async function refused(
  path: string,
  body: JsonObject | string | null,
  { code, pointer, says }: Expected,
  sent: Sent = {},
): Promise<void> {
  const before = await rowCounts();
  const answer = body === null ? await get(path, sent.headers) : await post(path, body, sent);
  const said = `${path} ${JSON.stringify(answer.body)}`;
  expect(answer.body.code, said).toBe(code);
  expect(answer.status).toBe(ERRORS[code].status);
  expect(answer.body.status).toBe(answer.status);
  expect(answer.type).toMatch(/^application\/problem\+json/);
  expect(answer.body.pointer ?? null, said).toBe(pointer);
  expect(answer.body.remedy).toBe(ERRORS[code].remedy);
  const { detail, remedy } = answer.body;
  expect(
    [String(detail), `${detail} — ${remedy}`].some((text) => says.test(text)),
    said,
  ).toBe(true);
  expect(await rowCounts()).toEqual(before);
  refusals += 1;
}

/** Well signed and sent to be armed; sent to be tried; sent to be compared. */
async function refusedEverywhere(document: JsonObject, expected: Expected): Promise<void> {
  await refused(POLICIES, await signed(document), expected);
  const body = { document, owner: user.address };
  await refused(`${POLICIES}/dry-run`, body, expected);
  await refused(`${POLICIES}/drift`, body, expected);
}

const refusedArm = async (document: JsonObject, expected: Expected): Promise<void> =>
  refused(POLICIES, await signed(document), expected);

async function rowCounts(): Promise<Readonly<Record<string, number>>> {
  const counts = tables.map((name) => `(SELECT count(*)::int FROM ${name}) AS ${name}`);
  const { rows } = await database.query(`SELECT ${counts.join(', ')}`);
  return present(rows[0] as Record<string, number> | undefined, 'a row of counts');
}
