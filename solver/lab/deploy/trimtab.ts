// Trimtab's own contracts, at one address on every chain through the deterministic deployer, and
// the once-only configuration of the oracle's paths, frozen at the end.

import {
  concatHex,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  parseAbi,
  parseAbiParameters,
  zeroHash,
} from 'viem';
import type { Artifacts } from '../../../contracts-abi/compile.ts';
import { toBytes32Address } from '../../types/ids.ts';
import { roleAddress } from '../accounts.ts';
import type { LayerZeroContracts, TrimtabContracts, UniswapContracts } from '../deployment.ts';
import { MAX_MESSAGE_BYTES, MIN_PROOF_WINDOW_SECONDS } from '../setup.ts';
import type { Batch } from './batch.ts';
import { bothDvns } from './layerZero.ts';

/** SendUln302's and ReceiveUln302's numbers for the two kinds of configuration. */
const CONFIG_EXECUTOR = 1;
const CONFIG_ULN = 2;
/** Gas of LayerZeroOracle.lzReceive, docs/contracts.md's measured table with a margin. */
const RECEIVE_BASE_GAS = 60_000;
const RECEIVE_GAS_PER_RECORD = 30_000;

const oracleAbi = parseAbi([
  'struct Path { uint64 chainId; uint32 baseGas; uint32 perRecordGas; }',
  'function setPath(uint32 eid, bytes32 peer, Path path)',
  'function freeze()',
]);
const endpointAbi = parseAbi([
  'struct SetConfigParam { uint32 eid; uint32 configType; bytes config; }',
  'function setSendLibrary(address oapp, uint32 eid, address lib)',
  'function setReceiveLibrary(address oapp, uint32 eid, address lib, uint256 gracePeriod)',
  'function setConfig(address oapp, address lib, SetConfigParam[] params)',
]);
const ULN_TUPLE = parseAbiParameters([
  'UlnConfig config',
  'struct UlnConfig { uint64 confirmations; uint8 requiredDVNCount; uint8 optionalDVNCount; uint8 optionalDVNThreshold; address[] requiredDVNs; address[] optionalDVNs; }',
]);
const EXECUTOR_TUPLE = parseAbiParameters([
  'ExecutorConfig config',
  'struct ExecutorConfig { uint32 maxMessageSize; address executor; }',
]);

export interface Remote {
  readonly chainId: number;
  readonly eid: number;
}

interface Surroundings {
  readonly layerZero: LayerZeroContracts;
  readonly uniswap: UniswapContracts;
}

/** Queues our contracts. Constructor arguments are equal on every chain, hence the addresses too. */
export function deployTrimtab(
  batch: Batch,
  artifacts: Artifacts,
  { layerZero, uniswap }: Surroundings,
): TrimtabContracts {
  const create = (name: keyof Artifacts, constructorArguments: Hex) =>
    batch.deploy2(name, zeroHash, concatHex([artifacts[name].bytecode, constructorArguments]));
  const outputSettler = create('OutputSettler', '0x');
  return {
    outputSettler,
    portfolioSettler: create(
      'PortfolioSettler',
      encodeAbiParameters(parseAbiParameters('uint256'), [BigInt(MIN_PROOF_WINDOW_SECONDS)]),
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
  const { endpoint, sendUln, receiveUln, executor } = layerZero;
  const oracle = trimtab.layerZeroOracle;
  const uln = encodeAbiParameters(ULN_TUPLE, [bothDvns(layerZero, confirmations)]);
  const execution = encodeAbiParameters(EXECUTOR_TUPLE, [
    { maxMessageSize: MAX_MESSAGE_BYTES, executor },
  ]);
  for (const { eid, chainId } of remotes) {
    const atEndpoint = [
      { functionName: 'setSendLibrary', args: [oracle, eid, sendUln] },
      { functionName: 'setReceiveLibrary', args: [oracle, eid, receiveUln, 0n] },
      {
        functionName: 'setConfig',
        args: [
          oracle,
          sendUln,
          [
            { eid, configType: CONFIG_EXECUTOR, config: execution },
            { eid, configType: CONFIG_ULN, config: uln },
          ],
        ],
      },
      {
        functionName: 'setConfig',
        args: [oracle, receiveUln, [{ eid, configType: CONFIG_ULN, config: uln }]],
      },
    ] as const;
    for (const call of atEndpoint) {
      const data = encodeFunctionData({ abi: endpointAbi, ...call });
      batch.call(`oracle: ${call.functionName} ${eid}`, endpoint, data);
    }
    const path = {
      abi: oracleAbi,
      functionName: 'setPath',
      args: [
        eid,
        toBytes32Address(oracle),
        {
          chainId: BigInt(chainId),
          baseGas: RECEIVE_BASE_GAS,
          perRecordGas: RECEIVE_GAS_PER_RECORD,
        },
      ],
    } as const;
    batch.call(`oracle: setPath ${eid}`, oracle, encodeFunctionData(path));
  }
  batch.call(
    'oracle: freeze',
    oracle,
    encodeFunctionData({ abi: oracleAbi, functionName: 'freeze' }),
  );
}
