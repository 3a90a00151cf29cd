// The off-chain half of one DVN on one source chain: waits until a packet is as deep as its sender
// asks, signs it with this DVN's own key, and has the DVN contract attest it at the destination.

import { encodeFunctionData, encodePacked, keccak256, parseAbi, parseEventLogs } from 'viem';
import { Fault } from '../../types/errors.ts';
import type { Hex } from '../../types/ids.ts';
import { roleAccount } from '../accounts.ts';
import { dvnVid } from '../deploy/layerZero.ts';
import type { LabLog } from '../log.ts';
import { createScanner, type LabPacket, type Site, verificationOf } from './packets.ts';
import type { Sender } from './sender.ts';

const ulnAbi = parseAbi([
  'struct UlnConfig { uint64 confirmations; uint8 requiredDVNCount; uint8 optionalDVNCount; uint8 optionalDVNThreshold; address[] requiredDVNs; address[] optionalDVNs; }',
  'function getUlnConfig(address oapp, uint32 remoteEid) view returns (UlnConfig config)',
  'function hashLookup(bytes32 headerHash, bytes32 payloadHash, address dvn) view returns (bool submitted, uint64 confirmations)',
  'function verify(bytes packetHeader, bytes32 payloadHash, uint64 confirmations)',
]);
const dvnAbi = parseAbi([
  'struct ExecuteParam { uint32 vid; address target; bytes callData; uint256 expiration; bytes signatures; }',
  'function execute(ExecuteParam[] params)',
  'event VerifySignaturesFailed(uint256 idx)',
  'event ExecuteFailed(uint256 index, bytes data)',
]);

/** Packets attested by one transaction; each needs some 70k gas. */
const BATCH_MAX = 20;
const GAS_PER_PACKET = 150_000n;
const PENDING_MAX = 5000;
const ATTEMPTS_MAX = 20;
const EXPIRES_AFTER_SECONDS = 86_400;

interface Job {
  readonly packet: LabPacket;
  /** What the sender's configuration asks; null until that has been read. */
  confirmations: bigint | null;
  attempts: number;
}

export interface DvnWorkerOptions {
  readonly role: 'dvnA' | 'dvnB';
  readonly source: Site;
  readonly siteOf: (eid: number) => Site | undefined;
  readonly senderOf: (eid: number) => Sender;
  /** Blocks are read this deep at the earliest. */
  readonly confirmations: number;
  readonly log: LabLog;
}

/** One step: find new packets, attest those that are due. Repeating it attests nothing twice. */
export function createDvnWorker(options: DvnWorkerOptions): () => Promise<void> {
  const scan = createScanner(options.source, options.confirmations);
  const jobs = new Set<Job>();
  return async () => {
    if (jobs.size < PENDING_MAX) {
      // The scanner hands each packet out once: kept before anything else can fail.
      const { packets } = await scan();
      for (const packet of packets) jobs.add({ packet, confirmations: null, attempts: 0 });
    }
    if (jobs.size === 0) return;
    for (const job of jobs) {
      if (job.confirmations !== null) continue;
      job.confirmations = await hiredFor(options, job.packet);
      if (job.confirmations === null) jobs.delete(job);
    }
    const head = await options.source.rpc.client.getBlockNumber();
    const due = [...jobs].filter((job) => head >= job.packet.block + (job.confirmations ?? head));
    for (const eid of new Set(due.map(({ packet }) => packet.dstEid))) {
      const batch = due.filter(({ packet }) => packet.dstEid === eid).slice(0, BATCH_MAX);
      for (const job of await attest(options, eid, batch)) jobs.delete(job);
    }
  };
}

/** The confirmations the sender asks of this DVN, or null if it did not hire it. */
async function hiredFor(options: DvnWorkerOptions, packet: LabPacket): Promise<bigint | null> {
  const { source, role } = options;
  const config = await source.rpc.client.readContract({
    address: packet.sendLibrary,
    abi: ulnAbi,
    functionName: 'getUlnConfig',
    args: [packet.sender, packet.dstEid],
  });
  const hired = [...config.requiredDVNs, ...config.optionalDVNs];
  const self = source.deployment.layerZero[role];
  return hired.some((dvn) => dvn.toLowerCase() === self) ? config.confirmations : null;
}

/** Attests what is not attested yet and returns the jobs that need nothing more. */
async function attest(options: DvnWorkerOptions, eid: number, jobs: Job[]): Promise<Job[]> {
  const { role, log } = options;
  const site = options.siteOf(eid);
  if (site === undefined) return jobs;
  const over: Job[] = [];
  const open: Job[] = [];
  for (const job of jobs) {
    if (job.attempts >= ATTEMPTS_MAX) {
      log.error('gaveUp', 'attestation kept failing', { role, guid: job.packet.guid });
      over.push(job);
    } else {
      const list = (await isAttested(site, role, job)) ? over : open;
      list.push(job);
    }
  }
  if (open.length === 0) return over;
  for (const job of open) job.attempts += 1;
  const params = await Promise.all(open.map((job) => instruction(site, role, job)));
  const data = encodeFunctionData({ abi: dvnAbi, functionName: 'execute', args: [params] });
  const sender = options.senderOf(eid);
  const hash = await sender.submit({
    to: site.deployment.layerZero[role],
    data,
    gas: 60_000n + GAS_PER_PACKET * BigInt(open.length),
  });
  const receipt = await sender.mined(hash);
  // A wrong signature or a failed call does not revert: only the events tell.
  const failures = parseEventLogs({ abi: dvnAbi, logs: receipt.logs });
  if (receipt.status !== 'success' || failures.length > 0) {
    const what = failures.map(({ eventName }) => eventName).join(', ') || 'reverted';
    throw new Fault(`${role}: attestation ${hash} on ${eid}: ${what}`);
  }
  for (const { packet } of open) {
    const { guid, srcEid, dstEid } = packet;
    log.info('attested', { role, guid, srcEid, dstEid, nonce: Number(packet.nonce), tx: hash });
  }
  return [...over, ...open];
}

async function isAttested(site: Site, role: 'dvnA' | 'dvnB', job: Job): Promise<boolean> {
  const { layerZero } = site.deployment;
  const [submitted, confirmations] = await site.rpc.client.readContract({
    address: layerZero.receiveUln,
    abi: ulnAbi,
    functionName: 'hashLookup',
    args: [job.packet.headerHash, job.packet.payloadHash, layerZero[role]],
  });
  if (submitted && confirmations >= (job.confirmations ?? 0n)) return true;
  return (await verificationOf(site, job.packet)) === 'verified';
}

/** EIP-191 over keccak256(vid ‖ target ‖ expiration ‖ callData), as DVN.hashCallData has it. */
async function instruction(site: Site, role: 'dvnA' | 'dvnB', job: Job) {
  const vid = dvnVid(site.deployment.eid);
  const target = site.deployment.layerZero.receiveUln;
  const callData = encodeFunctionData({
    abi: ulnAbi,
    functionName: 'verify',
    args: [job.packet.header, job.packet.payloadHash, job.confirmations ?? 0n],
  });
  const { timestamp } = await site.rpc.client.getBlock();
  const expiration = timestamp + BigInt(EXPIRES_AFTER_SECONDS);
  const digest = keccak256(
    encodePacked(['uint32', 'address', 'uint256', 'bytes'], [vid, target, expiration, callData]),
  );
  const signatures: Hex = await roleAccount(role).signMessage({ message: { raw: digest } });
  return { vid, target, callData, expiration, signatures };
}
