// Strangers' paths, on one lab: the packed SDK and command in a clean folder, fifteen lines of viem,
// curl as docs/api.md has it, a browser, and a client that a third-party generator made of the live
// OpenAPI document.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../api/cli/home.ts';
import {
  cancelOrder,
  getCertificate,
  listOrders,
  quoteSwap,
  signOrder,
  trimtab,
  verifyCertificate,
} from '../../api/client/index.ts';
import { findChromium, startChromium } from '../browser/chromium.ts';
import { chainOf, clientOf, give, type OwnWorld, openOwnWorld } from './harness.ts';

const run = promisify(execFile);
const chromium = findChromium();

let own: OwnWorld;
/** A folder of a stranger's: the package unpacked into it, with what it depends on and nothing else. */
let folder: string;

beforeAll(async () => {
  own = await openOwnWorld({});
  folder = await mkdtemp(join(tmpdir(), 'trimtab-stranger-'));
  await install(folder);
});
afterAll(async () => {
  await own?.close();
  await rm(folder, { recursive: true, force: true });
});

async function install(into: string): Promise<void> {
  const npm = join(dirname(process.execPath), 'npm');
  await run(npm, ['pack', '--pack-destination', into], { cwd: projectRoot, timeout: 120_000 });
  const tarball = (await readdir(into)).find((name) => name.endsWith('.tgz')) ?? '';
  const modules = join(into, 'node_modules');
  await mkdir(join(modules, 'trimtab'), { recursive: true });
  await run('tar', [
    'xzf',
    join(into, tarball),
    '-C',
    join(modules, 'trimtab'),
    '--strip-components=1',
  ]);
  const manifest = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  // As npm would put them there; what is only a development dependency is not.
  for (const name of Object.keys(manifest.dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(projectRoot, 'node_modules', name), join(modules, name));
  }
  await writeFile(join(into, 'package.json'), '{ "type": "module" }');
}

/** The first block of that language in a page, behind `after`. */
async function snippet(page: string, language: string, after: string): Promise<string> {
  const text = await readFile(join(projectRoot, page), 'utf8');
  const rest = text.slice(text.indexOf(after));
  const [, code] = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(rest) ?? [];
  expect(code, `${page}: ${language} behind ${after}`).toBeDefined();
  return code ?? '';
}

const trimtabBin = () => join(folder, 'node_modules/trimtab/api/cli/bin.mjs');

describe('a clean folder with the packed package', () => {
  test('fifteen lines of viem: quoted, checked, approved, signed, followed to its end', async () => {
    const code = await snippet('docs/sdk.md', 'js', '# The SDK');
    const lines = code.split('\n').filter((line) => /\S/.test(line));
    expect(lines.length).toBeLessThanOrEqual(15);
    const key = own.world.lab.accounts.wallet.privateKey;
    await writeFile(join(folder, 'order.mjs'), code);
    const { stdout } = await run(process.execPath, ['order.mjs'], {
      cwd: folder,
      timeout: 150_000,
      env: { ...process.env, TRIMTAB_API: own.world.api.url, PRIVATE_KEY: key },
    });
    expect(stdout).toContain('order.settled');
  });

  test('the command runs from there, and answers as its page says', async () => {
    const env = { ...process.env, TRIMTAB_API: own.world.api.url };
    const command = (...args: string[]) =>
      run(process.execPath, [trimtabBin(), ...args], { cwd: folder, env, timeout: 60_000 });
    const { stdout: chains } = await command('chains', '--json');
    expect((JSON.parse(chains) as { chains: unknown[] }).chains).toHaveLength(3);
    const owner = own.world.lab.accounts.wallet.address;
    const { stdout: quoted } = await command(
      'quote',
      'ETH=80',
      'USDC=20',
      '--owner',
      owner,
      '--explain',
      '--json',
    );
    const { verified, explanation } = JSON.parse(quoted) as {
      verified: boolean;
      explanation: { made: unknown[]; skipped: unknown[] };
    };
    expect(verified).toBe(true);
    expect(explanation.made.length).toBeGreaterThan(0);
    const bad = await command('quote', 'ETH=90').catch((error: { code: number }) => error);
    expect('code' in bad && bad.code).toBe(2);
    const unknown = await command('watch', `0x${'12'.repeat(32)}`).catch(
      (e: { code: number }) => e,
    );
    expect('code' in unknown && unknown.code).toBe(1);
    // What only a checkout has says so.
    const bench = await command('bench', 'risk').catch((error: { code: number }) => error);
    expect(bench).toMatchObject({ code: 3, stderr: expect.stringContaining('from a checkout') });
  });

  test.skipIf('missing' in chromium)('a page in a browser quotes and verifies', async () => {
    const page = `
      import { getCertificate, quoteRebalance, trimtab, verifyCertificate } from 'trimtab/client';
      globalThis.ask = async (url, account) => {
        const api = trimtab({ url });
        const targets = [{ asset: 'ETH', weightBps: 7000 }, { asset: 'USDC', weightBps: 3000 }];
        const offer = await quoteRebalance(api, { account, targets });
        const files = await getCertificate(api, offer);
        return [offer.orderId, verifyCertificate(offer.quote, files).gapBps];
      };`;
    const { outputFiles } = await build({
      stdin: { contents: page, resolveDir: folder },
      bundle: true,
      format: 'iife',
      platform: 'browser',
      write: false,
      logLevel: 'error',
    });
    const script = outputFiles[0]?.text ?? '';
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const browser = await startChromium('path' in chromium ? chromium.path : '');
    try {
      const tab = await browser.newPage();
      await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await tab.addScriptTag({ content: script });
      const { api, lab } = own.world;
      const [orderId, gapBps] = (await tab.evaluate(
        ([url, account]) =>
          (globalThis as unknown as { ask(...args: unknown[]): Promise<string[]> }).ask(
            url,
            account,
          ),
        [api.url, lab.accounts.wallet.address] as const,
      )) as [string, string];
      expect(orderId).toMatch(/^0x[0-9a-f]{64}$/);
      expect(Number(gapBps)).toBeLessThan(5);
    } finally {
      await browser.close();
      server.close();
    }
  });
});

