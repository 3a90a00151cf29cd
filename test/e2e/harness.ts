// What the end-to-end tests share: a world of their own (database, three real chains, service) and a
// wallet in it that quotes, approves, signs and follows as any user would.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Address,
  createWalletClient,
  erc20Abi,
  type Hex,
  http,
  parseAbi,
  parseUnits,
  publicActions,
} from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { readPortfolio } from '../../api/cli/portfolio.ts';
import type { Reporter } from '../../api/cli/reporter.ts';
import {
  approve,
  askQuote,
  followOrder,
  type OfferedQuote,
  submit,
} from '../../api/cli/sampleWallet.ts';
import { openWorld, type World, type WorldOptions } from '../../api/cli/world.ts';
import { orderFromJson } from '../../contracts-abi/orderJson.ts';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { present } from '../../solver/types/assert.ts';
import type { EvmAddress } from '../../solver/types/ids.ts';
import type { ChainConfig, NetworkConfig } from '../../solver/types/network.ts';

const silent: Reporter = { step: () => {}, progress: () => {} };

/** A world in a folder of its own; `close` ends it and removes the folder. */
export interface OwnWorld {
  readonly world: World;
  readonly home: string;
  close(): Promise<void>;
}

type OwnWorldOptions = Partial<Pick<WorldOptions, 'lab' | 'solver'>>;

/** For files whose tests share one world; nothing is left if it does not open. */
export async function openOwnWorld(options: OwnWorldOptions): Promise<OwnWorld> {
  const home = await mkdtemp(join(tmpdir(), 'trimtab-e2e-'));
  const remove = () => rm(home, { recursive: true, force: true });
  try {
    const world = await openWorld({
      home,
      port: 0,
      // A test asks more in a minute than anybody else may.
      requestsPerMinute: 1_000_000,
      reporter: silent,
      // Still prices: worth before and after is compared at one set of prices.
      lab: { volatilityBps: 0, whilePid: process.pid, ...options.lab },
      solver: { log: (error, where) => console.error(where, error), ...options.solver },
    });
    return { world, home, close: () => world.close().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Opens a world in a folder of its own, runs `body`, and removes both whatever happens. */
export async function withWorld<T>(
  options: OwnWorldOptions,
  body: (world: World, home: string) => Promise<T>,
): Promise<T> {
  const { world, home, close } = await openOwnWorld(options);
  try {
    return await body(world, home);
  } finally {
    await close();
  }
}

export const clientOf = (chain: ChainConfig, account: PrivateKeyAccount) =>
  createWalletClient({ account, transport: http(chain.rpcUrl) }).extend(publicActions);

export const chainOf = (network: NetworkConfig, id: number): ChainConfig =>
  present(
    network.chains.find(({ chainId }) => chainId === id),
    `chain ${id}`,
  );

const tokenOf = (chain: ChainConfig, asset: string) =>
  present(
    chain.tokens.find((token) => token.asset === asset),
    `${asset} on ${chain.chainId}`,
  );

/** Moves whole tokens from one lab role's balance to an account. */
export async function give(
  { lab }: World,
  chainId: number,
  asset: string,
  amount: string,
  to: Address,
  from: 'faucet' | 'filler' | 'wallet' = 'faucet',
): Promise<void> {
  const chain = chainOf(lab.network, chainId);
  const token = tokenOf(chain, asset);
  const account = privateKeyToAccount(lab.accounts[from].privateKey);
  const client = clientOf(chain, account);
  const units = parseUnits(amount, token.decimals);
  const mints = from === 'faucet' && token.symbol !== 'WETH';
  const hash = await client.writeContract({
    chain: null,
    address: token.address,
    abi: parseAbi([
      'function mint(address to, uint256 amount)',
      'function transfer(address to, uint256 amount) returns (bool)',
    ]),
    functionName: mints ? 'mint' : 'transfer',
    args: [to, units],
  });
  await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
}

export interface PlacedOrder {
  readonly orderId: Hex;
  readonly quote: OfferedQuote;
  readonly order: PortfolioOrder;
}

/** Quote → approvals → one signature → submission. */
export async function placeOrder(
  { api, lab }: World,
  account: PrivateKeyAccount,
  targets: Parameters<typeof askQuote>[2],
): Promise<PlacedOrder> {
  const quote = await askQuote(api.url, account.address, targets);
  await approve(lab.network, account, quote.metadata.approvals, () => {});
  const signature = await account.signTypedData(quote.order.payload);
  const orderId = await submit(api.url, quote.quoteId, signature);
  return { orderId, quote, order: orderFromJson(quote.order.payload.message as never) };
}

/** Every event type of the order until it is over; throws after `ms`. */
export async function followToEnd(world: World, orderId: Hex, ms = 150_000): Promise<string[]> {
  const seen: string[] = [];
  for await (const { type } of followOrder(world.api.url, orderId, AbortSignal.timeout(ms))) {
    seen.push(type);
  }
  return seen;
}

/** Balance of every configured token, `<chainId>:<symbol>` → base units. */
export async function balancesOf(
  network: NetworkConfig,
  owner: Address,
): Promise<ReadonlyMap<string, bigint>> {
  const positions = await readPortfolio(network, owner.toLowerCase() as EvmAddress);
  return new Map(positions.map((p) => [`${p.chainId}:${p.symbol}`, p.amount]));
}

/** Dollars at the feeds, native coin for gas included. */
export async function worthOf(network: NetworkConfig, owner: Address): Promise<number> {
  const positions = await readPortfolio(network, owner.toLowerCase() as EvmAddress);
  let worth = positions.reduce((sum, position) => sum + position.worth, 0);
  for (const chain of network.chains) {
    const native = tokenOf(chain, chain.nativeAsset);
    const client = clientOf(chain, SOMEONE);
    const balance = await client.getBalance({ address: owner });
    const [, answer] = await client.readContract({
      address: native.feed,
      abi: parseAbi([
        'function latestRoundData() view returns (uint80,int256,uint256,uint256,uint80)',
      ]),
      functionName: 'latestRoundData',
    });
    worth += (Number(balance) / 1e18) * (Number(answer) / 1e8);
  }
  return worth;
}

/** What every chain's PortfolioSettler holds, all tokens together. */
export async function escrowed(network: NetworkConfig): Promise<bigint> {
  let total = 0n;
  for (const chain of network.chains) {
    const client = clientOf(chain, SOMEONE);
    for (const { address } of chain.tokens) {
      total += await client.readContract({
        address,
        abi: erc20Abi,
        functionName: 'balanceOf',
        args: [chain.contracts.portfolioSettler],
      });
    }
  }
  return total;
}

/** Reads only: any key will do. */
const SOMEONE = privateKeyToAccount(`0x${'11'.repeat(32)}`);
