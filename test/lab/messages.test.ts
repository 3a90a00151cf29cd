// Messages through the real LayerZero stack: both DVNs are needed, outages are survived, paths are
// frozen. Sent by our own LayerZeroOracle for an application that vouches for anything.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFunctionData, type Hex, keccak256, pad, parseAbi, stringToHex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layerZeroOracleAbi } from '../../contracts-abi/abi/layerZeroOracle.ts';
import { type LabHandle, startLab } from '../../solver/lab/lab.ts';
import { present } from '../../solver/types/assert.ts';
import type { EvmAddress } from '../../solver/types/ids.ts';
import { eventually, type TestChain, testChains } from './chains.ts';
import { LAB_CACHE } from './withLab.ts';

/** Runtime code that answers every call with 1: PUSH1 1, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN. */
const YES_TO_ALL: Hex = '0x6760015f5260205ff35f5260086018f3';
/** Answers 1 to at most 100 bytes of calldata, as allowInitializePath has, and else reverts. */
const REFUSES_DELIVERY: Hex = '0x7260643611600f5760015f5260205ff35b5f5ffd5f526013600df3';
/** Type 3, one lzReceive option of 100,000 gas. */
const OPTIONS: Hex = '0x000301001101000000000000000000000000000186a0';
const endpointAbi = parseAbi([
  'struct MessagingParams { uint32 dstEid; bytes32 receiver; bytes message; bytes options; bool payInLzToken; }',
  'struct MessagingFee { uint256 nativeFee; uint256 lzTokenFee; }',
  'function quote(MessagingParams params, address sender) view returns (MessagingFee fee)',
  'function send(MessagingParams params, address refundAddress) payable',
]);
const viewAbi = parseAbi([
  'function inboundNonce(address receiver, uint32 srcEid, bytes32 sender) view returns (uint64)',
  'function hashLookup(bytes32, bytes32, address) view returns (bool, uint64)',
]);

let home: string;
let lab: LabHandle;
let chains: readonly TestChain[];
let application: EvmAddress;
const chainAt = (index: number) => present(chains[index], `chain ${index}`);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'trimtab-lab-'));
  lab = await startLab({ home, cacheDir: LAB_CACHE, blockMs: 250, volatilityBps: 0 });
  chains = testChains(lab);
  const created = await Promise.all(chains.map((chain) => chain.create(YES_TO_ALL)));
  application = present(created[0], 'application');
});
afterAll(async () => {
  await lab?.stop();
  rmSync(home, { recursive: true, force: true });
});

const oracleOf = (chain: TestChain) => chain.deployment.trimtab.layerZeroOracle;

/** Sends `texts` as payloads from one chain to others and pays what the oracle quotes. */
async function submit(from: TestChain, to: readonly TestChain[], texts: readonly string[]) {
  const address = oracleOf(from);
  const eids = to.map((chain) => chain.deployment.eid);
  const value = await from.client.readContract({
    address,
    abi: layerZeroOracleAbi,
    functionName: 'quoteMany',
    args: [eids, BigInt(texts.length)],
  });
  expect(value).toBeGreaterThan(0n);
  const data = encodeFunctionData({
    abi: layerZeroOracleAbi,
    functionName: 'submitMany',
    args: [eids, application, texts.map((text) => stringToHex(text))],
  });
  return from.send('spare1', { to: address, data, value });
}

const isProven = (at: TestChain, from: TestChain, text: string) =>
  at.client.readContract({
    address: oracleOf(at),
    abi: layerZeroOracleAbi,
    functionName: 'isProven',
    args: [
      BigInt(from.deployment.chainId),
      pad(oracleOf(from)),
      pad(application),
      keccak256(stringToHex(text)),
    ],
  });

/** Lines of lab.log with this event whose fields include `fields`. */
function logged(event: string, fields: Readonly<Record<string, unknown>>): number {
  return readFileSync(lab.logFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line.event === event)
    .filter((line) => Object.entries(fields).every(([key, value]) => line[key] === value)).length;
}

