// The service behind the API: who may arm, revoke, resume and read, with real signatures; that a
// repeated request gets the same answer, and that a dry run leaves nothing behind.

import { hashTypedData } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import {
  hashPolicy,
  policyDigest,
  policyPayload,
  readPolicyDigest,
  readPolicyPayload,
  resumePolicyDigest,
  resumePolicyPayload,
  revokePolicyDigest,
  revokePolicyPayload,
} from '../../contracts-abi/policyTypedData.ts';
import { createPolicies } from '../../solver/keeper/policies.ts';
import { commitmentOf } from '../../solver/keeper/policyOf.ts';
import { createOwnerCheck } from '../../solver/settlement/ownerCheck.ts';
import { present } from '../../solver/types/assert.ts';
import { Fault, InvalidInput } from '../../solver/types/errors.ts';
import { type EvmAddress, evmAddress, type Hex, type PolicyId } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { PolicyService } from '../../solver/types/policyService.ts';
import type { Chain } from '../../solver/types/ports.ts';
import { SimPolicyStore } from './sim/store.ts';
import { CALM, DOCUMENT, network, START, World } from './sim/world.ts';

const account = privateKeyToAccount(`0x${'42'.repeat(32)}`);
const stranger = privateKeyToAccount(`0x${'43'.repeat(32)}`);
const owner = evmAddress(account.address);
const PRIVATE: JsonObject = { ...DOCUMENT, privacy: 'commitment' };

/** Chains on which no account has code. */
const chains = new Map(
  network.chains.map(({ chainId }) => {
    const chain: Partial<Chain> = {
      block: async () => ({}) as never,
      read: async (calls) => calls.map(() => ({ ok: true as const, data: '0x' as const })),
    };
    return [chainId, chain as Chain];
  }),
);

function service(script = {}): { service: PolicyService; store: SimPolicyStore; world: World } {
  let world: World | null = null;
  const store = new SimPolicyStore(() => world?.nowMs ?? 0);
  world = new World(store, script, CALM);
  const made = createPolicies({
    ...world.deps(),
    store,
    checkOwner: createOwnerCheck(chains),
    dryQuoter: world.deps().quoter,
    policiesMax: 2,
  });
  return { service: made, store, world };
}

const signedOf = (document: JsonObject, by: EvmAddress, nonce = 1n) => ({
  owner: by,
  document: commitmentOf(document),
  nonce,
  expires: 0,
});
const sign = (digest: Hex, by = account): Promise<Hex> => by.sign({ hash: digest });

async function armed(one: PolicyService, document = DOCUMENT, nonce = 1n): Promise<PolicyId> {
  const signature = await sign(policyDigest(signedOf(document, owner, nonce)));
  const answer = await one.arm({ document, owner, nonce: nonce.toString(), signature });
  if (!('policyId' in answer)) throw new Error(JSON.stringify(answer));
  return answer.policyId;
}

