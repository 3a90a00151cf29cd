// TypeScript and Solidity agree: every hash of typedData.ts against the contracts' own libraries, and
// every encoder of calls.ts against the deployed contracts, on a local anvil. Skipped, and said so,
// where anvil is not installed.

import fc from 'fast-check';
import {
  type Abi,
  type Address,
  decodeErrorResult,
  decodeFunctionData,
  type Hex,
  keccak256,
  pad,
  zeroAddress,
} from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { layerZeroOracleAbi } from '../../contracts-abi/abi/layerZeroOracle.ts';
import { outputSettlerAbi } from '../../contracts-abi/abi/outputSettler.ts';
import { portfolioSettlerAbi } from '../../contracts-abi/abi/portfolioSettler.ts';
import * as calls from '../../contracts-abi/calls.ts';
import { compileContracts } from '../../contracts-abi/compile.ts';
import { permit2Digest, permit2Payload } from '../../contracts-abi/permit2.ts';
import { permit2Code } from '../../contracts-abi/permit2Artifact.ts';
import * as td from '../../contracts-abi/typedData.ts';
import { anvilPath, CHAIN_ID, type Client, compileHelpers, startAnvil } from './anvil.ts';
import { bytes32, order as randomOrder } from './samples.ts';

const keys = {
  owner: keccak256('0x01'),
  auctioneer: keccak256('0x02'),
  filler: keccak256('0x03'),
} as const;
const owner = privateKeyToAccount(keys.owner);
const auctioneer = privateKeyToAccount(keys.auctioneer);
const filler = privateKeyToAccount(keys.filler);
const signDigest = (privateKey: Hex, hash: Hex) => sign({ hash, privateKey, to: 'hex' });

const HARNESS = 'HashHarness:HashHarness';
const TOKEN = 'Tokens:TestToken';
const WINDOW = 600;

