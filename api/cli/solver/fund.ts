// `trimtab solver fund`: gives an account of the lab gas and tokens on every chain, from the faucet's
// publicly known key. Works on labs only: it reads the lab's own files, and there are none elsewhere.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Address,
  createWalletClient,
  http,
  parseAbi,
  parseEther,
  parseUnits,
  publicActions,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { LabAccounts } from '../../../solver/lab/accounts.ts';
import { parseNetwork } from '../../../solver/market/networkFile.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import type { ChainConfig, NetworkConfig } from '../../../solver/types/network.ts';

/** Per chain, whole tokens by asset. */
const GIFT: Readonly<Record<string, string>> = {
  USDC: '100000',
  ETH: '30',
  BTC: '1',
  LINK: '3000',
};
const GAS_ETHER = '10';

const tokenAbi = parseAbi([
  'function mint(address to, uint256 amount)',
  'function transfer(address to, uint256 amount) returns (bool)',
]);

/** Throws InvalidInput where no lab has run. */
export async function fundInLab(
  home: string,
  address: Address,
  say: (text: string) => void,
): Promise<void> {
  const { network, accounts } = readLab(home);
  const faucet = privateKeyToAccount(accounts.faucet.privateKey);
  for (const chain of network.chains) {
    await fundChain(chain, faucet, address);
    const gifts = Object.entries(GIFT).map(([asset, amount]) => `${amount} ${asset}`);
    say(`${chain.name}: ${GAS_ETHER} ether for gas, ${gifts.join(', ')}`);
  }
}

async function fundChain(
  chain: ChainConfig,
  faucet: ReturnType<typeof privateKeyToAccount>,
  to: Address,
): Promise<void> {
  const client = createWalletClient({
    account: faucet,
    transport: http(chain.rpcUrl),
    pollingInterval: 100,
  }).extend(publicActions);
  const mined = (hash: `0x${string}`) => client.waitForTransactionReceipt({ hash });
  await mined(await client.sendTransaction({ chain: null, to, value: parseEther(GAS_ETHER) }));
  for (const token of chain.tokens) {
    const amount = GIFT[token.asset];
    if (amount === undefined) continue;
    // Wrapped ether cannot be minted: the faucet holds some.
    const wrapped = token.address === chain.contracts.wrappedNative;
    await mined(
      await client.writeContract({
        chain: null,
        address: token.address,
        abi: tokenAbi,
        functionName: wrapped ? 'transfer' : 'mint',
        args: [to, parseUnits(amount, token.decimals)],
      }),
    );
  }
}

function readLab(home: string): { network: NetworkConfig; accounts: LabAccounts } {
  try {
    const text = (name: string) => JSON.parse(readFileSync(join(home, 'lab', name), 'utf8'));
    return { network: parseNetwork(text('network.json')), accounts: text('accounts.json') };
  } catch (error) {
    if (error instanceof InvalidInput) throw error;
    throw new InvalidInput('no lab has run here; `trimtab start` starts one', { pointer: home });
  }
}