describe('arm', () => {
  test('default: the id is the struct hash, and the same again is the same answer', async () => {
    const { service: one } = service();
    const signed = signedOf(DOCUMENT, owner);
    const request = {
      document: DOCUMENT,
      owner,
      nonce: '1',
      signature: await sign(policyDigest(signed)),
    };
    const first = await one.arm(request);
    expect(first).toMatchObject({
      policyId: hashPolicy(signed),
      created: true,
      policy: { state: 'armed', commitment: signed.document, owner, document: DOCUMENT },
    });
    expect(await one.arm(request)).toMatchObject({ created: false, policyId: hashPolicy(signed) });
  });

  test('behavior: what a wallet signs as JSON is what is checked', () => {
    const signed = signedOf(DOCUMENT, owner);
    const id = hashPolicy(signed);
    const hashOf = (payload: object) => hashTypedData(payload as never);
    expect(hashOf(policyPayload(signed))).toBe(policyDigest(signed));
    expect(hashOf(revokePolicyPayload(id))).toBe(revokePolicyDigest(id));
    expect(hashOf(resumePolicyPayload(id, 7))).toBe(resumePolicyDigest(id, 7));
    expect(hashOf(readPolicyPayload(id, 9))).toBe(readPolicyDigest(id, 9));
  });

  test('error: another signer, a changed document, no signature, a used nonce', async () => {
    const { service: one } = service();
    const digest = policyDigest(signedOf(DOCUMENT, owner));
    const request = { document: DOCUMENT, owner, nonce: '1' };
    const refused = async (signature: Hex, change = {}) =>
      one.arm({ ...request, signature, ...change });
    expect(await refused(await sign(digest, stranger))).toMatchObject({ refused: 'wrongSigner' });
    const changed = { document: { ...DOCUMENT, name: 'other' } };
    expect(await refused(await sign(digest), changed)).toMatchObject({ refused: 'wrongSigner' });
    expect(await refused('0x00')).toMatchObject({ refused: 'malformedSignature' });
    await armed(one);
    const other: JsonObject = { ...DOCUMENT, name: 'other' };
    const again = await sign(policyDigest(signedOf(other, owner)));
    expect(await refused(again, { document: other })).toMatchObject({ refused: 'nonceUsed' });
  });

  test('error: bad documents name their field, and nothing is armed', async () => {
    const { service: one } = service();
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ targets: { WETH: '0.9' } }, '/document/targets'],
      [{ ...DOCUMENT, chains: [1] }, '/document/chains'],
      [{ targets: { WETH: '0.5', DOGE: '0.5' } }, '/document/targets/DOGE'],
      [{ ...DOCUMENT, wat: 1 }, '/document/wat'],
    ];
    for (const [document, pointer] of cases) {
      const request = { document, owner, nonce: '1', signature: '0x00' as Hex };
      const error = await one.arm(request).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(InvalidInput);
      expect((error as InvalidInput).pointer.startsWith(pointer), pointer).toBe(true);
    }
    expect(await one.list(owner, 10)).toEqual([]);
  });

  test('behavior: CASH is the network’s dollar token, unless that is a target', async () => {
    const { service: one } = service();
    const drift = (targets: Record<string, string>) => one.drift({ owner, document: { targets } });
    const view = await drift({ WETH: '0.5', CASH: '0.5' });
    expect(view).toMatchObject({ assets: [{ asset: 'WETH' }, { asset: 'CASH', weight: 0.5 }] });
    await expect(drift({ WETH: '0.5', CASH: '0.3', USDC: '0.2' })).rejects.toMatchObject({
      pointer: '/document/targets/USDC',
    });
  });

  test('error: leverage needs a lending venue; too many policies; time that is over', async () => {
    const { service: one } = service();
    const levered: JsonObject = { ...DOCUMENT, leverage: { target: '2' } };
    const request = { owner, nonce: '1', signature: '0x00' as Hex };
    expect(await one.arm({ ...request, document: levered })).toMatchObject({
      refused: 'unsupportedPolicy',
      pointer: '/document/leverage',
    });
    expect(await one.arm({ ...request, document: DOCUMENT, expires: START - 1 })).toMatchObject({
      refused: 'policyExpired',
      pointer: '/expires',
    });
    await armed(one, DOCUMENT, 1n);
    await armed(one, DOCUMENT, 2n);
    await expect(armed(one, DOCUMENT, 3n)).rejects.toThrow(/tooManyPolicies/);
  });
});