describe.skipIf(anvilPath === null)('on anvil', () => {
  let client: Client;
  let stop: () => Promise<void>;
  let harness: { abi: readonly unknown[]; address: Address };
  let token: Address;
  let settler: Address;
  let outputs: Address;
  let permit2: Address;
  let helpers: ReturnType<typeof compileHelpers>;

  beforeAll(async () => {
    const started = await startAnvil(anvilPath ?? '');
    ({ client, stop } = started);
    helpers = compileHelpers([HARNESS, TOKEN]);
    const ours = await compileContracts();
    harness = { abi: helperOf(HARNESS).abi, address: await deploy(helperOf(HARNESS).bytecode) };
    token = await deploy(helperOf(TOKEN).bytecode);
    const window = pad(`0x${WINDOW.toString(16)}`, { size: 32 });
    permit2 = await deploy(permit2Code());
    const args = `${window.slice(2)}${pad(permit2, { size: 32 }).slice(2)}`;
    settler = await deploy(`${ours.PortfolioSettler.bytecode}${args}`);
    outputs = await deploy(ours.OutputSettler.bytecode);
    for (const { address } of [owner, auctioneer, filler]) {
      await client.setBalance({ address, value: 10n ** 20n });
      await client.impersonateAccount({ address });
    }
  });
  afterAll(async () => stop());

  const helperOf = (name: string) => {
    const found = helpers.get(name);
    if (found === undefined) throw new Error(name);
    return found;
  };
  async function deploy(data: Hex): Promise<Address> {
    const [account] = await client.getAddresses();
    if (account === undefined) throw new Error('anvil has no accounts');
    const hash = await client.sendTransaction({ account, to: null, data, chain: client.chain });
    const { contractAddress } = await client.waitForTransactionReceipt({ hash });
    if (contractAddress == null) throw new Error('not deployed');
    return contractAddress;
  }
  const ask = (functionName: string, args: readonly unknown[]): Promise<unknown> =>
    client.readContract({ abi: harness.abi, address: harness.address, functionName, args });

  test('property: orderId, awardId, digests, output and payload hashes', async () => {
    await fc.assert(
      fc.asyncProperty(randomOrder, bytes32, async (value, seed) => {
        const here = { ...value.origins[0], chainId: BigInt(CHAIN_ID), settler: harness.address };
        const others = value.origins.slice(1).filter(({ chainId }) => chainId !== here.chainId);
        const origins = [here as td.Origin, ...others];
        const order = { ...value, origins };
        const { inputs, oracle } = here as td.Origin;
        const leg = { oracle, inputs, index: 0n, others: others.map(td.hashOrigin) };
        const outputsHash = td.hashOutputs(order.outputs);
        const orderId = td.hashOrder(order);
        expect(await ask('orderId', [order, leg, outputsHash])).toBe(orderId);
        expect(await ask('digest', [orderId])).toBe(td.orderDigest(order));
        expect(await ask('hashOutputs', [order.outputs])).toBe(outputsHash);

        const amounts = order.outputs.map(({ amount }) => amount);
        const amountsHash = td.amountsHash(amounts);
        expect(await ask('hashAmounts', [amounts])).toBe(amountsHash);
        const award = { ...td.openAward(order), filler: order.owner, amountsHash };
        const awardId = td.hashAward(award);
        expect(await ask('awardIds', [award, award])).toEqual([awardId, awardId]);
        expect(await ask('digest', [awardId])).toBe(td.awardDigest(award));

        const fill = { solver: seed, timestamp: order.openDeadline };
        expect(await ask('fillRecord', [seed, fill.timestamp])).toBe(
          td.fillRecord(seed, fill.timestamp),
        );
        for (const output of order.outputs) {
          const hash = td.outputHash(output);
          expect(await ask('outputHash', [output, output.amount])).toBe(hash);
          expect(await ask('tombstonePayloadHash', [awardId, hash])).toBe(
            td.payloadHash(td.tombstonePayload(awardId, output)),
          );
          const args = [awardId, output, output.amount, seed, fill.timestamp];
          expect(await ask('fillPayloadHash', args)).toBe(
            td.payloadHash(td.encodeFillDescription(awardId, output, fill)),
          );
        }
      }),
      { numRuns: 15 },
    );
  });

  /** One order over this chain alone, outputs here too, and its award. */
  async function prepared(nonce: bigint, amount = 1_000n) {
    const now = Number((await client.getBlock()).timestamp);
    const times = {
      openDeadline: now + 1000,
      fillDeadline: now + 2000,
      expiry: now + 2000 + WINDOW,
    };
    const output: td.MandateOutput = {
      oracle: pad(settler, { size: 32 }),
      settler: pad(outputs, { size: 32 }),
      chainId: BigInt(CHAIN_ID),
      token: pad(token, { size: 32 }),
      amount: 500n,
      recipient: pad(owner.address, { size: 32 }),
      callbackData: '0x',
      context: '0x',
    };
    const order: td.PortfolioOrder = {
      ...{ owner: owner.address, nonce, ...times, auctioneer: auctioneer.address },
      targets: td.ZERO_HASH,
      origins: [
        {
          chainId: BigInt(CHAIN_ID),
          settler,
          oracle: settler,
          inputs: [{ token, amount }],
        },
      ],
      outputs: [output],
    };
    const amounts = [510n];
    const award: td.Award = {
      orderId: td.hashOrder(order),
      filler: filler.address,
      fillDeadline: order.fillDeadline,
      openBy: order.openDeadline,
      amountsHash: td.amountsHash(amounts),
    };
    const sigs = {
      ownerSig: await signDigest(keys.owner, td.orderDigest(order)),
      awardSig: await signDigest(keys.auctioneer, td.awardDigest(award)),
    };
    await mintAndApprove(owner.address, settler, amount);
    return { order, award, amounts, output, chainId: BigInt(CHAIN_ID), ...sigs };
  }
  async function mintAndApprove(account: Address, spender: Address, amount: bigint) {
    const { abi } = helperOf(TOKEN);
    const write = async (functionName: string, args: readonly unknown[]) => {
      const hash = await client.writeContract({
        ...{ abi, address: token, functionName, args, account, chain: client.chain },
      });
      await client.waitForTransactionReceipt({ hash });
    };
    await write('mint', [account, amount]);
    await write('approve', [spender, amount]);
  }
  async function send(account: Address, to: Address, data: Hex) {
    const hash = await client.sendTransaction({ account, to, data, chain: client.chain });
    const receipt = await client.waitForTransactionReceipt({ hash });
    expect(receipt.status).toBe('success');
    return Number((await client.getBlock({ blockNumber: receipt.blockNumber })).timestamp);
  }
  async function slot(nonce: bigint) {
    const data = calls.encodeSlot(owner.address, nonce);
    return calls.decodeSlot((await client.call({ to: settler, data })).data ?? '0x');
  }
  async function record(awardId: Hex, output: td.MandateOutput) {
    const data = calls.encodeGetFillRecord(awardId, td.outputHash(output));
    return calls.decodeFillRecord((await client.call({ to: outputs, data })).data ?? '0x');
  }

  test('the encoders open, fill and release', async () => {
    const p = await prepared(1n);
    const awardId = td.hashAward(p.award);
    expect(await slot(1n)).toEqual({ status: 'none' });
    await send(filler.address, settler, calls.encodeOpen(p));
    expect(calls.slotIsOf(await slot(1n), 'open', awardId)).toBe(true);
    expect(calls.slotIsOf(await slot(1n), 'open', td.payloadHash('0x'))).toBe(false);

    const output = td.awardedOutput(p.output, 510n);
    expect(await record(awardId, output)).toEqual({ status: 'empty' });
    await mintAndApprove(filler.address, outputs, 510n);
    const solver = pad(filler.address, { size: 32 });
    const item = { id: awardId, output, fillDeadline: p.order.fillDeadline };
    const timestamp = await send(filler.address, outputs, calls.encodeFillBatch([item], solver));
    const fill = { solver: solver.toLowerCase() as Hex, timestamp };
    expect(calls.recordIsOf(await record(awardId, output), fill)).toBe(true);

    const release = calls.encodeRelease({ ...p, fills: [fill], to: filler.address });
    await send(owner.address, settler, release);
    expect(calls.slotIsOf(await slot(1n), 'released', awardId)).toBe(true);
  });

  test('the encoder opens by Permit2 what a wallet signed, and Permit2 takes no other witness', async () => {
    const p = await prepared(11n);
    await mintAndApprove(owner.address, permit2, 1_000n);
    const payload = permit2Payload(p.order, p.chainId, permit2);
    const { EIP712Domain: _, ...types } = payload.types;
    const permit2Sig = await owner.signTypedData({
      domain: payload.domain,
      types,
      primaryType: payload.primaryType,
      // As a wallet reads the JSON: viem takes decimal strings for uint256.
      message: payload.message as never,
    });
    expect(permit2Sig).toBe(
      await signDigest(keys.owner, permit2Digest(p.order, p.chainId, permit2)),
    );
    const targets = keccak256('0x07');
    const order = { ...p.order, targets };
    const award = { ...p.award, orderId: td.hashOrder(order) };
    const awardSig = await signDigest(keys.auctioneer, td.awardDigest(award));
    const data = calls.encodeOpenWithPermit2({ ...p, order, award, awardSig, permit2Sig });
    await expect(client.call({ account: filler.address, to: settler, data })).rejects.toThrow();
    await send(filler.address, settler, calls.encodeOpenWithPermit2({ ...p, permit2Sig }));
    expect(calls.slotIsOf(await slot(11n), 'open', td.hashAward(p.award))).toBe(true);
  });

  test('the encoders cancel, decline, accept and refund', async () => {
    const cancelSig = await signDigest(keys.owner, td.cancelDigest(owner.address, 2n));
    await send(filler.address, settler, calls.encodeCancelFor(owner.address, 2n, cancelSig));
    await send(owner.address, settler, calls.encodeCancel([3n]));
    expect(await slot(2n)).toEqual({ status: 'cancelled' });
    expect(await slot(3n)).toEqual({ status: 'cancelled' });

    const declined = await prepared(4n);
    await send(filler.address, settler, calls.encodeOpen(declined));
    const fillerSig = await signDigest(keys.filler, td.declineDigest(td.hashAward(declined.award)));
    const decline = calls.encodeRefundDeclined({ ...declined, fillerSig });
    await send(auctioneer.address, settler, decline);
    expect((await slot(4n)).status).toBe('refunded');

    const accepted = await prepared(5n);
    await send(filler.address, settler, calls.encodeOpen(accepted));
    const digest = td.acceptDigest(td.hashAward(accepted.award), filler.address);
    const acceptSig = await signDigest(keys.owner, digest);
    const accept = calls.encodeReleaseAccepted({
      ...{ ...accepted, to: filler.address, ownerSig: acceptSig },
    });
    await send(auctioneer.address, settler, accept);
    expect((await slot(5n)).status).toBe('released');

    const dead = await prepared(6n);
    const late = await prepared(7n);
    const expired = await prepared(8n, 2_000n);
    await mintAndApprove(owner.address, settler, 4_000n);
    for (const p of [dead, late, expired]) {
      await send(filler.address, settler, calls.encodeOpen(p));
    }
    await client.setNextBlockTimestamp({ timestamp: BigInt(late.order.fillDeadline + 1) });
    const output = td.awardedOutput(dead.output, 510n);
    await send(filler.address, outputs, calls.encodeOutputCancel(dead.award, [output]));
    expect(await record(td.hashAward(dead.award), output)).toEqual({ status: 'tombstone' });
    await send(filler.address, settler, calls.encodeRefundTombstone({ ...dead, index: 0 }));
    expect((await slot(6n)).status).toBe('refunded');

    await mintAndApprove(filler.address, outputs, 510n);
    const solver = pad(filler.address, { size: 32 });
    const item = { id: td.hashAward(late.award), output, fillDeadline: 2 ** 40 };
    const timestamp = await send(filler.address, outputs, calls.encodeFill(item, solver));
    const refund = calls.encodeRefundLate({ ...late, index: 0, fill: { solver, timestamp } });
    await send(owner.address, settler, refund);
    expect((await slot(7n)).status).toBe('refunded');

    const early = client.call({ to: settler, data: calls.encodeRefundExpired(expired) });
    await expect(early).rejects.toThrow();
    await client.setNextBlockTimestamp({ timestamp: BigInt(expired.order.expiry + 1) });
    await send(filler.address, settler, calls.encodeRefundExpired(expired));
    expect((await slot(8n)).status).toBe('refunded');
  });

  test('the encoder settles a local order', async () => {
    const p = await prepared(9n);
    await mintAndApprove(filler.address, settler, 510n);
    const data = calls.encodeSettleLocal({ ...p, to: filler.address, data: '0x' });
    await send(filler.address, settler, data);
    expect((await slot(9n)).status).toBe('released');
  });

  test('a wallet signs typedDataPayload to the same signature as orderDigest', async () => {
    const { order } = await prepared(10n);
    const payload = td.typedDataPayload(order);
    const { EIP712Domain: _, ...types } = payload.types;
    const { domain, primaryType } = payload;
    const signed = await owner.signTypedData({ domain, types, primaryType, message: order });
    expect(signed).toBe(await signDigest(keys.owner, td.orderDigest(order)));
    expect(() => JSON.stringify(payload)).not.toThrow();
  });
});

