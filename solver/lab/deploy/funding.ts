// Who holds what when the lab opens: gas for every role, liquidity for the pools, the sample
// wallet's drifted portfolio, the fillers' finite inventories, and a faucet for tests.

import { encodeFunctionData, parseAbi, parseEther, parseUnits } from 'viem';
import { present } from '../../types/assert.ts';
import type { TokenConfig } from '../../types/network.ts';
import { LAB_ROLES, type LabRole, roleAddress } from '../accounts.ts';
import {
  ASSETS,
  type AssetName,
  FAUCET_WETH,
  GAS_ALLOWANCE,
  type Holdings,
  type LabChain,
  NATIVE_ASSET,
} from '../setup.ts';
import type { Batch } from './batch.ts';

const tokenAbi = parseAbi([
  'function mint(address to, uint256 amount)',
  'function deposit() payable',
  'function transfer(address to, uint256 amount) returns (bool)',
]);

/** Ether anvil gives to `deployer` at genesis, whole tokens; all other ether comes from it. */
export const GENESIS_ETHER = 1_000_000;

/** Queues gas for every role. Flush before any role but `deployer` acts. */
export function fundGas(batch: Batch): void {
  for (const role of LAB_ROLES) {
    const ether = GAS_ALLOWANCE[role];
    if (ether === undefined) continue;
    batch.call(`gas for ${role}`, roleAddress(role), '0x', { value: parseEther(ether) });
  }
}

/** Roles whose holdings on each chain setup.ts states. */
const HOLDERS = ['wallet', 'filler', 'rivalGreedy', 'rivalInventory'] as const;

/** Queues tokens for pools, wallet, fillers and faucet. Flush before the pools are seeded. */
export function fundTokens(batch: Batch, chain: LabChain, tokens: readonly TokenConfig[]): void {
  const give = (role: LabRole, asset: AssetName, amount: bigint) => {
    const token = present(
      tokens.find((candidate) => candidate.asset === asset),
      `token of ${asset}`,
    );
    if (asset === NATIVE_ASSET) {
      const deposit = encodeFunctionData({ abi: tokenAbi, functionName: 'deposit' });
      batch.call(`wrap for ${role}`, token.address, deposit, { value: amount });
      if (role === 'deployer') return;
      const transfer = {
        abi: tokenAbi,
        functionName: 'transfer',
        args: [roleAddress(role), amount],
      } as const;
      batch.call(`WETH for ${role}`, token.address, encodeFunctionData(transfer));
    } else {
      const mint = {
        abi: tokenAbi,
        functionName: 'mint',
        args: [roleAddress(role), amount],
      } as const;
      const data = encodeFunctionData(mint);
      batch.call(`${asset} for ${role}`, token.address, data, { from: 'faucet' });
    }
  };
  for (const { asset, decimals } of ASSETS) {
    give('deployer', asset, parseUnits(liquidityOf(chain, asset), decimals));
    for (const role of HOLDERS) {
      const amount = (chain[role] as Holdings)[asset];
      if (amount !== undefined) give(role, asset, parseUnits(amount, decimals));
    }
  }
  give('faucet', NATIVE_ASSET, parseEther(FAUCET_WETH));
}

/** Whole tokens that cover one side of every pool of the asset; concentrated ones may need all. */
function liquidityOf(chain: LabChain, asset: AssetName): string {
  const { dollars } = present(
    ASSETS.find((candidate) => candidate.asset === asset),
    `asset ${asset}`,
  );
  const pools = chain.pools.filter(({ pair }) => pair.includes(asset));
  const worth = pools.reduce((sum, pool) => sum + pool.dollars, 0);
  return String(Math.ceil((worth / dollars) * 1.05));
}
