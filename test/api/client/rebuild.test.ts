// A dishonest service cannot swap the message: every field of a real quote's typed data is altered in
// every way that keeps it readable, and then the preview along with it, as a clever one would.

import { readFileSync } from 'node:fs';
import { hashTypedData } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import {
  checkQuote,
  LIMITS,
  type Network,
  type Quote,
  type QuoteRequest,
  rebuildOrder,
  signOrder,
  TrimtabError,
} from '../../../api/client/index.ts';
import { orderDigest } from '../../../contracts-abi/typedData.ts';
import { interoperable } from '../../../solver/types/interop.ts';

// Recorded by `npx tsx test/api/recordQuote.ts`.
const text = readFileSync(new URL('../data/quote.json', import.meta.url), 'utf8');
interface Recorded {
  readonly request: QuoteRequest;
  readonly quote: Quote;
  readonly network: Network;
}
const recorded = (): Recorded => JSON.parse(text) as Recorded;
const { request, quote, network } = recorded();
const asked = { owner: request.user, intent: request.intent };
const rules = { now: quote.validUntil - 50 };

function refusal(act: () => unknown): TrimtabError {
  try {
    act();
  } catch (error) {
    if (error instanceof TrimtabError) return error;
    throw error;
  }
  throw new Error('was not refused');
}
/** What the SDK says to the recorded quote once `change` has been made to it. */
const refused = (change: (quote: Quote & Loose) => void): TrimtabError => {
  const altered = recorded().quote as Quote & Loose;
  change(altered);
  return refusal(() => rebuildOrder(asked, altered, network, rules));
};
// biome-ignore lint/suspicious/noExplicitAny: altered at will
type Loose = Record<string, any>;

type Path = readonly (string | number)[];
function leaves(value: unknown, path: Path = []): readonly (readonly [Path, unknown])[] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}
function put(root: Loose, path: Path, value: unknown): void {
  const last = path.at(-1) as string;
  const parent = path.slice(0, -1).reduce((at: Loose, key) => at[key], root);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
}
const pointerOf = (path: Path) => `/${path.join('/')}`;

/** Other values of the same shape, and of none. */
function otherValues(value: unknown): readonly unknown[] {
  if (typeof value === 'number') return [0, value + 1, value - 1, value * 2, -1, `${value}`, null];
  if (typeof value !== 'string') return [null, 'x', 0];
  const odd = [undefined, null, '', `${value}0`, 7];
  if (/^0x[0-9a-f]*$/.test(value)) {
    const flip = (at: number) =>
      `${value.slice(0, at)}${value[at] === '1' ? '2' : '1'}${value.slice(at + 1)}`;
    if (value === '0x') return [...odd, '0x00', `0x${'ab'.repeat(40)}`];
    return [...odd, flip(2), flip(value.length - 1), `0x${'0'.repeat(value.length - 2)}`];
  }
  if (/^[0-9]+$/.test(value)) {
    const number = BigInt(value);
    return [...odd, `${number + 1n}`, `${number - 1n}`, '0', `${2n ** 256n - 1n}`, Number(value)];
  }
  return [...odd, value.toUpperCase() === value ? value.toLowerCase() : value.toUpperCase()];
}

/** May differ and still be the order that was asked for: the nonce, and times within LIMITS. */
const FREE = new Set(['nonce', 'openDeadline', 'fillDeadline', 'expiry']);

