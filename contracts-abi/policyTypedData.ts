// What an owner signs about a standing policy, under the same domain as orders: a policy is
// off-chain data for all chains at once, so the domain names neither a chain nor a contract. The
// document is signed by its hash (keccak256 over its RFC 8785 canonical JSON), which is also the
// commitment shown of a private policy. It signs and checks nothing.

import { type Address, type Hex, hashStruct, hashTypedData } from 'viem';
import { domain } from './typedData.ts';

export interface SignedPolicy {
  readonly owner: Address;
  /** keccak256 of the document's canonical JSON. */
  readonly document: Hex;
  readonly nonce: bigint;
  /** Unix seconds; 0: never. */
  readonly expires: number;
}

const domainType = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
] as const;

const policyTypes = {
  Policy: [
    { name: 'owner', type: 'address' },
    { name: 'document', type: 'bytes32' },
    { name: 'nonce', type: 'uint256' },
    { name: 'expires', type: 'uint32' },
  ],
} as const;
const revokeTypes = { RevokePolicy: [{ name: 'policyId', type: 'bytes32' }] } as const;
const resumeTypes = {
  ResumePolicy: [
    { name: 'policyId', type: 'bytes32' },
    { name: 'haltedEvent', type: 'uint64' },
  ],
} as const;
const readTypes = {
  ReadPolicy: [
    { name: 'policyId', type: 'bytes32' },
    { name: 'validUntil', type: 'uint32' },
  ],
} as const;

/** policyId: EIP-712 struct hash of what arms it. */
export function hashPolicy(policy: SignedPolicy): Hex {
  return hashStruct({ primaryType: 'Policy', types: policyTypes, data: policy });
}

/** What the owner signs to arm a policy. */
export function policyDigest(policy: SignedPolicy): Hex {
  return hashTypedData({ domain, types: policyTypes, primaryType: 'Policy', message: policy });
}

/** What the owner signs to end a policy for good. */
export function revokePolicyDigest(policyId: Hex): Hex {
  const message = { policyId };
  return hashTypedData({ domain, types: revokeTypes, primaryType: 'RevokePolicy', message });
}

/**
 * What the owner signs to let a halted policy go on: one halt only, named by its event's `number`,
 * so that the signature is worth nothing after the next halt.
 */
export function resumePolicyDigest(policyId: Hex, haltedEvent: number): Hex {
  const message = { policyId, haltedEvent: BigInt(haltedEvent) };
  return hashTypedData({ domain, types: resumeTypes, primaryType: 'ResumePolicy', message });
}

/** What the owner signs to read a private policy until `validUntil`, Unix seconds. */
export function readPolicyDigest(policyId: Hex, validUntil: number): Hex {
  const message = { policyId, validUntil };
  return hashTypedData({ domain, types: readTypes, primaryType: 'ReadPolicy', message });
}

const payload = <Types extends object, Name extends string, Message extends object>(
  types: Types,
  primaryType: Name,
  message: Message,
) => ({ domain, types: { EIP712Domain: domainType, ...types }, primaryType, message });

/** The JSON a wallet signs with eth_signTypedData_v4; uint256 and uint64 are decimal strings. */
export const policyPayload = (policy: SignedPolicy) =>
  payload(policyTypes, 'Policy', { ...policy, nonce: policy.nonce.toString() });
export const revokePolicyPayload = (policyId: Hex) =>
  payload(revokeTypes, 'RevokePolicy', { policyId });
export const resumePolicyPayload = (policyId: Hex, haltedEvent: number) =>
  payload(resumeTypes, 'ResumePolicy', { policyId, haltedEvent: haltedEvent.toString() });
export const readPolicyPayload = (policyId: Hex, validUntil: number) =>
  payload(readTypes, 'ReadPolicy', { policyId, validUntil });