describe('decodeRevert', () => {
  test('default: names the error and its arguments', () => {
    expect(calls.decodeRevert('0x')).toBe('reverted without data');
    const data: Hex = '0xdeadbeef';
    expect(() => decodeErrorResult({ abi: portfolioSettlerAbi, data })).toThrow();
    expect(calls.decodeRevert(data)).toBe('reverted with 0xdeadbeef');
  });
});

describe('encoders', () => {
  const id = pad('0x07', { size: 32 });
  const account = filler.address;
  const decoded = (abi: Abi, data: Hex) => decodeFunctionData({ abi, data });

  test('the calls no flow above makes carry their arguments in order', () => {
    expect(decoded(layerZeroOracleAbi, calls.encodeSubmit(7, account, ['0x12']))).toEqual({
      functionName: 'submit',
      args: [7, account, ['0x12']],
    });
    expect(decoded(layerZeroOracleAbi, calls.encodeSubmitMany([7, 8], account, []))).toEqual({
      functionName: 'submitMany',
      args: [[7, 8], account, []],
    });
    expect(decoded(layerZeroOracleAbi, calls.encodeQuote(7, 3))).toEqual({
      functionName: 'quote',
      args: [7, 3n],
    });
    expect(decoded(layerZeroOracleAbi, calls.encodeQuoteMany([7], 3))).toEqual({
      functionName: 'quoteMany',
      args: [[7], 3n],
    });
    expect(decoded(layerZeroOracleAbi, calls.encodeIsProven(1n, id, id, id))).toEqual({
      functionName: 'isProven',
      args: [1n, id, id, id],
    });
    expect(decoded(portfolioSettlerAbi, calls.encodeWithdraw(account, owner.address))).toEqual({
      functionName: 'withdraw',
      args: [account, owner.address],
    });
    expect(decoded(portfolioSettlerAbi, calls.encodeOwed(account, owner.address))).toEqual({
      functionName: 'owed',
      args: [account, owner.address],
    });
    expect(decoded(outputSettlerAbi, calls.encodeFillOrderOutputs(id, [], 5, id))).toEqual({
      functionName: 'fillOrderOutputs',
      args: [id, [], 5, id],
    });
    // withdraw and owed are spelled alike in both settlers.
    expect(decoded(outputSettlerAbi, calls.encodeWithdraw(account, account)).functionName).toBe(
      'withdraw',
    );
  });

  test('words decode', () => {
    expect(calls.decodeBool(pad('0x01', { size: 32 }))).toBe(true);
    expect(calls.decodeBool(td.ZERO_HASH)).toBe(false);
    expect(calls.decodeUint(pad('0x0100', { size: 32 }))).toBe(256n);
    expect(() => calls.decodeSlot(pad('0x05', { size: 32 }))).toThrow('unknown slot status 5');
    // Above the status stands the index of the leg.
    expect(calls.decodeSlot(pad('0xfa', { size: 32 })).status).toBe('released');
  });
});

describe('nativeSpent', () => {
  test('default: the sum of the native outputs', () => {
    const output: td.MandateOutput = {
      oracle: td.ZERO_HASH,
      settler: td.ZERO_HASH,
      chainId: 1n,
      token: td.ZERO_HASH,
      amount: 5n,
      recipient: pad(zeroAddress, { size: 32 }),
      callbackData: '0x',
      context: '0x',
    };
    const item = { id: td.ZERO_HASH, output, fillDeadline: 1 };
    const token = { ...item, output: { ...output, token: pad('0x01', { size: 32 }) } };
    expect(calls.nativeSpent([item, token, item])).toBe(10n);
  });
});
