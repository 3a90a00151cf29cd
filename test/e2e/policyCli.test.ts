// The command line of standing policies as a user meets it: `node api/cli/bin.mjs` as a process of its
// own against a real world, from a first look at a file to a signed and settled rebalance, a halted
// policy that goes on, and the end. Exit codes, one JSON value on stdout, remarks on stderr, no key.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../api/cli/home.ts';
import type { Hex } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import { chainOf, give, type OwnWorld, openOwnWorld } from './harness.ts';
import { proposalOf, readPolicy, settled, waitFor } from './policyWallet.ts';

const PLAIN = { targets: { BTC: '0.5', ETH: '0.3', CASH: '0.2' } };
/** Breakers wide, because the test moves a price by 40 % at once. */
const STEADY = {
  ...PLAIN,
  breakers: { maxMovePerHour: '0.9', drawdown: { window: '1d', max: '0.5' } },
  costs: { maxBps: 100 },
  cooldown: '2s',
};
/** Halts at that move, and waits for its owner. */
const NERVOUS = {
  ...STEADY,
  breakers: { ...STEADY.breakers, drawdown: { window: '1h', max: '0.05' }, resumeAfter: null },
  privacy: 'commitment',
};

let own: OwnWorld;
let keys: string;

interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
type Env = Readonly<Record<string, string>>;

beforeAll(async () => {
  own = await openOwnWorld({});
  keys = join(own.home, 'lab/accounts.json');
  for (const role of ['spare1', 'spare2'] as const) {
    const { address } = own.world.lab.accounts[role];
    await give(own.world, 31338, 'BTC', '1', address);
    await give(own.world, 31339, 'ETH', '10', address);
    await give(own.world, 31340, 'ETH', '8', address);
    await give(own.world, 31340, 'USDC', '38400', address);
  }
});
afterAll(() => own?.close());