describe('lab messages', () => {
  it('default: several records to two chains arrive', async () => {
    const [a, b, c] = [chainAt(0), chainAt(1), chainAt(2)];
    await submit(a, [b, c], ['one', 'two', 'three']);
    await eventually('records proven on both', async () => {
      const proven = await Promise.all([isProven(b, a, 'three'), isProven(c, a, 'one')]);
      return proven.every(Boolean);
    });
    expect(await isProven(b, a, 'four')).toBe(false);
    // A proof names its source: the same text from another chain is another record.
    expect(await isProven(b, c, 'one')).toBe(false);
  });

  it('behavior: with one DVN a message is not even verifiable; with both it arrives', async () => {
    const [a, b] = [chainAt(1), chainAt(0)];
    await lab.control.pause('dvnB');
    await submit(a, [b], ['needs both']);
    const direction = { srcEid: a.deployment.eid, dstEid: b.deployment.eid };
    await eventually(
      'first DVN attests',
      async () => logged('attested', { ...direction, role: 'dvnA' }) > 0,
    );
    const { number } = await b.client.getBlock();
    await eventually('ten more blocks', async () => {
      return (await b.client.getBlockNumber({ cacheTime: 0 })) >= number + 10n;
    });
    expect(logged('attested', { ...direction, role: 'dvnB' })).toBe(0);
    const inbound = await b.client.readContract({
      address: b.deployment.layerZero.endpoint,
      abi: viewAbi,
      functionName: 'inboundNonce',
      args: [oracleOf(b), a.deployment.eid, pad(oracleOf(a))],
    });
    expect(inbound).toBe(0n);
    expect(await isProven(b, a, 'needs both')).toBe(false);
    await lab.control.resume('dvnB');
    await eventually('delivered', () => isProven(b, a, 'needs both'));
  });

  it('behavior: what was sent while the destination was down arrives when it is back', async () => {
    const [a, c] = [chainAt(0), chainAt(2)];
    await lab.control.stopChain(c.deployment.chainId);
    await submit(a, [c], ['while down']);
    await submit(a, [c], ['and again']);
    const before = await a.client.getBlockNumber({ cacheTime: 0 });
    await eventually('others live on', async () => {
      return (await a.client.getBlockNumber({ cacheTime: 0 })) > before + 8n;
    });
    await lab.control.resumeChain(c.deployment.chainId);
    await eventually('both delivered', async () => {
      const proven = await Promise.all([isProven(c, a, 'while down'), isProven(c, a, 'and again')]);
      return proven.every(Boolean);
    });
  });

  it('error: a receiver that reverts is tried three times, others go on', async () => {
    const [b, c] = [chainAt(1), chainAt(2)];
    const refusing = await c.create(REFUSES_DELIVERY);
    const { endpoint } = b.deployment.layerZero;
    const sender = lab.accounts.spare1.address;
    const params = {
      dstEid: c.deployment.eid,
      receiver: pad(refusing),
      message: stringToHex('unwanted'),
      options: OPTIONS,
      payInLzToken: false,
    };
    const { nativeFee } = await b.client.readContract({
      address: endpoint,
      abi: endpointAbi,
      functionName: 'quote',
      args: [params, sender],
    });
    const data = encodeFunctionData({
      abi: endpointAbi,
      functionName: 'send',
      args: [params, sender],
    });
    await b.send('spare1', { to: endpoint, data, value: nativeFee });
    await submit(b, [c], ['beside it']);
    const direction = { srcEid: b.deployment.eid, dstEid: c.deployment.eid };
    await eventually('three failures', async () => logged('deliveryFailed', direction) === 3);
    await eventually('the other path', () => isProven(c, b, 'beside it'));
    expect(logged('delivered', direction)).toBe(1);
  });

  it('behavior: each packet is delivered once, and nothing failed on the way', () => {
    const direction = { srcEid: chainAt(0).deployment.eid, dstEid: chainAt(2).deployment.eid };
    expect(logged('delivered', direction)).toBe(3);
    expect(logged('deliveryFailed', direction)).toBe(0);
    expect(logged('gaveUp', {})).toBe(0);
  });
});

describe('lab oracle', () => {
  it('default: one address, one code everywhere, frozen, every path on', async () => {
    const codes = new Set<string>();
    for (const chain of chains) {
      const address = oracleOf(chain);
      const read = { address, abi: layerZeroOracleAbi } as const;
      codes.add(`${address} ${await chain.client.getCode({ address })}`);
      const owner = await chain.client.readContract({ ...read, functionName: 'owner' });
      expect(BigInt(owner)).toBe(0n);
      for (const remote of chains) {
        if (remote === chain) continue;
        const args = [remote.deployment.eid] as const;
        const known = await chain.client.readContract({ ...read, functionName: 'chainOf', args });
        expect(known).toBe(BigInt(remote.deployment.chainId));
      }
    }
    // Same endpoint address everywhere, so even the immutables agree.
    expect(codes.size).toBe(1);
  });
});