describe('createOwnerCheck', () => {
  const digest = policyDigest(signedOf(DOCUMENT, owner));
  const ids = [...chains.keys()];

  test('behavior: a contract wallet must answer on every chain', async () => {
    const magic = `0x1626ba7e${'0'.repeat(56)}` as Hex;
    const says = (answers: readonly (Hex | null)[]) =>
      createOwnerCheck(
        new Map(
          ids.map((id, i) => {
            const chain: Partial<Chain> = {
              block: async () => ({}) as never,
              read: async () => {
                const data = answers[i];
                if (data === null || data === undefined) throw new Fault('down');
                return [{ ok: true as const, data }];
              },
            };
            return [id, chain as Chain];
          }),
        ),
      );
    expect(await says([magic, magic])(owner, digest, '0x1234', ids)).toBe('ok');
    expect(await says([magic, '0x'])(owner, digest, '0x1234', ids)).toBe('malformed');
    expect(await says([magic, null])(owner, digest, '0x1234', ids)).toBe('chainDown');
    const wrong = await sign(digest, stranger);
    expect(await says(['0x', '0x'])(owner, digest, wrong, ids)).toBe('otherSigner');
  });

  test('error: high s and odd encodings are refused', async () => {
    const check = createOwnerCheck(chains);
    const good = await sign(digest);
    expect(await check(owner, digest, good, ids)).toBe('ok');
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = order - BigInt(`0x${good.slice(66, 130)}`);
    const v = good.endsWith('1b') ? '1c' : '1b';
    const high = `${good.slice(0, 66)}${s.toString(16).padStart(64, '0')}${v}` as Hex;
    expect(await check(owner, digest, high, ids)).toBe('malformed');
    expect(await check(owner, digest, '0xzz', ids)).toBe('malformed');
  });
});

describe('revoke', () => {
  test('default: by the owner, for good, and again', async () => {
    const { service: one } = service();
    const id = await armed(one);
    const signature = await sign(revokePolicyDigest(id));
    expect(await one.revoke(id, signature)).toMatchObject({ state: 'revoked' });
    expect(await one.revoke(id, signature)).toMatchObject({ state: 'revoked' });
    expect(await one.decisions(id, 0, 10)).toMatchObject([
      { number: 1, type: 'policy.armed' },
      { number: 2, type: 'policy.revoked' },
    ]);
  });
  test('error: not by another, not an unknown one', async () => {
    const { service: one } = service();
    const id = await armed(one);
    const wrong = await sign(revokePolicyDigest(id), stranger);
    expect(await one.revoke(id, wrong)).toMatchObject({ refused: 'wrongSigner' });
    const unknown = `0x${'00'.repeat(32)}` as PolicyId;
    expect(await one.revoke(unknown, wrong)).toMatchObject({ refused: 'policyNotFound' });
  });
});

describe('resume', () => {
  const halting: JsonObject = {
    ...DOCUMENT,
    breakers: { ...(DOCUMENT.breakers as object), resumeAfter: null, maxConsecutiveFailures: 1 },
  };
  test('behavior: names one halt; the signature is worth nothing for the next', async () => {
    const { service: one, world } = service({ prices: [[10, 2_600]], quoteFaults: 1, seconds: 60 });
    const id = await armed(one, halting);
    world.policyIds.push(id);
    world.owner = owner;
    expect(await one.resume(id, await sign(resumePolicyDigest(id, 1)))).toMatchObject({
      refused: 'notHalted',
    });
    await world.run();
    const view = await one.get(id);
    expect(view).toMatchObject({ state: 'halted', haltedEvent: expect.any(Number) });
    const halt = 'haltedEvent' in view ? present(view.haltedEvent, 'halt') : 0;
    expect(await one.resume(id, await sign(resumePolicyDigest(id, halt + 1)))).toMatchObject({
      refused: 'wrongSigner',
    });
    const good = await sign(resumePolicyDigest(id, halt));
    expect(await one.resume(id, good)).toMatchObject({ state: 'armed', haltedEvent: null });
    expect(await one.resume(id, good)).toMatchObject({ state: 'armed' });
  });
});