/** Ends when the command does; nothing it says may hold a key of the lab. */
async function trimtab(args: readonly string[], env: Env = {}, stopAt?: RegExp): Promise<Said> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [join(projectRoot, 'api/cli/bin.mjs'), ...args], {
    cwd: own.home,
    env: { PATH, HOME, TRIMTAB_HOME: own.home, TRIMTAB_API: own.world.api.url, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
    if (stopAt?.test(stdout)) child.kill('SIGINT');
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const [status] = (await once(child, 'close')) as [number | null];
  for (const { privateKey } of Object.values(own.world.lab.accounts)) {
    expect(`${stdout}${stderr}`).not.toContain(privateKey.slice(2));
  }
  return { status, stdout, stderr };
}

const policy = (...args: readonly string[]) => trimtab(['policy', ...args]);
const as = (role: string) => ['--key-file', `${keys}#${role}`];

/** Exit code 0, nothing on stderr, one JSON value on stdout. */
async function json(...args: readonly string[]): Promise<JsonObject> {
  const said = await trimtab([...args, '--json']);
  expect(said, said.stderr).toMatchObject({ status: 0, stderr: '' });
  return JSON.parse(said.stdout) as JsonObject;
}

/** The exit code, and what stderr says; stdout is left alone. */
async function fails(said: Promise<Said>, status: number, says: RegExp): Promise<void> {
  const { status: code, stdout, stderr } = await said;
  expect(stderr).toMatch(says);
  expect([code, stdout]).toEqual([status, '']);
  expect(stderr, 'no stack trace').not.toMatch(/^\s+at .*:\d+:\d+/m);
}

function file(name: string, content: unknown): string {
  const path = join(own.home, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('before anything is armed', () => {
  test('help says what there is, and how to sign against the lab', async () => {
    const { status, stdout } = await policy('--help');
    expect(status).toBe(0);
    for (const word of ['check', 'dry-run', 'arm', 'list', 'show', 'decisions', 'proposal']) {
      expect(stdout).toContain(word);
    }
    expect(stdout).toMatch(/accounts\.json#wallet/);
    expect(stdout).toMatch(/docs\/policy\.md/);
    await fails(policy('amr'), 2, /Did you mean arm/);
  });

  test('check: all that is wrong at once, or the policy', async () => {
    const wrong = { targets: { BTC: '0.5', CASH: '0.4' }, cooldwn: '1h', combine: 'all' };
    const bad = file('bad.json', wrong);
    const listed = policy('check', bad);
    await fails(listed, 2, /bad\.json#\/targets: weights sum to 0\.9, not 1; add 0\.1/);
    expect((await listed).stderr).toMatch(/#\/cooldwn: unknown field .*did you mean "cooldown"/);
    const asJson = await policy('check', bad, '--json');
    expect(asJson.status).toBe(2);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ policy: null, problems: [{}, {}] });
    const good = await json('policy', 'check', file('plain.json', PLAIN));
    expect(good).toMatchObject({ policy: { assets: ['BTC', 'ETH', 'CASH'] }, problems: [] });
    const twice = '{"targets":{"BTC":"0.5","BTC":"0.5"}}';
    await fails(
      policy('check', file('twice.json', twice)),
      2,
      /twice\.json#\/targets\/BTC: .*twice/,
    );
    await fails(policy('check', 'nowhere.json'), 2, /nowhere\.json: cannot be read/);
    await fails(policy('check', file('no.json', 'targets:')), 2, /no\.json.*: not JSON/);
  });

  test('drift and dry-run: numbers and reasons, by key or by address', async () => {
    const plain = file('plain.json', PLAIN);
    const { address } = own.world.lab.accounts.spare1;
    const drift = await json('drift', plain, ...as('spare1'));
    expect(drift).toMatchObject({ assets: [{ asset: 'BTC' }, {}, {}], inFlightUsd: 0 });
    expect(drift.largestDrift).toBeLessThan(0.02);
    const said = await policy('dry-run', plain, '--owner', address);
    expect(said).toMatchObject({ status: 0, stderr: '' });
    expect(said.stdout).toMatch(/^worth \$\d+.*\nBTC .*target +50\.00 %/);
    expect(said.stdout).toMatch(/waits\n {2}because .*band/i);
    expect(said.stdout).toMatch(/nothing was written/);
    await fails(policy('dry-run', plain), 2, /whose portfolio\? give --owner, --key-file/);
    const doge = file('doge.json', { targets: { BTC: '0.5', DOGE: '0.5' } });
    await fails(policy('dry-run', doge, '--owner', address), 1, /\/document\/targets\/DOGE: /);
    await fails(policy('list', '--owner', 'me&x=1'), 2, /Send ERC-7930/);
    expect(await json('policy', 'list', '--owner', address)).toEqual({ policies: [] });
  });

  test('keys: none, no file, no key in it, several in it', async () => {
    const plain = file('plain.json', PLAIN);
    const arm = (...more: readonly string[]) => policy('arm', plain, ...more);
    await fails(arm(), 2, /a key is needed to sign; give --key-file, or set TRIMTAB_PRIVATE_KEY/);
    await fails(arm('--key-file', 'nokey'), 2, /nokey: cannot be read/);
    const key = 'ab'.repeat(31);
    const short = arm('--key-file', file('short', key));
    await fails(short, 2, /short: holds no private key: 32 bytes of hex/);
    expect((await short).stderr).not.toContain(key);
    await fails(arm('--key-file', keys), 2, /say which: .*accounts\.json#<name>, of deployer/);
    await fails(arm('--key-file', `${keys}#walet`), 2, /has no "walet"; it has deployer/);
    const env = { TRIMTAB_PRIVATE_KEY: '0x00' };
    await fails(trimtab(['policy', 'arm', plain], env), 2, /TRIMTAB_PRIVATE_KEY: holds no private/);
  });

  test('services: none there, another one there, an address that is none', async () => {
    const plain = file('plain.json', PLAIN);
    const at = (api: string) => policy('dry-run', plain, ...as('spare1'), '--api', api);
    await fails(at('http://127.0.0.1:1'), 3, /no answer from http:\/\/127\.0\.0\.1:1; is `trimtab/);
    await fails(at('localhost:8787'), 2, /--api: is no http address/);
    const server = createServer((_, response) => response.end('<h1>hello</h1>'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      await fails(at(`http://127.0.0.1:${port}/`), 3, /answered with no JSON; is it trimtab/);
    } finally {
      server.close();
    }
  });

  test('backtest: a result, or the line that is wrong', async () => {
    const plain = file('plain.json', PLAIN);
    const start = Date.UTC(2024, 0, 1) / 1000;
    const rows = Array.from({ length: 2_000 }, (_, k) => {
      const wave = Math.sin(k / 37) + Math.sin(k / 5);
      return `${start + 3600 * k},${(40_000 * (1 + 0.04 * wave)).toFixed(2)},${(2_500 * (1 - 0.05 * wave)).toFixed(2)}`;
    });
    const csv = (lines: readonly string[]) => ['timestamp,BTC,ETH', ...lines].join('\n');
    const good = file('prices.csv', csv(rows));
    const said = await trimtab(['backtest', plain, good, '--frontier', '0.02', '--json']);
    expect(said.status, said.stderr).toBe(0);
    expect(JSON.parse(said.stdout)).toMatchObject({ policy: {}, frontier: [{ te: 0.02 }] });
    const gap = file('gap.csv', csv(rows.toSpliced(9, 1)));
    await fails(trimtab(['backtest', plain, gap]), 2, /line 11/);
  });
});

describe('a policy’s life', () => {
  let steady: Hex;
  let nervous: Hex;

  test('arm: once, whatever is sent again; the log tells why it waits', async () => {
    const path = file('steady.json', STEADY);
    const first = await json('policy', 'arm', path, ...as('spare1'));
    expect(first.created).toBe(true);
    steady = first.policyId as Hex;
    const again = await policy('arm', path, ...as('spare1'));
    expect(again).toMatchObject({ status: 0, stderr: '' });
    expect(again.stdout).toContain(`: ${steady}\n`);
    expect(again.stdout).toMatch(/^armed before, /);
    await fails(
      policy('arm', path, '--nonce', '1.5', ...as('spare1')),
      2,
      /--nonce: takes a whole/,
    );
    const over = policy('arm', path, '--expires', '2020-01-01', ...as('spare1'));
    await fails(over, 1, /\/expires: expires lies \d+ s back/);
    await fails(policy('arm', path, '--expires', 'soon', ...as('spare1')), 2, /--expires: no such/);
    const { policies } = await json('policy', 'list', ...as('spare1'));
    expect(policies).toMatchObject([{ policyId: steady }]);

    await waitFor(own.world, steady, ({ type }) => type === 'policy.idle');
    const { decisions } = await json('policy', 'decisions', steady);
    expect(decisions).toMatchObject([{ number: 1, type: 'policy.armed' }, { number: 2 }]);
    const shown = await policy('show', steady);
    expect(shown.stdout).toMatch(/idle\n.*\nwaits\n {2}because /);
    const follow = ['policy', 'decisions', steady, '--follow'];
    const followed = await trimtab(follow, {}, /policy\.idle/);
    expect(followed.stdout).toMatch(/ 1 .*policy\.armed {2}signed by its owner\n/);
    expect([followed.status, followed.stderr]).toEqual([0, '']);

    const none = await policy('proposal', steady);
    expect(none).toMatchObject({ status: 0, stdout: 'nothing is proposed now\n' });
    const sign = policy('proposal', steady, '--sign', ...as('spare1'));
    await fails(sign, 1, /nothing is proposed now, so nothing was signed/);
  });

  test('proposal: which approvals are missing, then approved, signed, settled', async () => {
    const armed = await json('policy', 'arm', file('nervous.json', NERVOUS), ...as('spare2'));
    nervous = armed.policyId as Hex;
    await waitFor(own.world, nervous, ({ type }) => type === 'policy.idle');
    const { assets } = await json('drift', file('plain.json', PLAIN), ...as('spare1'));
    const [, eth] = assets as unknown as readonly { priceUsd: number }[];
    await own.world.lab.control.movePrice('ETH', 0.6 * (eth?.priceUsd ?? 0));
    await waitFor(own.world, steady, ({ type }) => type === 'policy.proposed');

    const shown = await policy('proposal', steady);
    expect(shown.stdout).toMatch(/^quote \S+, to be signed before 20.*Z\n/);
    expect(shown.stdout).toMatch(/takes on chain 313\d\d: [\d.]+ \w+\n/);
    expect(shown.stdout).toMatch(/gives on chain 313\d\d: [\d.]+ \w+, at least [\d.]+ \w+\n/);

    const sign = (...more: readonly string[]) =>
      policy('proposal', steady, '--sign', '--json', ...more);
    const { portfolioSettler } = chainOf(own.world.lab.network, 31338).contracts;
    const missing = sign(...as('spare1'));
    await fails(missing, 1, /approvals are missing; nothing was signed\n.*--approve/);
    expect((await missing).stderr).toMatch(
      /approval missing: chain 313\d\d: token 0x[0-9a-f]{40}, spender 0x[0-9a-f]{40}, amount \d+ \(/,
    );
    expect((await missing).stderr).toContain(portfolioSettler);
    await fails(sign(...as('spare2')), 2, /the key is 0x\w+'s, the proposed order 0x\w+'s/);
    await fails(policy('proposal', steady, '--approve'), 2, /--approve: .*add --sign/);
    await fails(sign(...as('spare1'), '--rpc', '31338'), 2, /--rpc: takes chainId=url/);

    // Without a node of its own the wallet has the service's word alone, and its refusal.
    const blind = { TRIMTAB_HOME: join(own.home, 'elsewhere') };
    const args = ['policy', 'proposal', steady, '--sign', '--json', ...as('spare1')];
    await fails(trimtab(args, blind), 1, /approval may be missing: [\s\S]*error: .*approve 0x/);
    await fails(trimtab([...args, '--approve'], blind), 2, /a node of chain 313\d\d is needed/);
    const { rpcUrl } = chainOf(own.world.lab.network, 31339);
    const crossed = ['31338', '31339', '31340'].flatMap((id) => ['--rpc', `${id}=${rpcUrl}`]);
    await fails(
      sign(...as('spare1'), ...crossed),
      2,
      /the node given for chain 313\d\d is of chain/,
    );
    expect((await proposalOf(own.world, steady))?.quoteId).toBeDefined();

    const signed = await sign(...as('spare1'), '--approve');
    expect(signed.status, signed.stderr).toBe(0);
    expect(signed.stderr).toMatch(/approved on chain 313\d\d: \d+ of 0x/);
    const { orderId } = JSON.parse(signed.stdout) as { orderId: Hex };
    await settled(own.world, orderId);
    await waitFor(own.world, steady, ({ type }) => type === 'policy.settled');
    const log = await policy('decisions', steady);
    expect(log.stdout).toMatch(/policy\.proposed[\s\S]*policy\.committed[\s\S]*policy\.settled/);
  });

  test('resume: a halted, private policy goes on by its owner’s word', async () => {
    await waitFor(own.world, nervous, ({ type }) => type === 'policy.halted');
    const shut = await policy('show', nervous);
    expect(shut.stdout).toMatch(/halted\n[\s\S]*private: its owner’s key shows the rest/);
    expect(shut.stdout).not.toMatch(/drawdown/);
    await fails(policy('proposal', nervous), 1, /private[\s\S]*ReadPolicy/);
    const open = await policy('show', nervous, ...as('spare2'));
    expect(open.stdout).toMatch(/because .*peak|because .*drawdown|because .*fell/i);
    expect(open.stdout).toContain(`trimtab policy resume ${nervous}`);
    await fails(policy('resume', nervous, ...as('spare1')), 1, /not the owner’s/);
    const going = await policy('resume', nervous, ...as('spare2'));
    expect(going).toMatchObject({ status: 0, stderr: '' });
    expect(going.stdout).toContain(`${nervous}  armed`);
    await fails(policy('resume', nervous, ...as('spare2')), 1, /there is nothing to resume/);
    await waitFor(own.world, nervous, ({ type, number }) => number > 3 && type !== 'policy.halted');
    expect((await readPolicy(own.world, nervous)).state).not.toBe('halted');
  });

  test('revoke: for good, and arming it again says so', async () => {
    await fails(policy('revoke', steady, ...as('spare2')), 1, /not the owner’s/);
    const revoked = await json('policy', 'revoke', steady, ...as('spare1'));
    expect(revoked.state).toBe('revoked');
    expect((await json('policy', 'revoke', steady, ...as('spare1'))).state).toBe('revoked');
    const again = await policy('arm', file('steady.json', STEADY), ...as('spare1'));
    expect(again, again.stderr).toMatchObject({
      status: 1,
      stdout: `armed before, revoked now: ${steady}\n`,
    });
    expect(again.stderr).toMatch(/give another --nonce/);
    await fails(policy('resume', steady, ...as('spare1')), 1, /revoked: there is nothing/);
    const unknown = `0x${'0'.repeat(64)}`;
    await fails(policy('show', unknown), 1, /no such policy\n.*Check the policy id/);
    await fails(policy('show', '0x12'), 2, /0x12: is not a policy id/);
    const ended = await policy('decisions', steady, '--follow', '--json');
    expect(ended.status).toBe(0);
    const lines = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonObject);
    expect(lines.at(-1)?.type).toBe('policy.revoked');
  });
});
