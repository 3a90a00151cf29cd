// What lab tests do on chain: a client per chain, a spare account's transactions, patient looks.

import {
  createPublicClient,
  type Hex,
  http,
  keccak256,
  type PublicClient,
  stringToHex,
} from 'viem';
import { roleAccount } from '../../solver/lab/accounts.ts';
import type { ChainDeployment } from '../../solver/lab/deployment.ts';
import type { LabHandle } from '../../solver/lab/lab.ts';
import { labRpc } from '../../solver/lab/rpc.ts';
import { createSender } from '../../solver/lab/workers/sender.ts';
import { present } from '../../solver/types/assert.ts';
import type { EvmAddress } from '../../solver/types/ids.ts';

export interface TestChain {
  readonly deployment: ChainDeployment;
  readonly url: string;
  readonly client: PublicClient;
  /** Sends as a role and returns the receipt; throws if it reverted. */
  send(
    role: 'faucet' | 'spare1' | 'spare2' | 'deployer',
    call: { readonly to: EvmAddress; readonly data: Hex; readonly value?: bigint },
  ): ReturnType<ReturnType<typeof createSender>['mined']>;
  /** Puts code at a new address of its own, by the real thing: a creation transaction. */
  create(code: Hex): Promise<EvmAddress>;
}

export function testChains(lab: LabHandle): readonly TestChain[] {
  return lab.deployment.chains.map((deployment, index) => {
    const url = present(lab.network.chains[index]?.rpcUrl, 'RPC URL');
    const rpc = labRpc(deployment.chainId, url);
    const senders = new Map<string, ReturnType<typeof createSender>>();
    const client = createPublicClient({ transport: http(url) });
    const send: TestChain['send'] = async (role, call) => {
      const sender = senders.get(role) ?? createSender(rpc, role, 50);
      senders.set(role, sender);
      const hash = await sender.submit({ ...call, gas: 3_000_000n });
      const receipt = await sender.mined(hash);
      if (receipt.status !== 'success') throw new Error(`${role}: ${hash} reverted`);
      return receipt;
    };
    const create: TestChain['create'] = async (code) => {
      const salt = keccak256(stringToHex(`${roleAccount('spare1').address}${code}`));
      const deployer = '0x4e59b44847b379578588920ca78fbf26c0b4956c' as EvmAddress;
      const { data } = await client.call({ to: deployer, data: `${salt}${code.slice(2)}` });
      await send('spare1', { to: deployer, data: `${salt}${code.slice(2)}` });
      return present(data, 'created address') as EvmAddress;
    };
    return { deployment, url, client, send, create };
  });
}

/** Looks every 100 ms until `look` answers true; throws, naming `what`, after a minute. */
export async function eventually(what: string, look: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await look()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`did not happen within a minute: ${what}`);
}