describe('privacy', () => {
  test('behavior: the public sees a commitment, states and codes; the owner sees all', async () => {
    const { service: one, world } = service({
      prices: [[10, 2_600]],
      signs: ['never'],
      seconds: 20,
    });
    const id = await armed(one, PRIVATE);
    world.policyIds.push(id);
    world.owner = owner;
    await world.run();
    const view = await one.get(id);
    expect(view).toMatchObject({ commitment: commitmentOf(PRIVATE), state: 'proposed' });
    expect(view).toMatchObject({
      document: null,
      lastDecision: null,
      nextAt: null,
      proposal: null,
    });
    const log = await one.decisions(id, 0, 50);
    for (const { data } of log as readonly { data: JsonObject }[]) {
      expect(Object.keys(data).sort()).toEqual(['code', 'from', 'to']);
    }
    expect(await one.proposals(id)).toMatchObject({ refused: 'ownerOnly' });
    const [listed] = await one.list(owner, 5);
    expect(listed).toMatchObject({ document: null });

    const validUntil = world.now + 60;
    const reader = { validUntil, signature: await sign(readPolicyDigest(id, validUntil)) };
    expect(await one.get(id, reader)).toMatchObject({ document: PRIVATE, proposal: {} });
    expect(await one.proposals(id, reader)).toMatchObject([{ policyId: id, response: {} }]);
    const forged = { ...reader, signature: await sign(readPolicyDigest(id, validUntil), stranger) };
    expect(await one.get(id, forged)).toMatchObject({ refused: 'wrongSigner' });
    const old = { ...reader, validUntil: world.now - 1 };
    expect(await one.get(id, old)).toMatchObject({ refused: 'readExpired' });
  });
});

describe('dryRun', () => {
  test('default: says what it would do, and writes nothing', async () => {
    const { service: one, store, world } = service({ prices: [[-1, 2_600]] });
    const before = JSON.stringify(
      [...Object.values(store)].map((v) => (v instanceof Map ? v.size : v)),
    );
    const ran = await one.dryRun({ document: DOCUMENT, owner });
    expect(ran).toMatchObject({
      commitment: commitmentOf(DOCUMENT),
      decision: { kind: 'act', cause: 'threshold' },
      portfolio: { forecast: 'prior' },
      quote: { offered: true },
    });
    const after = JSON.stringify(
      [...Object.values(store)].map((v) => (v instanceof Map ? v.size : v)),
    );
    expect(after).toBe(before);
    expect(await one.list(owner, 5)).toEqual([]);
    const idle = await one.dryRun({
      document: DOCUMENT,
      owner,
      holdings: [
        { chain: 31338, asset: 'WETH', amount: `${10n ** 18n}` },
        { chain: 31339, asset: 'USDC', amount: `${2_600n * 10n ** 6n}` },
      ],
    });
    expect(idle).toMatchObject({ decision: { kind: 'idle' }, quote: null });
    expect(world.violations).toEqual([]);
  });
  test('error: holdings outside the policy', async () => {
    const { service: one } = service();
    const ask = (chain: number, asset: string) =>
      one.dryRun({ document: DOCUMENT, owner, holdings: [{ chain, asset, amount: '1' }] });
    expect(await ask(1, 'WETH')).toMatchObject({ refused: 'unknownChain' });
    expect(await ask(31338, 'DOGE')).toMatchObject({ refused: 'unknownAsset' });
  });
});

describe('drift', () => {
  test('default: weights, distance, turnover and tracking error', async () => {
    const { service: one } = service({ prices: [[-1, 3_000]] });
    const view = await one.drift({ owner, document: { targets: { WETH: '0.5', USDC: '0.5' } } });
    // 10 WETH at 3,000 beside 20,000 dollars: 60 % and 40 %.
    if (!('assets' in view)) throw new Error('refused');
    expect(view.worthUsd).toBeCloseTo(50_000, 6);
    expect(view.inFlightUsd).toBe(0);
    expect(view.largestDrift).toBeCloseTo(0.1, 12);
    expect(view.turnover).toBeCloseTo(0.1, 12);
    expect(view.trackingError).toBeGreaterThan(0);
  });
});
