// LayerZero packets as they leave a chain: read from PacketSent logs in bounded block ranges, only
// from blocks deep enough not to change, and decoded with LayerZero's own codec.

import { Options, PacketV1Codec } from '@layerzerolabs/lz-v2-utilities';
import { parseAbi, parseAbiItem } from 'viem';
import { type EvmAddress, evmAddress, type Hex } from '../../types/ids.ts';
import type { ChainDeployment } from '../deployment.ts';
import type { LabRpc } from '../rpc.ts';

const packetSent = parseAbiItem(
  'event PacketSent(bytes encodedPayload, bytes options, address sendLibrary)',
);
/** Blocks per getLogs: an outage is caught up in steps. */
const RANGE_MAX = 500n;

export interface LabPacket {
  readonly srcEid: number;
  readonly dstEid: number;
  readonly nonce: bigint;
  readonly guid: Hex;
  readonly sender: EvmAddress;
  readonly senderBytes32: Hex;
  readonly receiver: EvmAddress;
  readonly message: Hex;
  /** 81 bytes: what DVNs sign together with payloadHash. */
  readonly header: Hex;
  readonly headerHash: Hex;
  readonly payloadHash: Hex;
  readonly sendLibrary: EvmAddress;
  /** What the sender paid the executor for. */
  readonly lzReceive: { readonly gas: bigint; readonly value: bigint };
  readonly block: bigint;
}

export interface Site {
  readonly rpc: LabRpc;
  readonly deployment: ChainDeployment;
}

export interface Scan {
  readonly head: bigint;
  readonly packets: readonly LabPacket[];
}

/** Reads each packet of a chain once, in order, when `confirmations` blocks are on top of it. */
export function createScanner(site: Site, confirmations: number): () => Promise<Scan> {
  let next = BigInt(site.deployment.block) + 1n;
  return async () => {
    const head = await site.rpc.client.getBlockNumber();
    const deep = head - BigInt(confirmations);
    if (deep < next) return { head, packets: [] };
    const toBlock = deep < next + RANGE_MAX ? deep : next + RANGE_MAX - 1n;
    const logs = await site.rpc.client.getLogs({
      address: site.deployment.layerZero.endpoint,
      event: packetSent,
      fromBlock: next,
      toBlock,
      strict: true,
    });
    next = toBlock + 1n;
    return {
      head,
      packets: logs.map(({ args, blockNumber }) =>
        decodePacket(args.encodedPayload, args.options, evmAddress(args.sendLibrary), blockNumber),
      ),
    };
  };
}

function decodePacket(
  encoded: Hex,
  options: Hex,
  sendLibrary: EvmAddress,
  block: bigint,
): LabPacket {
  const packet = PacketV1Codec.from(encoded);
  const paid = Options.fromOptions(options).decodeExecutorLzReceiveOption();
  return {
    srcEid: packet.srcEid(),
    dstEid: packet.dstEid(),
    nonce: BigInt(packet.nonce()),
    guid: packet.guid() as Hex,
    sender: evmAddress(packet.senderAddressB20()),
    senderBytes32: packet.sender() as Hex,
    receiver: evmAddress(packet.receiverAddressB20()),
    message: packet.message() as Hex,
    header: packet.header() as Hex,
    headerHash: packet.headerHash() as Hex,
    payloadHash: packet.payloadHash() as Hex,
    sendLibrary,
    lzReceive: { gas: BigInt(paid?.gas ?? 0n), value: BigInt(paid?.value ?? 0n) },
    block,
  };
}

export const originOf = (packet: LabPacket) => ({
  srcEid: packet.srcEid,
  sender: packet.senderBytes32,
  nonce: packet.nonce,
});

const ulnViewAbi = parseAbi([
  'function verifiable(bytes packetHeader, bytes32 payloadHash) view returns (uint8)',
]);
const endpointViewAbi = parseAbi([
  'struct Origin { uint32 srcEid; bytes32 sender; uint64 nonce; }',
  'function executable(Origin origin, address receiver) view returns (uint8)',
]);

/** ReceiveUln302View.VerificationState, in its order. */
export const VERIFICATION = ['verifying', 'verifiable', 'verified', 'notInitializable'] as const;
/** EndpointV2View.ExecutionState, in its order. */
export const EXECUTION = [
  'notExecutable',
  'verifiedButNotExecutable',
  'executable',
  'executed',
] as const;

/** Where verification of a packet stands at its destination. */
export async function verificationOf(site: Site, packet: LabPacket) {
  const state = await site.rpc.client.readContract({
    address: site.deployment.layerZero.ulnView,
    abi: ulnViewAbi,
    functionName: 'verifiable',
    args: [packet.header, packet.payloadHash],
  });
  return VERIFICATION[state] ?? 'verifying';
}

/** Where execution of a packet stands at its destination. */
export async function executionOf(site: Site, packet: LabPacket) {
  const state = await site.rpc.client.readContract({
    address: site.deployment.layerZero.endpointView,
    abi: endpointViewAbi,
    functionName: 'executable',
    args: [originOf(packet), packet.receiver],
  });
  return EXECUTION[state] ?? 'notExecutable';
}
