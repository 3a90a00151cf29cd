// The off-chain half of the executor on one source chain: commits what all required DVNs have
// attested and delivers it with the gas and value that were paid for. Committing is open to anyone;
// delivering goes through the Executor contract, which turns a revert into LzReceiveAlert.

import { encodeFunctionData, parseAbi, parseEventLogs } from 'viem';
import { Fault } from '../../types/errors.ts';
import type { LabLog } from '../log.ts';
import {
  createScanner,
  executionOf,
  type LabPacket,
  originOf,
  type Site,
  verificationOf,
} from './packets.ts';
import type { Sender } from './sender.ts';

const receiveUlnAbi = parseAbi([
  'function commitVerification(bytes packetHeader, bytes32 payloadHash)',
]);
const sendUlnAbi = parseAbi([
  'struct ExecutorConfig { uint32 maxMessageSize; address executor; }',
  'function getExecutorConfig(address oapp, uint32 remoteEid) view returns (ExecutorConfig config)',
]);
const executorAbi = parseAbi([
  'struct Origin { uint32 srcEid; bytes32 sender; uint64 nonce; }',
  'struct ExecutionParams { address receiver; Origin origin; bytes32 guid; bytes message; bytes extraData; uint256 gasLimit; }',
  'function execute302(ExecutionParams params) payable',
]);
const alertAbi = parseAbi([
  'struct Origin { uint32 srcEid; bytes32 sender; uint64 nonce; }',
  'event LzReceiveAlert(address indexed receiver, address indexed executor, Origin origin, bytes32 guid, uint256 gas, uint256 value, bytes message, bytes extraData, bytes reason)',
]);

/** commitVerification takes 73–80k; a first packet on a path more. */
const COMMIT_GAS = 200_000n;
/** execute302 beside what the receiver gets: the call needs 64/63 of that, and bytes cost gas. */
const EXECUTE_OVERHEAD_GAS = 200_000n;
const GAS_PER_BYTE = 16n;
const PENDING_MAX = 5000;
/** Failed deliveries after which a packet is left to whoever wants to deliver it. */
const DELIVERIES_MAX = 3;

interface Job {
  readonly packet: LabPacket;
  /** Whether the sender hired this executor; null until that has been read. */
  hired: boolean | null;
  deliveries: number;
}

export interface ExecutorWorkerOptions {
  readonly source: Site;
  readonly siteOf: (eid: number) => Site | undefined;
  readonly senderOf: (eid: number) => Sender;
  readonly confirmations: number;
  readonly log: LabLog;
}

/** One step over all packets under way. Repeating a step delivers nothing twice. */
export function createExecutorWorker(options: ExecutorWorkerOptions): () => Promise<void> {
  const scan = createScanner(options.source, options.confirmations);
  const jobs = new Set<Job>();
  return async () => {
    if (jobs.size < PENDING_MAX) {
      const { packets } = await scan();
      for (const packet of packets) jobs.add({ packet, hired: null, deliveries: 0 });
    }
    // Paths are independent: one that fails, or whose chain is down, must not hold up the others.
    const paths = new Map<string, Job[]>();
    for (const job of jobs) {
      const { sender, dstEid, receiver } = job.packet;
      const path = `${sender} ${dstEid} ${receiver}`;
      paths.set(path, [...(paths.get(path) ?? []), job]);
    }
    const outcomes = await Promise.allSettled(
      [...paths.values()].map((path) => advancePath(options, path, (job) => jobs.delete(job))),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  };
}

/** Packets of a path in order: none can be executed before all earlier ones are verified. */
async function advancePath(
  options: ExecutorWorkerOptions,
  path: readonly Job[],
  drop: (job: Job) => void,
): Promise<void> {
  for (const job of path) {
    const site = options.siteOf(job.packet.dstEid);
    job.hired ??= await isHired(options.source, job.packet);
    if (site === undefined || !job.hired) {
      drop(job);
      continue;
    }
    const outcome = await advance(options, site, job);
    if (outcome === 'waiting') return;
    if (outcome === 'over') drop(job);
  }
}

async function advance(
  options: ExecutorWorkerOptions,
  site: Site,
  job: Job,
): Promise<'waiting' | 'retry' | 'over'> {
  const { packet } = job;
  const verification = await verificationOf(site, packet);
  if (verification === 'verifying' || verification === 'notInitializable') return 'waiting';
  if (verification === 'verified') {
    const execution = await executionOf(site, packet);
    if (execution === 'executed') return 'over';
    if (execution !== 'executable') return 'waiting';
  }
  const sender = options.senderOf(packet.dstEid);
  // Commit and delivery go out together: one account's transactions are mined in order.
  const commit =
    verification === 'verifiable' ? await sender.submit(commitCall(site, packet)) : null;
  const execute = await sender.submit(executeCall(site, packet));
  if (commit !== null) {
    const { status } = await sender.mined(commit);
    if (status !== 'success') throw new Fault(`commit ${commit} on ${packet.dstEid} reverted`);
  }
  const receipt = await sender.mined(execute);
  const alerts = parseEventLogs({ abi: alertAbi, logs: receipt.logs });
  const about = { guid: packet.guid, srcEid: packet.srcEid, dstEid: packet.dstEid };
  if (receipt.status === 'success' && alerts.length === 0) {
    options.log.info('delivered', { ...about, nonce: Number(packet.nonce), tx: execute });
    return 'over';
  }
  job.deliveries += 1;
  const why = alerts[0]?.args.reason ?? 'transaction reverted';
  options.log.error('deliveryFailed', why, { ...about, tx: execute, deliveries: job.deliveries });
  return job.deliveries < DELIVERIES_MAX ? 'retry' : 'over';
}

function commitCall(site: Site, packet: LabPacket) {
  const data = encodeFunctionData({
    abi: receiveUlnAbi,
    functionName: 'commitVerification',
    args: [packet.header, packet.payloadHash],
  });
  return { to: site.deployment.layerZero.receiveUln, data, gas: COMMIT_GAS };
}

function executeCall(site: Site, packet: LabPacket) {
  const { receiver, guid, message, lzReceive } = packet;
  const data = encodeFunctionData({
    abi: executorAbi,
    functionName: 'execute302',
    args: [
      {
        ...{ receiver, guid, message },
        origin: originOf(packet),
        extraData: '0x',
        gasLimit: lzReceive.gas,
      },
    ],
  });
  const gas =
    (lzReceive.gas * 64n) / 63n + EXECUTE_OVERHEAD_GAS + GAS_PER_BYTE * BigInt(data.length / 2);
  return { to: site.deployment.layerZero.executor, data, value: lzReceive.value, gas };
}

async function isHired(source: Site, packet: LabPacket): Promise<boolean> {
  const { executor } = await source.rpc.client.readContract({
    address: packet.sendLibrary,
    abi: sendUlnAbi,
    functionName: 'getExecutorConfig',
    args: [packet.sender, packet.dstEid],
  });
  return executor.toLowerCase() === source.deployment.layerZero.executor;
}