describe('rebuildOrder', () => {
  test('default: a real quote, as it was asked for, hashes to what the service asks to sign', () => {
    const { order, orderId, payload } = rebuildOrder(asked, quote, network, rules);
    expect(payload.message).toEqual(quote.order.payload.message);
    const theirs = hashTypedData(quote.order.payload as Parameters<typeof hashTypedData>[0]);
    expect(orderDigest(order)).toBe(theirs);
    expect(orderId).toMatch(/^0x[0-9a-f]{64}$/);
  });

  test('error: every field of the payload, altered every way, is refused at its pointer', () => {
    let tried = 0;
    for (const [path, value] of leaves(quote.order.payload)) {
      for (const other of otherValues(value)) {
        const free = path[0] === 'message' && path.length === 2 && FREE.has(`${path[1]}`);
        if (free && typeof other === typeof value && other !== '') continue;
        const where = pointerOf(['order', 'payload', ...path]);
        const said = refused((altered) => put(altered.order.payload, path, other));
        expect(said.code, where).toBe('mismatch');
        expect(said.message).toContain('nothing was signed');
        // At the field, or at what contains it or follows from it.
        expect(said.pointer, where).toMatch(/^\/order/);
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(700);
  });

  test('error: a member added anywhere, or an item taken out, doubled or moved', () => {
    const containers: Path[] = [];
    const visit = (value: unknown, path: Path) => {
      if (typeof value !== 'object' || value === null) return;
      containers.push(path);
      for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
    };
    visit(quote.order.payload, []);
    for (const path of containers) {
      const reach = (altered: Loose) =>
        path.reduce((at: Loose, key) => at[key], altered.order.payload);
      const attempts: ((at: Loose) => void)[] = Array.isArray(reach(recorded().quote))
        ? [
            (at) => at.pop(),
            (at) => at.push(structuredClone(at[0])),
            (at) => at.push({ name: 'more', type: 'uint256' }),
            ...(reach(recorded().quote).length > 1 ? [(at: Loose) => at.reverse()] : []),
          ]
        : [(at) => Object.assign(at, { more: '1' })];
      for (const attempt of attempts) {
        const said = refused((altered) => attempt(reach(altered)));
        expect(said.code, pointerOf(path)).toBe('mismatch');
      }
    }
  });

  test('error: payload and preview altered together, as a clever service would', () => {
    const message = (altered: Loose) => altered.order.payload.message;
    const thief = `0x${'9'.repeat(40)}`;
    const padded = `0x${thief.slice(2).padStart(64, '0')}`;
    const said = (change: (altered: Loose) => void) => refused(change).message;
    expect(
      said((altered) => {
        message(altered).outputs[0].recipient = padded;
        altered.preview.outputs[0].receiver = interoperable(31338, thief);
      }),
    ).toContain('not the owner’s');
    expect(
      said((altered) => {
        message(altered).outputs[0].token = padded;
        altered.preview.outputs[0].asset = interoperable(31338, thief);
      }),
    ).toContain('no token that the network lists');
    expect(
      said((altered) => {
        altered.preview.outputs[0].minimumAmount = '1';
        message(altered).outputs[0].amount = '1';
      }),
    ).toContain('slippage');
    expect(
      said((altered) => {
        for (const [i, output] of altered.preview.outputs.entries()) {
          output.amount = '1000';
          output.minimumAmount = '997';
          message(altered).outputs[i].amount = '997';
        }
      }),
    ).toMatch(/promises \d+ bps less than it takes/);
    expect(
      said((altered) => {
        message(altered).origins[0].settler = thief;
        for (const approval of altered.metadata.approvals) {
          if (approval.chainId === 31338) approval.spender = thief;
        }
      }),
    ).toContain(thief);
  });

  test('error: a token that is not in scope, on a chain that is not, or in no target', () => {
    const { intent } = request;
    if (intent.intentType !== 'rebalance') throw new Error('a rebalance was recorded');
    const under = (change: object) =>
      refusal(() =>
        rebuildOrder({ ...asked, intent: { ...intent, ...change } }, quote, network, rules),
      ).message;
    expect(under({ scope: { chains: [31338, 31339] } })).toContain('chain 31340 is not in scope');
    expect(under({ scope: undefined })).toContain('LINK is not in scope');
    const [, ...others] = intent.targets;
    expect(under({ targets: [{ asset: 'LINK', weightBps: 5000 }, ...others] })).toContain(
      'is in no target',
    );
    expect(under({ maxSlippageBps: 10 })).toContain('slippage');
    const holdings = [{ chain: 31338, asset: 'USDC', amount: '1' }];
    expect(under({ holdings })).toContain('holdings');
    // The targets are signed by their hash.
    const swapped = intent.targets.map((target) =>
      target.weightBps === 5000 ? { ...target, weightBps: 4000 } : target,
    );
    expect(under({ targets: swapped })).toContain('what was asked for');
  });

  test('error: another owner, an order of another type, another network', () => {
    const whose = (owner: string) =>
      refusal(() => rebuildOrder({ ...asked, owner }, quote, network, rules));
    expect(whose(`0x${'12'.repeat(20)}`).code).toBe('mismatch');
    expect(whose('wallet.eth').message).toContain('is no address');
    expect(
      refused((altered) => put(altered, ['order', 'type'], 'oif-resource-lock-v0')).pointer,
    ).toBe('/order/type');
    for (const [path] of leaves(network.chains[0]?.contracts)) {
      const name = `${path[0]}`;
      if (!['portfolioSettler', 'layerZeroOracle', 'outputSettler'].includes(name)) continue;
      const pinned = structuredClone(network) as Loose;
      pinned.chains[0].contracts[name] = `0x${'34'.repeat(20)}`;
      const said = refusal(() => rebuildOrder(asked, quote, pinned as Network, rules));
      expect(said.code, name).toBe('mismatch');
    }
    const other = { ...network, auctioneer: `0x${'56'.repeat(20)}` };
    expect(refusal(() => rebuildOrder(asked, quote, other, rules)).pointer).toBe(
      '/order/payload/message/auctioneer',
    );
  });

  test('error: times that hold the money too long, or end before a fill could be proven', () => {
    const { openDeadline, fillDeadline, expiry } = quote.order.payload.message;
    const times = (change: object) =>
      refused((altered) => Object.assign(altered.order.payload.message, change)).pointer;
    const at = '/order/payload/message';
    expect(times({ openDeadline: openDeadline + LIMITS.openSeconds })).toMatch(at);
    expect(times({ openDeadline: quote.validUntil - 1 })).toBe(`${at}/openDeadline`);
    const later = fillDeadline + LIMITS.fillSeconds;
    expect(times({ fillDeadline: later, expiry: later + 10_000 })).toBe(`${at}/fillDeadline`);
    expect(times({ expiry: expiry + LIMITS.proofSlackSeconds })).toBe(`${at}/expiry`);
    expect(times({ expiry: fillDeadline + 1 })).toBe(`${at}/expiry`);
    const late = refusal(() => rebuildOrder(asked, quote, network, { now: quote.validUntil }));
    expect(late.pointer).toBe('/validUntil');
    const slow = { ...network, minProofWindowSeconds: LIMITS.proofWindowSeconds + 1 };
    expect(refusal(() => rebuildOrder(asked, quote, slow, rules)).pointer).toBe(`${at}/expiry`);
  });

  test('error: an approval of something else', () => {
    for (const [path, value] of leaves(quote.metadata.approvals[0])) {
      if (['symbol', 'allowance'].includes(`${path[0]}`)) continue;
      const other = typeof value === 'number' ? 31340 : otherValues(value).at(-1);
      const said = refused((altered) => put(altered.metadata.approvals[0] as Loose, path, other));
      expect(said.pointer).toBe('/metadata/approvals/0');
    }
  });

  test('error: whatever else is altered or missing, it is refused or does not matter', () => {
    const message = JSON.stringify(rebuildOrder(asked, quote, network, rules).payload);
    const { preview, metadata, validUntil, quoteId } = quote;
    const { approvals, certificate } = metadata;
    const parts = { preview, metadata: { approvals, certificate }, validUntil, quoteId };
    let counted = 0;
    for (const [path, value] of leaves(parts)) {
      for (const other of otherValues(value)) {
        const altered = recorded().quote;
        put(altered, path, other);
        try {
          const rebuilt = rebuildOrder(asked, altered, network, rules);
          expect(JSON.stringify(rebuilt.payload)).toBe(message);
        } catch (error) {
          expect(error, pointerOf(path)).toBeInstanceOf(TrimtabError);
          counted += 1;
        }
      }
    }
    expect(counted).toBeGreaterThan(250);
  });

  test('behavior: prices of one’s own decide what is lost', () => {
    const prices = { BTC: '60000', ETH: '3000', USDC: '1', LINK: '15' };
    const loss = (change: object) => () =>
      rebuildOrder(asked, quote, network, { ...rules, prices: { ...prices, ...change } });
    expect(refusal(loss({ USDC: '0.001', ETH: '0.001', BTC: '0.1' })).message).toContain(
      'bps less',
    );
    expect(refusal(loss({ LINK: undefined as unknown as string })).message).toContain('no price');
    const strict = refusal(() => rebuildOrder(asked, quote, network, { ...rules, maxLossBps: 1 }));
    expect(strict.pointer).toBe('/preview/outputs');
  });
});

describe('signOrder', () => {
  test('error: a quote touched after it was checked, and a wallet of somebody else', async () => {
    const offer = checkQuote(asked, recorded().quote, network, rules);
    const account = privateKeyToAccount(`0x${'42'.repeat(32)}`);
    const wallet = { account } as unknown as Parameters<typeof signOrder>[0];
    await expect(signOrder(wallet, offer)).rejects.toThrow('the order’s owner');
    const touched = offer.quote.order.payload.message as Loose;
    touched.owner = account.address.toLowerCase();
    await expect(signOrder(wallet, offer)).rejects.toThrow('nothing was signed');
  });
});