test('curl, from quote to server-sent events, exactly as docs/api.md has it', async () => {
  const { world } = own;
  const account = privateKeyToAccount(world.lab.accounts.spare1.privateKey);
  await give(world, 31338, 'USDC', '20000', account.address);
  const local = (code: string) =>
    code
      .replaceAll('localhost:8787', new URL(world.api.url).host)
      .replaceAll('0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc', account.address)
      // A machine without jq reads the same member with node.
      .replace(
        "jq -r '.quotes[0].quoteId' quote.json",
        'node -p "JSON.parse(fs.readFileSync(\'quote.json\')).quotes[0].quoteId"',
      );
  const shell = async (code: string, env: object = {}) => {
    const options = { cwd: folder, timeout: 150_000, env: { ...process.env, ...env } };
    return (await run('bash', ['-euc', local(code)], options)).stdout;
  };
  const page = 'docs/api.md';
  expect(await shell(await snippet(page, 'sh', '## A walk with curl'))).toContain('assets');
  await shell(await snippet(page, 'sh', 'Ask for 40 % ETH'));
  const { quotes } = JSON.parse(await readFile(join(folder, 'quote.json'), 'utf8')) as {
    quotes: { order: { payload: never; type: string }; metadata: { approvals: Approval[] } }[];
  };
  const [quote] = quotes;
  for (const { chainId, token, spender, required } of quote?.metadata.approvals ?? []) {
    const client = clientOf(chainOf(world.lab.network, chainId), account);
    const hash = await client.writeContract({
      chain: null,
      address: token,
      abi: [APPROVE],
      functionName: 'approve',
      args: [spender, BigInt(required)],
    });
    await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
  }
  const signature = await account.signTypedData(quote?.order.payload as never);
  const walk = await snippet(page, 'sh', 'eth_signTypedData_v4');
  // What a person copies out of the answer, the shell does here.
  const [, post = ''] = /(curl -s localhost:8787\/v1\/orders -H[\s\S]*?\}")\n/.exec(walk) ?? [];
  expect(post).not.toBe('');
  const copied = `ORDER_ID=$(${post} | grep -o '"orderId":"0x[0-9a-f]*"' | head -1 | cut -d'"' -f4)`;
  const out = await shell(
    walk.replace(post, () => copied),
    { SIGNATURE: signature },
  );
  expect(out).toContain('event: order.settled');
  expect(out).toContain('"status":"finalized"');
  const verdict = await snippet(page, 'sh', 'Check the plan without trusting us');
  const { quoteId } = quote as unknown as { quoteId: string };
  const checked = verdict.replace('npx trimtab', `node ${trimtabBin()}`);
  expect(await shell(`ID=${quoteId}\n${checked}`)).toContain('verified');
});

