// One key per role, so that no two actors share a nonce. Derived from the lab's public phrase:
// anyone knows them; they hold nothing outside the lab.

import { bytesToHex } from 'viem';
import { type HDAccount, mnemonicToAccount } from 'viem/accounts';
import { present } from '../types/assert.ts';
import { type EvmAddress, evmAddress, type Hex } from '../types/ids.ts';
import { LAB_MNEMONIC } from './setup.ts';

/** In order of derivation: a new role goes to the end. */
export const LAB_ROLES = [
  /** Owns LayerZero's contracts and the pools' liquidity. */
  'deployer',
  'dvnA',
  'dvnB',
  /** Commits verifications and executes messages. */
  'executor',
  /** Publishes prices. */
  'publisher',
  /** The sample user, whose portfolio has drifted. */
  'wallet',
  /** Our own filler, with a finite inventory on each chain. */
  'filler',
  'auctioneer',
  /** The refund watcher. */
  'guardian',
  /** May mint the lab's tokens; holds WETH to give away. */
  'faucet',
  /** For tests: gas, no tokens. */
  'spare1',
  'spare2',
  'spare3',
  /** Rival solvers of the sample market, each with an inventory of its own. */
  'rivalGreedy',
  'rivalInventory',
] as const;
export type LabRole = (typeof LAB_ROLES)[number];

export interface LabAccount {
  readonly address: EvmAddress;
  readonly privateKey: Hex;
}
/** accounts.json. */
export type LabAccounts = Readonly<Record<LabRole, LabAccount>>;

/** The viem account of a role. */
export function roleAccount(role: LabRole): HDAccount {
  const known = accounts.get(role);
  if (known !== undefined) return known;
  const account = mnemonicToAccount(LAB_MNEMONIC, { addressIndex: LAB_ROLES.indexOf(role) });
  accounts.set(role, account);
  return account;
}
const accounts = new Map<LabRole, HDAccount>();

export const roleAddress = (role: LabRole): EvmAddress => evmAddress(roleAccount(role).address);

/** Every role's address and key, as written to accounts.json. */
export function labAccounts(): LabAccounts {
  const entries = LAB_ROLES.map((role) => {
    const key = present(roleAccount(role).getHdKey().privateKey, `private key of ${role}`);
    return [role, { address: roleAddress(role), privateKey: bytesToHex(key) }] as const;
  });
  return Object.fromEntries(entries) as Record<LabRole, LabAccount>;
}
