// LayerZero V2 from its published artifacts: endpoint, both ULN302 libraries, two DVNs with keys of
// their own, executor, price feed and fee libraries, wired as on a public chain. The DVNs' and the
// executor's off-chain halves are in workers/.

import {
  concatHex,
  encodeAbiParameters,
  encodeFunctionData,
  parseAbi,
  parseAbiParameters,
} from 'viem';
import type { EvmAddress } from '../../types/ids.ts';
import { type LabRole, roleAddress } from '../accounts.ts';
import type { LayerZeroContracts } from '../deployment.ts';
import {
  ASSETS,
  DVN_VERIFY_GAS,
  EXECUTOR_BASE_GAS,
  LZ_GAS_PER_BYTE,
  LZ_GAS_PRICE_WEI,
  MAX_MESSAGE_BYTES,
  NATIVE_ASSET,
} from '../setup.ts';
import { creationCode } from './artifacts.ts';
import type { Batch } from './batch.ts';

/** PriceFeed's scale for ratios and dollars. */
const RATIO_ONE = 10n ** 20n;
/** Wei per whole native token, for the fee libraries. */
const NATIVE_ONE = 10n ** 18n;
/** Gas and cap of the treasury's fee call; the treasury takes nothing here. */
const TREASURY_GAS = 100_000n;
const TREASURY_CAP_WEI = 10n ** 16n;
/** 1.2: what workers charge over their cost, LayerZero's default. */
const WORKER_MULTIPLIER_BPS = 12_000;
const EXECUTOR_NATIVE_CAP_WEI = 10n ** 18n;

const ULN_CONFIG =
  'struct UlnConfig { uint64 confirmations; uint8 requiredDVNCount; uint8 optionalDVNCount; uint8 optionalDVNThreshold; address[] requiredDVNs; address[] optionalDVNs; }';
const endpointAbi = parseAbi([
  'function registerLibrary(address lib)',
  'function setDefaultSendLibrary(uint32 eid, address lib)',
  'function setDefaultReceiveLibrary(uint32 eid, address lib, uint256 gracePeriod)',
]);
const ulnAbi = parseAbi([
  ULN_CONFIG,
  'struct UlnParam { uint32 eid; UlnConfig config; }',
  'struct ExecutorConfig { uint32 maxMessageSize; address executor; }',
  'struct ExecutorParam { uint32 eid; ExecutorConfig config; }',
  'function setTreasury(address treasury)',
  'function setDefaultUlnConfigs(UlnParam[] params)',
  'function setDefaultExecutorConfigs(ExecutorParam[] params)',
]);
const priceFeedAbi = parseAbi([
  'struct Price { uint128 priceRatio; uint64 gasPriceInUnit; uint32 gasPerByte; }',
  'struct UpdatePrice { uint32 eid; Price price; }',
  'function initialize(address priceUpdater)',
  'function setPrice(UpdatePrice[] prices)',
  'function setNativeTokenPriceUSD(uint128 price)',
]);
const workerAbi = parseAbi(['function setWorkerFeeLib(address lib)']);
const dvnAbi = parseAbi([
  'struct DstConfigParam { uint32 dstEid; uint64 gas; uint16 multiplierBps; uint128 floorMarginUSD; }',
  'function setDstConfig(DstConfigParam[] params)',
]);
const executorAbi = parseAbi([
  'struct DstConfigParam { uint32 dstEid; uint64 lzReceiveBaseGas; uint64 lzComposeBaseGas; uint16 multiplierBps; uint128 floorMarginUSD; uint128 nativeCap; }',
  'function initialize(address endpoint, address receiveUln301, address[] messageLibs, address priceFeed, address roleAdmin, address[] admins)',
  'function setDstConfig(DstConfigParam[] params)',
]);
const viewAbi = parseAbi([
  'function initialize(address endpoint)',
  'function initialize(address endpoint, address receiveUln302)',
]);

export interface LayerZeroSite {
  readonly eid: number;
  readonly remoteEids: readonly number[];
  readonly confirmations: number;
}

/** A DVN's own id: its endpoint id without the V2 offset. */
export const dvnVid = (eid: number): number => eid % 30_000;

/** Both DVNs required. LayerZero's own defaults: 0 optional ones, taken literally there. */
function bothDvns(lz: Pick<LayerZeroContracts, 'dvnA' | 'dvnB'>, confirmations: number) {
  return {
    confirmations: BigInt(confirmations),
    requiredDVNCount: 2,
    optionalDVNCount: 0,
    optionalDVNThreshold: 0,
    requiredDVNs: [lz.dvnA, lz.dvnB].sort(),
    optionalDVNs: [],
  };
}

