// Trimtab's own contracts, at one address on every chain through the deterministic deployer, and
// the once-only configuration of the oracle's paths, frozen at the end.

import { concatHex, encodeAbiParameters, type Hex, parseAbiParameters, zeroHash } from 'viem';
import type { Artifacts } from '../../../contracts-abi/compile.ts';
import { freezeCall, gasTable, pathSetupCalls } from '../../../contracts-abi/oracleSetup.ts';
import { type EvmAddress, evmAddress } from '../../types/ids.ts';
import { roleAddress } from '../accounts.ts';
import type { LayerZeroContracts, TrimtabContracts, UniswapContracts } from '../deployment.ts';
import { MAX_MESSAGE_BYTES, MIN_PROOF_WINDOW_SECONDS } from '../setup.ts';
import type { Batch } from './batch.ts';

export interface Remote {
  readonly chainId: number;
  readonly eid: number;
}

interface Surroundings {
  readonly permit2: EvmAddress;
  readonly layerZero: LayerZeroContracts;
  readonly uniswap: UniswapContracts;
}

/** Queues our contracts. Equal constructor arguments on every chain give equal addresses. */
export function deployTrimtab(
  batch: Batch,
  artifacts: Artifacts,
  { layerZero, uniswap, permit2 }: Surroundings,
): TrimtabContracts {
  const create = (name: keyof Artifacts, constructorArguments: Hex) =>
    batch.deploy2(name, zeroHash, concatHex([artifacts[name].bytecode, constructorArguments]));
  const outputSettler = create('OutputSettler', '0x');
  return {
    outputSettler,
    portfolioSettler: create(
      'PortfolioSettler',
      encodeAbiParameters(parseAbiParameters('uint256, address'), [
        BigInt(MIN_PROOF_WINDOW_SECONDS),
        permit2,
      ]),
    ),
    layerZeroOracle: create(
      'LayerZeroOracle',
      encodeAbiParameters(parseAbiParameters('address, address'), [
        layerZero.endpoint,
        roleAddress('deployer'),
      ]),
    ),
    routeExecutor: create(
      'RouteExecutor',
      encodeAbiParameters(parseAbiParameters('address, address, address'), [
        uniswap.v2Factory,
        uniswap.v3Factory,
        outputSettler,
      ]),
    ),
  };
}

interface OracleConfiguration {
  readonly layerZero: LayerZeroContracts;
  readonly trimtab: TrimtabContracts;
  readonly remotes: readonly Remote[];
  readonly confirmations: number;
}

/**
 * Queues every path of the oracle: libraries, both DVNs required in both directions with the same
 * confirmations, executor, peer and gas table; then freeze(), after which nobody can change them.
 */
export function configureOracle(batch: Batch, configuration: OracleConfiguration): void {
  const { layerZero, trimtab, remotes, confirmations } = configuration;
  const { endpoint, sendUln, receiveUln, executor, dvnA, dvnB } = layerZero;
  const oracle = trimtab.layerZeroOracle;
  for (const { eid, chainId } of remotes) {
    const calls = pathSetupCalls(endpoint, oracle, {
      eid,
      remoteChainId: BigInt(chainId),
      // The same address on every chain; PROTOCOL.md allows others.
      remoteOracle: oracle,
      sendLibrary: sendUln,
      receiveLibrary: receiveUln,
      executor,
      maxMessageSize: MAX_MESSAGE_BYTES,
      sendConfirmations: BigInt(confirmations),
      receiveConfirmations: BigInt(confirmations),
      requiredDvns: [dvnA, dvnB],
      receiveDvns: [dvnA, dvnB],
      ...gasTable,
    });
    for (const [step, { to, data }] of calls.entries()) {
      batch.call(`oracle: path to ${eid}, call ${step + 1}`, evmAddress(to), data);
    }
  }
  const freeze = freezeCall(oracle);
  batch.call('oracle: freeze', evmAddress(freeze.to), freeze.data);
}
