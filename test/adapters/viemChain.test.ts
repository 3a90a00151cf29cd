import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSigner } from '../../solver/adapters/signer.ts';
import { createViemChain } from '../../solver/adapters/viemChain.ts';
import { multicall3Code } from '../../solver/lab/deploy/artifacts.ts';
import { chainId, evmAddress, type Hex, hash32 } from '../../solver/types/ids.ts';
import { type Chain, Reverted } from '../../solver/types/ports.ts';
import { MULTICALL3, randomHex, startTestChain, type TestChain } from './support.ts';

/** Answers any call with the current block number. */
const NUMBER = evmAddress('0x000000000000000000000000000000000000b10c');
const OTHER = `0x${'ab'.repeat(32)}`;
const REVERTER = evmAddress('0x00000000000000000000000000000000000dead1');
const LOGGER = evmAddress('0x0000000000000000000000000000000000001099');

let world: TestChain;
let chain: Chain;
beforeAll(async () => {
  world = await startTestChain(3);
  chain = world.chain;
  // Creation code run as a call returns the runtime code.
  const runtime = await world.rpc('eth_call', { data: await multicall3Code() }, 'latest');
  await world.rpc('anvil_setCode', MULTICALL3, runtime);
  await world.rpc('anvil_setCode', NUMBER, '0x4360005260206000f3');
  await world.rpc('anvil_setCode', REVERTER, '0x61beef60005260206000fd');
  await world.rpc('anvil_setCode', LOGGER, '0x60aa600052600160206000a100');
  await world.mine(10);
});
afterAll(() => world?.anvil.kill());