/** Queues creation and wiring. Worker accounts must hold gas before the next flush. */
export function deployLayerZero(batch: Batch, site: LayerZeroSite): LayerZeroContracts {
  const created = createContracts(batch, site);
  wireLibraries(batch, site, created);
  wireWorkers(batch, site, created);
  const { dvnFeeLib: _d, executorFeeLib: _e, ...contracts } = created;
  return contracts;
}

type Created = LayerZeroContracts & {
  readonly dvnFeeLib: EvmAddress;
  readonly executorFeeLib: EvmAddress;
};

function createContracts(batch: Batch, { eid }: LayerZeroSite): Created {
  const owner = roleAddress('deployer');
  const endpoint = batch.deploy(
    'EndpointV2',
    concatHex([
      creationCode('endpointV2'),
      encodeAbiParameters(parseAbiParameters('uint32, address'), [eid, owner]),
    ]),
  );
  const sendUln = batch.deploy(
    'SendUln302',
    concatHex([
      creationCode('sendUln302'),
      encodeAbiParameters(parseAbiParameters('address, uint256, uint256'), [
        endpoint,
        TREASURY_GAS,
        TREASURY_CAP_WEI,
      ]),
    ]),
  );
  const receiveUln = batch.deploy(
    'ReceiveUln302',
    concatHex([
      creationCode('receiveUln302'),
      encodeAbiParameters(parseAbiParameters('address'), [endpoint]),
    ]),
  );
  const treasury = batch.deploy('Treasury', creationCode('treasury'));
  const priceFeed = batch.deploy('PriceFeed', creationCode('priceFeed'));
  const feeLibArguments = encodeAbiParameters(parseAbiParameters('uint32, uint256'), [
    eid,
    NATIVE_ONE,
  ]);
  const dvnFeeLib = batch.deploy(
    'DVNFeeLib',
    concatHex([creationCode('dvnFeeLib'), feeLibArguments]),
  );
  const executorFeeLib = batch.deploy(
    'ExecutorFeeLib',
    concatHex([creationCode('executorFeeLib'), feeLibArguments]),
  );
  const dvn = (role: 'dvnA' | 'dvnB') =>
    batch.deploy(
      `DVN ${role}`,
      concatHex([
        creationCode('dvn'),
        encodeAbiParameters(
          parseAbiParameters('uint32, uint32, address[], address, address[], uint64, address[]'),
          [
            eid,
            dvnVid(eid),
            [sendUln, receiveUln],
            priceFeed,
            [roleAddress(role)],
            1n,
            [roleAddress(role)],
          ],
        ),
      ]),
    );
  return {
    endpoint,
    sendUln,
    receiveUln,
    treasury,
    priceFeed,
    dvnFeeLib,
    executorFeeLib,
    dvnA: dvn('dvnA'),
    dvnB: dvn('dvnB'),
    executor: batch.deploy('Executor', creationCode('executor')),
    endpointView: batch.deploy('EndpointV2View', creationCode('endpointV2View')),
    ulnView: batch.deploy('ReceiveUln302View', creationCode('receiveUln302View')),
  };
}

function wireLibraries(batch: Batch, site: LayerZeroSite, lz: Created): void {
  const { endpoint, sendUln, receiveUln, executor } = lz;
  const owned = (label: string, to: EvmAddress, data: `0x${string}`) => batch.call(label, to, data);
  const ulnParams = site.remoteEids.map((eid) => ({
    eid,
    config: bothDvns(lz, site.confirmations),
  }));
  const ulnData = encodeFunctionData({
    abi: ulnAbi,
    functionName: 'setDefaultUlnConfigs',
    args: [ulnParams],
  });
  const executorData = encodeFunctionData({
    abi: ulnAbi,
    functionName: 'setDefaultExecutorConfigs',
    args: [
      site.remoteEids.map((eid) => ({
        eid,
        config: { maxMessageSize: MAX_MESSAGE_BYTES, executor },
      })),
    ],
  });
  for (const [name, lib] of Object.entries({ sendUln, receiveUln })) {
    const data = encodeFunctionData({
      abi: endpointAbi,
      functionName: 'registerLibrary',
      args: [lib],
    });
    owned(`register ${name}`, endpoint, data);
    owned(`default DVNs of ${name}`, lib, ulnData);
  }
  owned('default executor', sendUln, executorData);
  const treasury = { abi: ulnAbi, functionName: 'setTreasury', args: [lz.treasury] } as const;
  owned('treasury', sendUln, encodeFunctionData(treasury));
  for (const eid of site.remoteEids) {
    const send = {
      abi: endpointAbi,
      functionName: 'setDefaultSendLibrary',
      args: [eid, sendUln],
    } as const;
    owned('default send library', endpoint, encodeFunctionData(send));
    const receive = {
      abi: endpointAbi,
      functionName: 'setDefaultReceiveLibrary',
      args: [eid, receiveUln, 0n],
    } as const;
    owned('default receive library', endpoint, encodeFunctionData(receive));
  }
}

