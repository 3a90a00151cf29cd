// The cold path: three fresh chains, everything deployed, wired, funded and seeded, and their
// states saved. Running a lab always starts from a saved state, so there is one way to start, not
// two.

import { gunzipSync } from 'node:zlib';
import { hexToBytes } from 'viem';
import { compileContracts } from '../../../contracts-abi/compile.ts';
import { PERMIT2_SALT, permit2Code } from '../../../contracts-abi/permit2Artifact.ts';
import { Fault } from '../../types/errors.ts';
import type { Hex } from '../../types/ids.ts';
import { type OnSpawned, startAnvil } from '../anvil.ts';
import type { ChainDeployment, LabDeployment } from '../deployment.ts';
import { type LabRpc, labRpc, setClockToNow, toQuantity } from '../rpc.ts';
import { CHAINS, LAB_MNEMONIC, type LabChain, MIN_PROOF_WINDOW_SECONDS } from '../setup.ts';
import { creationCode, multicall3Code } from './artifacts.ts';
import { type Batch, createBatch } from './batch.ts';
import { fundGas, fundTokens, GENESIS_ETHER } from './funding.ts';
import { labTokenCode } from './labToken.ts';
import { deployLayerZero } from './layerZero.ts';
import { deployFeeds, deployTokens } from './tokens.ts';
import { configureOracle, deployTrimtab } from './trimtab.ts';
import { deployUniswap, seedPools } from './uniswap.ts';

/** While deploying, a block takes in what there is; running chains have RUN_GAS_LIMIT. */
const BUILD_GAS_LIMIT = 2_000_000_000;
const RUN_GAS_LIMIT = 60_000_000;

export interface BuiltLab {
  readonly deployment: LabDeployment;
  /** Anvil's state per chain id, JSON text for --load-state. */
  readonly states: ReadonlyMap<number, Buffer>;
}

export interface BuildContext {
  readonly confirmations: number;
  readonly progress: (line: string) => void;
  readonly onSpawned: OnSpawned;
}

/** Builds all chains at once. Ends its nodes on every path. Throws Fault naming what failed. */
export async function buildLab(context: BuildContext): Promise<BuiltLab> {
  context.progress('compiling the test token and our contracts');
  const tokenCode = labTokenCode();
  const artifacts = await compileContracts();
  const multicall3 = await multicall3Code();
  const shared = { tokenCode, artifacts, multicall3, permit2: permit2Code() };
  context.progress('starting three empty chains');
  const args = [
    ...['--no-mining', '--gas-limit', String(BUILD_GAS_LIMIT), '--order', 'fifo'],
    ...['--mnemonic', LAB_MNEMONIC, '--accounts', '1', '--balance', String(GENESIS_ETHER)],
  ];
  const started = await Promise.allSettled(
    CHAINS.map(({ chainId }) => startAnvil({ chainId, port: 0, args }, context.onSpawned)),
  );
  const anvils = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  try {
    for (const each of started) if (each.status === 'rejected') throw each.reason;
    const built = await Promise.all(
      CHAINS.map(async (chain, index) => {
        const anvil = anvils[index];
        if (anvil === undefined) throw new Fault(`no node for ${chain.name}`);
        const rpc = labRpc(chain.chainId, anvil.url);
        const deployment = await deployChain(createBatch(rpc), chain, context, shared);
        return { deployment, state: await saveState(rpc) };
      }),
    );
    const chains = built.map(({ deployment }) => deployment);
    return {
      deployment: {
        version: 1,
        confirmations: context.confirmations,
        minProofWindowSeconds: MIN_PROOF_WINDOW_SECONDS,
        chains,
      },
      states: new Map(built.map(({ deployment, state }) => [deployment.chainId, state])),
    };
  } finally {
    for (const anvil of anvils) anvil.kill();
    await Promise.all(anvils.map(({ ended }) => ended));
  }
}

interface SharedCode {
  readonly tokenCode: Hex;
  readonly artifacts: Awaited<ReturnType<typeof compileContracts>>;
  readonly multicall3: Hex;
  readonly permit2: Hex;
}

async function deployChain(
  batch: Batch,
  chain: LabChain,
  context: BuildContext,
  shared: SharedCode,
): Promise<ChainDeployment> {
  const { chainId, name, eid } = chain;
  const remotes = CHAINS.filter((other) => other.chainId !== chainId);
  fundGas(batch);
  await batch.flush();

  // What our contracts name must be at equal addresses everywhere, so it comes first and in one
  // order: addresses follow from the deployer's nonce.
  const layerZero = deployLayerZero(batch, {
    eid,
    remoteEids: remotes.map((remote) => remote.eid),
    confirmations: context.confirmations,
  });
  const wrappedNative = batch.deploy('WETH9', creationCode('weth9'));
  const uniswap = deployUniswap(batch, wrappedNative);
  const multicall3 = batch.deploy('Multicall3', shared.multicall3);
  const permit2 = batch.deploy2('Permit2', PERMIT2_SALT, shared.permit2);
  await batch.flush();
  context.progress(`${name}: LayerZero V2 and Uniswap deployed`);

  const feeds = deployFeeds(batch);
  const tokens = deployTokens(batch, chainId, shared.tokenCode, wrappedNative, feeds);
  await batch.flush();
  fundTokens(batch, chain, tokens);
  await batch.flush();
  const pools = seedPools(batch, chain, uniswap, tokens);
  await batch.flush();
  context.progress(
    `${name}: ${tokens.length} tokens, ${feeds.length} feeds, ${pools.length} pools`,
  );

  const trimtab = deployTrimtab(batch, shared.artifacts, { layerZero, uniswap, permit2 });
  await batch.flush();
  configureOracle(batch, { layerZero, trimtab, remotes, confirmations: context.confirmations });
  await batch.flush();
  context.progress(`${name}: trimtab's contracts deployed, oracle frozen`);

  const block = await finish(batch.rpc);
  return {
    ...{ chainId, name, eid, layerZero, uniswap, trimtab, multicall3, permit2, wrappedNative },
    ...{ tokens, feeds, pools, block: String(block) },
  };
}

/** Puts gas limit and clock to what a running chain has. Returns the last block's number. */
async function finish(rpc: LabRpc): Promise<bigint> {
  await rpc.request('evm_setBlockGasLimit', [toQuantity(RUN_GAS_LIMIT)]);
  await setClockToNow(rpc);
  await rpc.request('evm_mine');
  return rpc.client.getBlockNumber();
}

/** anvil_dumpState answers gzipped JSON in hex; --load-state reads the JSON. */
async function saveState(rpc: LabRpc): Promise<Buffer> {
  return gunzipSync(hexToBytes(await rpc.request<Hex>('anvil_dumpState')));
}