interface Approval {
  readonly chainId: number;
  readonly token: `0x${string}`;
  readonly spender: `0x${string}`;
  readonly required: string;
}
const APPROVE = {
  type: 'function',
  name: 'approve',
  stateMutability: 'nonpayable',
  inputs: [
    { name: 'spender', type: 'address' },
    { name: 'amount', type: 'uint256' },
  ],
  outputs: [{ type: 'bool' }],
} as const;

test('the SDK rebuilds OIF swaps in both order types; orders are listed and called back', async () => {
  const { world } = own;
  const api = trimtab({ url: world.api.url });
  const account = privateKeyToAccount(world.lab.accounts.wallet.privateKey);
  const { assets } = await api.network();
  const token = (asset: string, chainId: number) =>
    assets.find((one) => one.asset === asset)?.tokens.find((one) => one.chainId === chainId)
      ?.interoperable ?? '';
  for (const type of ['oif-escrow-v0', 'trimtab-portfolio-v1'] as const) {
    const offer = await quoteSwap(api, {
      account,
      orderTypes: [type],
      inputs: [{ user: account.address, asset: token('USDC', 31338), amount: '5000000000' }],
      outputs: [{ receiver: account.address, asset: token('ETH', 31339) }],
      swapType: 'exact-input',
    });
    expect(offer.quote.order.type).toBe(type);
    const files = await getCertificate(api, offer);
    expect(Number(verifyCertificate(offer.quote, files).gapBps)).toBeLessThan(50);
    const wallet = clientOf(chainOf(world.lab.network, 31338), account);
    expect((await signOrder(wallet, offer)).signature).toMatch(/^0x[0-9a-f]{130}$/);
  }
  const { orders } = await listOrders(api, { owner: account.address });
  const wallet = clientOf(chainOf(world.lab.network, 31338), account);
  for (const { orderId, terminal } of orders) {
    if (!terminal) continue;
    // What is over is not called back.
    await expect(cancelOrder(api, wallet, { orderId })).rejects.toMatchObject({ retryable: false });
  }
});

test('a client generated from the live OpenAPI document by others compiles and runs', async () => {
  const { api, lab } = own.world;
  const bin = (name: string) => join(projectRoot, 'node_modules/.bin', name);
  await run(bin('openapi-typescript'), [`${api.url}/openapi.json`, '-o', 'api.d.ts'], {
    cwd: folder,
    timeout: 60_000,
  });
  await symlink(
    join(projectRoot, 'node_modules/openapi-fetch'),
    join(folder, 'node_modules/openapi-fetch'),
  );
  await writeFile(
    join(folder, 'generated.ts'),
    `import createClient from 'openapi-fetch';
import type { paths } from './api.d.ts';
declare const process: { argv: string[] };
const [, , baseUrl = '', user = ''] = process.argv;
const client = createClient<paths>({ baseUrl });
const { data, error } = await client.POST('/v1/quotes', {
  body: { user, intent: { intentType: 'rebalance', targets: [{ asset: 'ETH', weightBps: 6500 }, { asset: 'USDC', weightBps: 3500 }] } },
});
if (data === undefined) throw new Error(JSON.stringify(error));
const gap: string | undefined = data.quotes[0]?.metadata.certificate.gapBps;
const missing = await client.GET('/v1/orders/{orderId}', { params: { path: { orderId: '0x' + '12'.repeat(32) } } });
const listed = await client.GET('/v1/orders', { params: { query: { owner: user } } });
const first = listed.data?.orders[0];
const order = first === undefined ? undefined : await client.GET('/v1/orders/{orderId}', { params: { path: { orderId: first.orderId } } });
const status: string | undefined = order?.data?.status;
console.log(JSON.stringify({ gap, missing: missing.response.status, status }));
`,
  );
  const tsc = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2022',
    '--module',
    'nodenext',
  ];
  await run(bin('tsc'), [...tsc, '--allowImportingTsExtensions', 'generated.ts'], {
    cwd: folder,
    timeout: 120_000,
  });
  const { stdout } = await run(bin('tsx'), ['generated.ts', api.url, lab.accounts.wallet.address], {
    cwd: folder,
    timeout: 60_000,
  });
  const said = JSON.parse(stdout) as { gap: string; missing: number; status?: string };
  expect(Number(said.gap)).toBeLessThan(50);
  expect(said.missing).toBe(404);
  expect(said.status).toBe('finalized');
});