function wireWorkers(batch: Batch, site: LayerZeroSite, lz: Created): void {
  const { endpoint, sendUln, receiveUln, priceFeed, executor } = lz;
  const owner = roleAddress('deployer');
  wirePriceFeed(batch, site, priceFeed);
  const admins = [roleAddress('executor'), owner];
  const executorInit = {
    abi: executorAbi,
    functionName: 'initialize',
    args: [endpoint, ZERO, [sendUln], priceFeed, owner, admins],
  } as const;
  batch.call('Executor.initialize', executor, encodeFunctionData(executorInit));
  const executorDst = {
    abi: executorAbi,
    functionName: 'setDstConfig',
    args: [
      site.remoteEids.map((dstEid) => ({
        dstEid,
        lzReceiveBaseGas: EXECUTOR_BASE_GAS,
        lzComposeBaseGas: EXECUTOR_BASE_GAS,
        multiplierBps: WORKER_MULTIPLIER_BPS,
        floorMarginUSD: 0n,
        nativeCap: EXECUTOR_NATIVE_CAP_WEI,
      })),
    ],
  } as const;
  batch.call('Executor.setDstConfig', executor, encodeFunctionData(executorDst));
  const dvnDst = {
    abi: dvnAbi,
    functionName: 'setDstConfig',
    args: [
      site.remoteEids.map((dstEid) => ({
        dstEid,
        gas: DVN_VERIFY_GAS,
        multiplierBps: WORKER_MULTIPLIER_BPS,
        floorMarginUSD: 0n,
      })),
    ],
  } as const;
  const feeLib = (worker: EvmAddress, lib: EvmAddress, from: LabRole) => {
    const call = { abi: workerAbi, functionName: 'setWorkerFeeLib', args: [lib] } as const;
    batch.call(`fee library of ${from}`, worker, encodeFunctionData(call), { from });
  };
  feeLib(executor, lz.executorFeeLib, 'deployer');
  for (const role of ['dvnA', 'dvnB'] as const) {
    batch.call(`${role}.setDstConfig`, lz[role], encodeFunctionData(dvnDst), { from: role });
    feeLib(lz[role], lz.dvnFeeLib, role);
  }
  const endpointView = { abi: viewAbi, functionName: 'initialize', args: [endpoint] } as const;
  batch.call('EndpointV2View.initialize', lz.endpointView, encodeFunctionData(endpointView));
  const ulnView = {
    abi: viewAbi,
    functionName: 'initialize',
    args: [endpoint, receiveUln],
  } as const;
  batch.call('ReceiveUln302View.initialize', lz.ulnView, encodeFunctionData(ulnView));
}

/** All lab chains burn the same ether, so every ratio is one. */
function wirePriceFeed(batch: Batch, site: LayerZeroSite, priceFeed: EvmAddress): void {
  const init = {
    abi: priceFeedAbi,
    functionName: 'initialize',
    args: [roleAddress('deployer')],
  } as const;
  batch.call('PriceFeed.initialize', priceFeed, encodeFunctionData(init));
  const prices = {
    abi: priceFeedAbi,
    functionName: 'setPrice',
    args: [
      site.remoteEids.map((eid) => ({
        eid: dvnVid(eid),
        price: {
          priceRatio: RATIO_ONE,
          gasPriceInUnit: LZ_GAS_PRICE_WEI,
          gasPerByte: LZ_GAS_PER_BYTE,
        },
      })),
    ],
  } as const;
  batch.call('PriceFeed.setPrice', priceFeed, encodeFunctionData(prices));
  const dollars = ASSETS.find(({ asset }) => asset === NATIVE_ASSET)?.dollars ?? 0;
  const native = {
    abi: priceFeedAbi,
    functionName: 'setNativeTokenPriceUSD',
    args: [BigInt(dollars) * RATIO_ONE],
  } as const;
  batch.call('PriceFeed.setNativeTokenPriceUSD', priceFeed, encodeFunctionData(native));
}

const ZERO = '0x0000000000000000000000000000000000000000';