const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`;

describe('block', () => {
  test('default: latest, by number, and final at the confirmation depth', async () => {
    const head = await chain.block('latest');
    expect((await chain.block('final')).number).toBe(head.number - 3n);
    const below = await chain.block(head.number - 1n);
    expect(head.parentHash).toBe(below.hash);
  });

  test('behavior: final never goes below block 0', async () => {
    const deep = chainWith({ confirmations: 1_000 });
    expect((await deep.block('final')).number).toBe(0n);
  });

  test('error: a block that is not there', async () => {
    await expect(chain.block(10n ** 9n)).rejects.toMatchObject({ code: 'blockMissing' });
  });
});

describe('read', () => {
  test('default: many calls of one block, failures by themselves', async () => {
    const at = await chain.block(5n);
    const call = { to: NUMBER, data: '0x' as Hex };
    const results = await chain.read([call, { to: REVERTER, data: '0x' }, call], at);
    expect(results).toEqual([
      { ok: true, data: word(5n) },
      { ok: false, data: word(0xbeefn) },
      { ok: true, data: word(5n) },
    ]);
    expect(await chain.read([], at)).toEqual([]);
  });

  test('behavior: more calls than one request holds keep their order', async () => {
    const at = await chain.block('latest');
    const calls = Array.from({ length: 1_203 }, (_, i) => ({
      to: i % 2 === 0 ? NUMBER : REVERTER,
      data: '0x' as Hex,
    }));
    const results = await chain.read(calls, at);
    expect(results.map((result) => result.ok)).toEqual(calls.map((call) => call.to === NUMBER));
  });

  test('error: a block that a reorg removed', async () => {
    await world.mine(2);
    const gone = await chain.block('latest');
    await world.rpc('anvil_reorg', 1, []);
    expect((await chain.block(gone.number)).hash).not.toBe(gone.hash);
    await expect(chain.read([{ to: NUMBER, data: '0x' }], gone)).rejects.toMatchObject({
      name: 'Fault',
      retryable: true,
    });
    await expect(chain.balance(NUMBER, gone)).rejects.toThrow();
  });

  test('error: no Multicall3 there', async () => {
    const other = chainWith({ multicall3: evmAddress(randomHex(20)) });
    const at = await other.block('latest');
    await expect(other.read([{ to: NUMBER, data: '0x' }], at)).rejects.toMatchObject({
      code: 'multicallMissing',
    });
  });
});

describe('transactions', () => {
  test('default: estimate, sign, send twice, receipt with logs', async () => {
    const signer = createSigner(randomHex(32));
    await world.rpc('anvil_setBalance', signer.address, '0xde0b6b3a7640000');
    const call = { to: LOGGER, data: '0x' as Hex, value: 0n };
    const gas = await chain.estimateGas({ ...call, from: signer.address });
    const nonce = await chain.nonce(signer.address, 'pending');
    const { raw, hash } = await signer.signTransaction({
      ...call,
      chainId: chain.chainId,
      nonce,
      gas,
      fees: await chain.fees(),
    });
    expect(await chain.broadcast(raw)).toBe(hash);
    expect(await chain.broadcast(raw)).toBe(hash);
    expect(await chain.receipt(hash)).toBeNull();
    expect(await chain.nonce(signer.address, 'pending')).toBe(nonce + 1n);
    await world.mine();
    const receipt = await chain.receipt(hash);
    expect(receipt).toMatchObject({ success: true, transactionHash: hash });
    const { blockNumber } = receipt ?? { blockNumber: 0n };
    const filter = { address: LOGGER, fromBlock: blockNumber - 3n, toBlock: blockNumber };
    const logs = await chain.logs(filter);
    expect(logs).toEqual(receipt?.logs);
    expect(logs).toMatchObject([{ data: word(0xaan), topics: [word(1n)] }]);
    expect(await chain.logs({ ...filter, topics: [word(2n)] })).toEqual([]);
    await world.mine(2_100);
    const { number: toBlock } = await chain.block('latest');
    expect(await chain.logs({ ...filter, fromBlock: 0n, toBlock })).toEqual(logs);
    await expect(chain.broadcast(await resigned(raw))).rejects.toMatchObject({ name: 'Fault' });
  });

  test('error: nonce too low and empty accounts have their own codes', async () => {
    const signer = createSigner(randomHex(32));
    const sign = async (nonce: bigint, value: bigint) =>
      signer.signTransaction({
        chainId: chain.chainId,
        nonce,
        to: NUMBER,
        data: '0x',
        value,
        gas: 30_000n,
        fees: await chain.fees(),
      });
    const poor = await sign(0n, 0n);
    await expect(chain.broadcast(poor.raw)).rejects.toMatchObject({ code: 'insufficientFunds' });
    await world.rpc('anvil_setBalance', signer.address, '0xde0b6b3a7640000');
    await chain.broadcast(poor.raw);
    await world.mine();
    const low = await sign(0n, 1n);
    await expect(chain.broadcast(low.raw)).rejects.toMatchObject({ code: 'nonceTooLow' });
  });

  test('error: a call that would revert is Reverted with its data', async () => {
    const request = { from: NUMBER, to: REVERTER, data: '0x' as Hex, value: 0n };
    const reverted = await chain.estimateGas(request).catch((error) => error);
    expect(reverted).toBeInstanceOf(Reverted);
    expect(reverted.data).toBe(word(0xbeefn));
  });
});

describe('node', () => {
  test('error: another chain is refused on every call', async () => {
    const wrong = chainWith({ chainId: chainId(5) });
    for (const ask of [() => wrong.fees(), () => wrong.block('latest')]) {
      await expect(ask()).rejects.toMatchObject({ code: 'wrongChain', retryable: false });
    }
  });

  test('error: a node that hangs, is gone, or talks nonsense is a retryable Fault', async () => {
    const hanging = await serve(() => null);
    const silly = await serve(() => '<html>');
    try {
      const urls = [urlOf(hanging), urlOf(silly), 'http://127.0.0.1:1'];
      for (const rpcUrl of urls) {
        const bad = chainWith({ rpcUrl, timeoutMs: 200 });
        await expect(bad.block('latest')).rejects.toMatchObject({ name: 'Fault', retryable: true });
      }
    } finally {
      for (const server of [hanging, silly]) {
        server.closeAllConnections();
        server.close();
      }
    }
  });

  test('behavior: a lying or failing node leads to null or a Fault, then to recovery', async () => {
    const signer = createSigner(randomHex(32));
    await world.rpc('anvil_setBalance', signer.address, '0xde0b6b3a7640000');
    const { raw } = await signer.signTransaction({
      chainId: chain.chainId,
      nonce: 0n,
      to: NUMBER,
      data: '0x',
      value: 0n,
      gas: 50_000n,
      fees: await chain.fees(),
    });
    const hash = await chain.broadcast(raw);
    await world.mine();
    const honest = await chain.receipt(hash);
    let lie: (answer: string) => { status?: number; text: string } = (text) => ({ text });
    const proxy = await forward((answer) => lie(answer));
    try {
      const lied = chainWith({ rpcUrl: urlOf(proxy), timeoutMs: 2_000 });
      expect(await lied.receipt(hash)).toEqual(honest);
      // A receipt of a block that is not in the chain: as if it were not mined.
      const inBlock = /("transactionIndex":"0x0","blockHash":)"0x[0-9a-f]{64}"/;
      lie = (text) => ({ text: text.replace(inBlock, `$1"${OTHER}"`) });
      expect(await lied.receipt(hash)).toBeNull();
      const faults: (typeof lie)[] = [
        (text) => ({ text: text.replaceAll(hash, OTHER) }),
        (text) => ({ text: text.slice(0, text.length / 2) }),
        () => ({ status: 429, text: 'slow down' }),
        () => ({ status: 503, text: '' }),
        () => ({ text: '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"lost"}}' }),
      ];
      for (const fault of faults) {
        lie = fault;
        await expect(lied.receipt(hash)).rejects.toMatchObject({ name: 'Fault', retryable: true });
      }
      lie = (text) => ({ text });
      expect(await lied.receipt(hash)).toEqual(honest);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  test('error: messages name the chain and neither the key-bearing URL nor the bytes', async () => {
    const secret = chainWith({ rpcUrl: 'http://127.0.0.1:1/v3/SECRET' });
    const fault = await secret.broadcast('0x1234').catch((error) => error);
    expect(fault.message).toContain(`chain ${chain.chainId}`);
    expect(inspect(fault, { depth: 9, showHidden: true })).not.toMatch(/SECRET|0x1234/);
  });
});

function chainWith(change: Partial<Parameters<typeof createViemChain>[0]>): Chain {
  return createViemChain({
    chainId: chain.chainId,
    rpcUrl: world.anvil.url,
    confirmations: 3,
    multicall3: MULTICALL3,
    ...change,
  });
}

/** The same transaction with its last byte changed: another signature, another sender. */
async function resigned(raw: Hex): Promise<Hex> {
  const last = raw.endsWith('1') ? '2' : '1';
  return `${raw.slice(0, -1)}${last}` as Hex;
}

function serve(answer: () => string | null): Promise<Server> {
  return new Promise((listening) => {
    const server = createServer((_request, response) => {
      const text = answer();
      if (text !== null) response.end(text);
    });
    server.listen(0, '127.0.0.1', () => listening(server));
  });
}

/** A proxy before anvil that may change status and text of every answer. */
function forward(change: (answer: string) => { status?: number; text: string }): Promise<Server> {
  return new Promise((listening) => {
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(world.anvil.url, { method: 'POST', headers, body });
      const { status = 200, text } = change(await answer.text());
      response.writeHead(status, headers).end(text);
    });
    server.listen(0, '127.0.0.1', () => listening(server));
  });
}

const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

describe('createSigner', () => {
  test('default: signs a digest with low s and v 27 or 28', async () => {
    const signer = createSigner(`0x${'01'.repeat(32)}`);
    const signature = await signer.signDigest(hash32(`0x${'22'.repeat(32)}`));
    expect(signature).toMatch(/^0x[0-9a-f]{128}(1b|1c)$/);
    const halfOrder = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
    expect(BigInt(`0x${signature.slice(66, 130)}`)).toBeLessThanOrEqual(halfOrder);
  });

  test('error: a bad key is refused without being quoted', () => {
    for (const key of ['0x12', `0x${'00'.repeat(32)}`, `0x${'ff'.repeat(32)}`, 'SECRETKEY']) {
      expect(() => createSigner(key)).toThrow(/^private key/);
      const thrown = (() => {
        try {
          return createSigner(key);
        } catch (error) {
          return error;
        }
      })();
      expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain(
        key.replace('0x', ''),
      );
    }
  });
});
