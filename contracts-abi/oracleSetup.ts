// The calls that configure a LayerZeroOracle before freeze(), as calldata: who deploys sends them,
// in this order, from the oracle's owner (which is its delegate at the endpoint). docs/contracts.md
// lists them in words. Nothing here talks to a chain.

import { type Address, encodeAbiParameters, encodeFunctionData, type Hex, pad } from 'viem';
import { layerZeroOracleAbi } from './abi/layerZeroOracle.ts';

/** ULN302's "none", where zero would mean "LayerZero's default". */
const NIL_DVN_COUNT = 255;
const CONFIG_TYPE_EXECUTOR = 1;
const CONFIG_TYPE_ULN = 2;

/** lzReceive's gas, measured by test/Gas.t.sol (LayerZeroOracle receive) with a margin. */
export const gasTable = { baseGas: 60_000, perRecordGas: 30_000 } as const;

export interface OraclePath {
  readonly eid: number;
  readonly remoteChainId: bigint;
  readonly remoteOracle: Address;
  readonly sendLibrary: Address;
  readonly receiveLibrary: Address;
  readonly executor: Address;
  readonly maxMessageSize: number;
  /** Blocks on the source chain; the same DVNs and no more confirmations at the receiving end. */
  readonly sendConfirmations: bigint;
  readonly receiveConfirmations: bigint;
  /** At least two; sorted here. */
  readonly requiredDvns: readonly Address[];
  /** DVNs required of packets that arrive here; the remote chain's senders name the same. */
  readonly receiveDvns: readonly Address[];
  readonly baseGas: number;
  readonly perRecordGas: number;
}
export interface SetupCall {
  readonly to: Address;
  readonly data: Hex;
}

const endpointAbi = [
  {
    type: 'function',
    name: 'setSendLibrary',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'oapp', type: 'address' },
      { name: 'eid', type: 'uint32' },
      { name: 'lib', type: 'address' },
    ],
    outputs: [],
  },
  {
    type: 'function',
    name: 'setReceiveLibrary',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'oapp', type: 'address' },
      { name: 'eid', type: 'uint32' },
      { name: 'lib', type: 'address' },
      { name: 'gracePeriod', type: 'uint256' },
    ],
    outputs: [],
  },
  {
    type: 'function',
    name: 'setConfig',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'oapp', type: 'address' },
      { name: 'lib', type: 'address' },
      {
        name: 'params',
        type: 'tuple[]',
        components: [
          { name: 'eid', type: 'uint32' },
          { name: 'configType', type: 'uint32' },
          { name: 'config', type: 'bytes' },
        ],
      },
    ],
    outputs: [],
  },
] as const;

/** The five calls that set up one path. */
export function pathSetupCalls(endpoint: Address, oracle: Address, path: OraclePath): SetupCall[] {
  const { eid, sendLibrary, receiveLibrary } = path;
  const uln = (confirmations: bigint, dvns: readonly Address[]) => ({
    eid,
    configType: CONFIG_TYPE_ULN,
    config: encodeUlnConfig(confirmations, dvns),
  });
  const executor = {
    eid,
    configType: CONFIG_TYPE_EXECUTOR,
    config: encodeExecutorConfig(path.maxMessageSize, path.executor),
  };
  const setConfig = (lib: Address, params: readonly (typeof executor)[]): SetupCall => ({
    to: endpoint,
    data: encodeFunctionData({
      abi: endpointAbi,
      functionName: 'setConfig',
      args: [oracle, lib, params],
    }),
  });
  return [
    {
      to: endpoint,
      data: encodeFunctionData({
        abi: endpointAbi,
        functionName: 'setSendLibrary',
        args: [oracle, eid, sendLibrary],
      }),
    },
    {
      to: endpoint,
      data: encodeFunctionData({
        abi: endpointAbi,
        functionName: 'setReceiveLibrary',
        args: [oracle, eid, receiveLibrary, 0n],
      }),
    },
    setConfig(sendLibrary, [executor, uln(path.sendConfirmations, path.requiredDvns)]),
    setConfig(receiveLibrary, [uln(path.receiveConfirmations, path.receiveDvns)]),
    { to: oracle, data: encodeSetPath(path) },
  ];
}

/** The last call: checks every path, switches them on, gives up owner and delegate for ever. */
export function freezeCall(oracle: Address): SetupCall {
  return {
    to: oracle,
    data: encodeFunctionData({ abi: layerZeroOracleAbi, functionName: 'freeze' }),
  };
}

function encodeSetPath(path: OraclePath): Hex {
  return encodeFunctionData({
    abi: layerZeroOracleAbi,
    functionName: 'setPath',
    args: [
      path.eid,
      pad(path.remoteOracle, { size: 32 }),
      { chainId: path.remoteChainId, baseGas: path.baseGas, perRecordGas: path.perRecordGas },
    ],
  });
}

function encodeUlnConfig(confirmations: bigint, dvns: readonly Address[]): Hex {
  const requiredDVNs = [...dvns].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  return encodeAbiParameters(
    [
      {
        type: 'tuple',
        components: [
          { name: 'confirmations', type: 'uint64' },
          { name: 'requiredDVNCount', type: 'uint8' },
          { name: 'optionalDVNCount', type: 'uint8' },
          { name: 'optionalDVNThreshold', type: 'uint8' },
          { name: 'requiredDVNs', type: 'address[]' },
          { name: 'optionalDVNs', type: 'address[]' },
        ],
      },
    ],
    [
      {
        confirmations,
        requiredDVNCount: requiredDVNs.length,
        optionalDVNCount: NIL_DVN_COUNT,
        optionalDVNThreshold: 0,
        requiredDVNs,
        optionalDVNs: [],
      },
    ],
  );
}

function encodeExecutorConfig(maxMessageSize: number, executor: Address): Hex {
  return encodeAbiParameters(
    [
      {
        type: 'tuple',
        components: [
          { name: 'maxMessageSize', type: 'uint32' },
          { name: 'executor', type: 'address' },
        ],
      },
    ],
    [{ maxMessageSize, executor }],
  );
}
