// The command line's pure parts: where a key may stand and that it is never said, nodes as they are
// written, which order may be signed, which approvals it needs, and the client that follows a log.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  decisionText,
  eventText,
  listText,
  policyText,
} from '../../api/cli/commands/policyText.ts';
import {
  type Allowance,
  approvalText,
  chainsFrom,
  missingOf,
  orderOf,
  proposalText,
  rpcOf,
} from '../../api/cli/commands/proposal.ts';
import { walletOf } from '../../api/cli/commands/wallet.ts';
import { follow, RefusedByService, request, type StreamedEvent } from '../../api/cli/http.ts';
import { main } from '../../api/cli/main.ts';
import { orderMessage, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { Fault, InvalidInput } from '../../solver/types/errors.ts';
import type { Hex } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { NetworkConfig } from '../../solver/types/network.ts';
import type { DecisionView, PolicyView, ProposalView } from '../../solver/types/policyService.ts';

const KEY: Hex = `0x${'42'.repeat(32)}`;
const OWNER = privateKeyToAccount(KEY).address.toLowerCase() as Hex;
const TOKEN: Hex = `0x${'aa'.repeat(20)}`;
const SETTLER: Hex = `0x${'bb'.repeat(20)}`;
const folder = mkdtempSync(join(tmpdir(), 'trimtab-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function refusal(act: () => unknown): InvalidInput {
  try {
    act();
  } catch (error) {
    if (error instanceof InvalidInput) return error;
    throw error;
  }
  throw new Error('was not refused');
}

beforeEach(() => vi.stubEnv('TRIMTAB_PRIVATE_KEY', undefined));
afterEach(() => vi.unstubAllEnvs());

describe('walletOf', () => {
  test('default: hex in a file, with or without 0x, or in the environment', () => {
    for (const text of [KEY, `${KEY}\n`, KEY.slice(2), `  ${KEY} \n`]) {
      expect(walletOf(file('key', text)).address.toLowerCase()).toBe(OWNER);
    }
    vi.stubEnv('TRIMTAB_PRIVATE_KEY', KEY);
    expect(walletOf(undefined).address.toLowerCase()).toBe(OWNER);
  });

  test('behavior: a member of a JSON file, a key itself or an account that has one', () => {
    const accounts = { wallet: { address: OWNER, privateKey: KEY }, plain: KEY };
    const path = file('accounts.json', JSON.stringify(accounts));
    for (const name of ['wallet', 'plain']) {
      expect(walletOf(`${path}#${name}`).address.toLowerCase()).toBe(OWNER);
    }
  });

  test('error: no key, and whatever is none; the key is not said', () => {
    expect(refusal(() => walletOf(undefined)).message).toMatch(/--key-file.*TRIMTAB_PRIVATE_KEY/);
    vi.stubEnv('TRIMTAB_PRIVATE_KEY', '');
    expect(refusal(() => walletOf(undefined)).message).toMatch(/a key is needed/);
    const secret = 'deadbeef'.repeat(8);
    const zero = '0'.repeat(64);
    const cases: readonly (readonly [string, RegExp])[] = [
      [file('empty', ''), /holds no private key/],
      [file('short', secret.slice(2)), /holds no private key: 32 bytes of hex, not zero/],
      [file('long', `${secret}00`), /holds no private key/],
      [file('zero', zero), /holds no private key/],
      [file('above', 'f'.repeat(64)), /holds no private key/],
      [file('words', `my key is ${secret}`), /holds no private key/],
      [file('broken.json', `{"wallet": "${secret}`), /is not JSON/],
      [`${file('broken2.json', `{"wallet": "${secret}`)}#wallet`, /is not JSON/],
      [file('which.json', JSON.stringify({ one: secret, two: secret })), /say which: .*one, two/],
      [`${file('none.json', JSON.stringify({ one: secret }))}#two`, /has no "two"; it has one/],
      [`${file('odd.json', JSON.stringify({ one: [secret.slice(2)] }))}#one`, /no private key/],
      [`${file('null.json', '{"one":null}')}#one`, /no private key/],
      [`${file('text.json', secret)}#one`, /no JSON object/],
      [join(folder, 'nowhere'), /cannot be read \(ENOENT/],
      [folder, /cannot be read \(EISDIR/],
    ];
    for (const [path, says] of cases) {
      const { message, pointer } = refusal(() => walletOf(path));
      expect(message, path).toMatch(says);
      expect(`${pointer} ${message}`).not.toContain(secret.slice(0, 16));
    }
  });
});

describe('rpcOf', () => {
  test('default: a chain id and the address of its node', () => {
    expect(rpcOf('8453=https://node/x?key=a=b')).toEqual([8453, 'https://node/x?key=a=b']);
  });
  test('error: anything else', () => {
    for (const text of [
      '',
      '1',
      '1=',
      '=http://a',
      '1=a',
      '01=http://a',
      '1=ftp://a',
      '1=http://',
    ]) {
      const { pointer, message } = refusal(() => rpcOf(text));
      expect([pointer, message]).toEqual(['--rpc', expect.stringMatching(/such as 31338=http/)]);
    }
  });
});

const order: PortfolioOrder = {
  owner: OWNER,
  nonce: 7n,
  openDeadline: 1_900_000_000,
  fillDeadline: 1_900_000_100,
  expiry: 1_900_000_200,
  auctioneer: `0x${'cc'.repeat(20)}`,
  targets: `0x${'11'.repeat(32)}`,
  origins: [
    {
      chainId: 1n,
      settler: SETTLER,
      oracle: `0x${'dd'.repeat(20)}`,
      inputs: [{ token: TOKEN, amount: 2_500_000n }],
    },
  ],
  outputs: [
    {
      oracle: `0x${'ee'.repeat(32)}`,
      settler: `0x${'ee'.repeat(32)}`,
      chainId: 2n,
      token: `0x${'0'.repeat(24)}${'ff'.repeat(20)}`,
      amount: 3n,
      recipient: `0x${'0'.repeat(24)}${OWNER.slice(2)}`,
      callbackData: '0x',
      context: '0x',
    },
  ],
};
const proposed = (message: unknown, metadata: JsonObject = {}): ProposalView => ({
  policyId: `0x${'ab'.repeat(32)}` as ProposalView['policyId'],
  quoteId: 'q1',
  createdAt: 1_800_000_000,
  validUntil: 1_800_000_300,
  response: {
    order: { payload: { message } } as JsonObject,
    preview: {
      inputs: [
        {
          asset: `0x00010000010114${TOKEN.slice(2)}`,
          symbol: 'USDC',
          chainId: 1,
          amount: '2500000',
        },
      ],
      outputs: [
        {
          asset: `0x00010000010214${'ff'.repeat(20)}`,
          symbol: 'WETH',
          chainId: 2,
          amount: '4',
          minimumAmount: '3',
        },
      ],
    },
    metadata: { totalFeesUsd: '1.25', ...metadata },
  },
});
const network = {
  chains: [
    {
      chainId: 1,
      contracts: { portfolioSettler: SETTLER },
      tokens: [{ address: TOKEN, symbol: 'USDC', decimals: 6 }],
    },
  ],
} as unknown as NetworkConfig;

describe('orderOf', () => {
  test('default: the order that is proposed, whatever the letters of its owner', () => {
    const live = proposed(orderMessage(order));
    expect(orderOf(live, OWNER, network)).toEqual(order);
    expect(orderOf(live, privateKeyToAccount(KEY).address, null)).toEqual(order);
  });

  test('error: none, another’s, one that pays another, other contracts', () => {
    const of =
      (change: Partial<PortfolioOrder>, known = network) =>
      () =>
        orderOf(proposed(orderMessage({ ...order, ...change })), OWNER, known);
    const stranger = `0x${'12'.repeat(20)}` as const;
    expect(() => orderOf(proposed({}), OWNER, null)).toThrow(/cannot be read; nothing was signed/);
    expect(refusal(of({ owner: stranger })).message).toMatch(/the key is 0x.*nothing was signed/);
    const [output] = order.outputs;
    if (output === undefined) throw new Error('no output');
    const elsewhere = { ...output, recipient: `0x${'0'.repeat(24)}${stranger.slice(2)}` as const };
    expect(of({ outputs: [output, elsewhere] })).toThrow(
      /pays 0x0+12.*, not its owner; nothing was/,
    );
    const [origin] = order.origins;
    if (origin === undefined) throw new Error('no origin');
    const odd = { origins: [{ ...origin, settler: stranger }] };
    expect(of(odd)).toThrow(/as settler on chain 1; the network file has another; nothing was/);
  });
});

describe('missingOf', () => {
  const one: Allowance = {
    chainId: 1,
    token: TOKEN,
    spender: SETTLER,
    required: 100n,
    allowance: 99n,
  };
  const approvals = [{ chainId: 1, token: TOKEN.toUpperCase().replace('X', 'x') }];

  test('default: by what the chain says', () => {
    const live = proposed({}, { approvals });
    expect(missingOf([one], live)).toEqual([one]);
    expect(missingOf([{ ...one, allowance: 100n }], live)).toEqual([]);
  });
  test('behavior: by what the service says where no node was asked', () => {
    const unknown = { ...one, allowance: null };
    expect(missingOf([unknown], proposed({}, { approvals }))).toEqual([unknown]);
    expect(missingOf([unknown], proposed({}))).toEqual([]);
  });
  test('behavior: a line names chain, token, spender and amount', () => {
    const line = approvalText({ ...one, required: 2_500_000n }, network);
    expect(line).toBe(
      `chain 1: token ${TOKEN}, spender ${SETTLER}, amount 2500000 (2.5 USDC, 99 now)`,
    );
    expect(approvalText({ ...one, allowance: null }, null)).toMatch(/amount 100 \(base units\)$/);
  });
});

describe('what people read', () => {
  const decision: DecisionView = {
    at: 1_800_000_000,
    mode: 'reduceOnly',
    kind: 'act',
    cause: 'threshold',
    aim: { landing: { BTC: 0.5, CASH: 0.5 }, targets: {}, turnover: 0.1, aversion: null },
    leverage: null,
    hedge: null,
    reasons: [{ code: 'a', message: 'BTC left its band' }],
    skipped: [{ code: 'b', message: 'ETH is too small' }],
    nextAt: 1_800_000_060,
  };
  const view = {
    policyId: 'P',
    state: 'halted',
    note: 'it waits',
    privacy: 'public',
    document: {},
    lastDecision: decision,
    proposal: { quoteId: 'q', validUntil: 1_800_000_300 },
    haltedEvent: 4,
  } as unknown as PolicyView;

  test('a decision: what, where to, why, what not, when next', () => {
    expect(decisionText(decision)).toEqual([
      'acts (threshold), reduceOnly',
      '  to BTC 50.00 %, CASH 50.00 %',
      '  because BTC left its band',
      '  skipped ETH is too small',
      '  looks again at 2027-01-15T08:01:00Z',
    ]);
  });
  test('a policy: its state, and the commands that come next', () => {
    const lines = policyText(view);
    expect(lines.slice(0, 2)).toEqual(['P  halted', 'it waits']);
    expect(lines).toContain('the owner lets it go on: trimtab policy resume P');
    expect(lines.join('\n')).toMatch(
      /until 2027-01-15T08:05:00Z: trimtab policy proposal P --sign/,
    );
    const hidden = { ...view, privacy: 'commitment', document: null, lastDecision: null } as const;
    expect(policyText({ ...hidden, proposal: null, haltedEvent: null })).toEqual([
      'P  halted',
      'it waits',
      'private: its owner’s key shows the rest',
    ]);
    expect(listText([view])).toEqual(['P  halted      it waits']);
    expect(listText([])).toEqual(['no policies']);
  });
  test('an event: its number, time and reason', () => {
    const data = { why: 'signed by its owner' };
    const event = { seq: 9, number: 1, at: 1_800_000_000, type: 'policy.armed', data };
    expect(eventText(event)).toEqual([
      '    1  2027-01-15T08:00:00Z  policy.armed  signed by its owner',
    ]);
  });
  test('a proposal: what is taken and given, in tokens where they are known', () => {
    expect(proposalText(proposed({}), network)).toEqual([
      'quote q1, to be signed before 2027-01-15T08:05:00Z',
      '  takes on chain 1: 2.5 USDC',
      '  gives on chain 2: 4 base units of WETH, at least 3 base units of WETH',
      '  fees $1.25, included',
    ]);
  });
  test('error: a network file that is none', () => {
    const path = file('network.json', '{"version":2}');
    expect(refusal(() => chainsFrom({ rpc: [], network: path })).pointer).toContain(
      'network.json#',
    );
  });
});

describe('the client', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** A service that answers as it is told; resolves to its address. */
  async function serving(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const thrown = (act: Promise<unknown>) =>
    act.then(
      () => null,
      (error: unknown) => error,
    );
  const never = new AbortController().signal;
  async function followed(url: string, signal = never): Promise<readonly StreamedEvent[]> {
    const events: StreamedEvent[] = [];
    for await (const event of follow(url, ({ type }) => type === 'end', signal)) events.push(event);
    return events;
  }
  const eventLine = (seq: number, type = 'more') =>
    `event: ${type}\nid: ${seq}\ndata: ${JSON.stringify({ seq, type, data: {} })}\n\n`;

  test('error: a problem, a page, nothing at all, an address that is none', async () => {
    const problem = await serving((_, reply) => {
      reply.writeHead(409, { 'content-type': 'application/problem+json' });
      reply.end('{"detail":"no","status":409}');
    });
    const refused = (await thrown(request(problem))) as RefusedByService;
    expect([refused.message, refused.problem.status]).toEqual(['no', 409]);
    const page = await serving((request_, reply) => {
      reply.writeHead(request_.url === '/ok' ? 200 : 502);
      reply.end('<h1>proxy</h1>');
    });
    expect(await thrown(request(`${page}/ok`))).toMatchObject({ code: 'notTrimtab' });
    const gone = (await thrown(request(page))) as RefusedByService;
    expect([gone.message, gone.problem.status]).toEqual(['HTTP 502: <h1>proxy</h1>', 502]);
    const silent = await thrown(request('http://127.0.0.1:1/v1'));
    expect(silent).toBeInstanceOf(Fault);
    expect(await thrown(request('nowhere/v1'))).toMatchObject({ pointer: '--api' });
  });

  test('behavior: exit codes by status, the same whichever client a command asks by', async () => {
    const codes: (number | string | undefined)[] = [];
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    for (const status of [400, 404, 429, 503]) {
      const url = await serving((_, reply) => {
        reply.writeHead(status, { 'content-type': 'application/problem+json' });
        reply.end(JSON.stringify({ status, code: 'x', detail: 'no', retryable: false }));
      });
      // By this file's client, and by the SDK's.
      for (const args of [['replay', `0x${'1'.repeat(64)}`], ['chains']]) {
        await main(['node', 'trimtab', ...args, '--api', url]);
        codes.push(process.exitCode);
        process.exitCode = undefined;
      }
    }
    said.mockRestore();
    expect(codes).toEqual([2, 2, 1, 1, 3, 3, 3, 3]);
  });

  test('behavior: a stream that is cut is taken up behind its last event', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serving((asked, reply) => {
      seen.push(asked.headers['last-event-id'] as string | undefined);
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      if (seen.length === 1)
        reply.end(`: hello\n\n${eventLine(3)}${eventLine(4)}id: 5\ndata: {"se`);
      else if (seen.length === 2) reply.write(eventLine(5), () => reply.destroy());
      else reply.end(eventLine(6, 'end'));
    });
    expect((await followed(url)).map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
    expect(seen).toEqual(['0', '4', '5']);
  });

  test('behavior: a log that is over ends; the caller’s word ends it too', async () => {
    const over = await serving((_, reply) => reply.writeHead(204).end());
    expect(await followed(over)).toEqual([]);
    const stop = new AbortController();
    const endless = await serving((_, reply) => {
      reply.writeHead(200).write(eventLine(1), () => stop.abort(new Error('enough')));
    });
    expect(await thrown(followed(endless, stop.signal))).toBeInstanceOf(Error);
    expect(await thrown(followed(endless, stop.signal))).toMatchObject({ message: 'enough' });
  });

  test('error: a refusal is not asked again, nor is a service that never answered', async () => {
    let asked = 0;
    const url = await serving((_, reply) => {
      asked += 1;
      reply.writeHead(403).end('{"status":403,"detail":"private"}');
    });
    expect(await thrown(followed(url))).toBeInstanceOf(RefusedByService);
    expect(asked).toBe(1);
    expect(await thrown(followed('http://127.0.0.1:1/'))).toMatchObject({ code: 'unreachable' });
  });
});
