// The chains of a network file as they are now: reachable, the right ones, fresh; contracts that are
// there and set up as PROTOCOL demands; feeds that publish; an account that can pay.

import { createPublicClient, http, pad, parseAbi } from 'viem';
import { layerZeroOracleAbi } from '../../../contracts-abi/abi/layerZeroOracle.ts';
import { readBalances } from '../../../solver/adapters/balanceReader.ts';
import { readFeeds } from '../../../solver/adapters/feedReader.ts';
import { createViemChain } from '../../../solver/adapters/viemChain.ts';
import type { EvmAddress } from '../../../solver/types/ids.ts';
import type { ChainConfig, NetworkConfig } from '../../../solver/types/network.ts';
import type { BlockRef, Chain } from '../../../solver/types/ports.ts';
import { type Finding, fail, guarded, ok, warn } from './findings.ts';

const GAS_WARN = 50_000_000_000_000_000n;
const STALE_BLOCKS = 30;
const STALE_SECONDS_MIN = 60;
const NOBODY = `0x${'0'.repeat(40)}`;
const settlerAbi = parseAbi(['function MIN_PROOF_WINDOW() view returns (uint32)']);

export async function checkChains(
  network: NetworkConfig,
  filler: EvmAddress | null,
): Promise<readonly Finding[]> {
  const each = network.chains.map((config) =>
    guarded(nameOf(config), `see that ${originOf(config.rpcUrl)} answers for it`, () =>
      checkChain(network, config, filler),
    ),
  );
  return (await Promise.all(each)).flat();
}

const nameOf = ({ name, chainId }: ChainConfig) => `chain ${name} (${chainId})`;
/** A provider's path may hold its key. */
const originOf = (url: string) => new URL(url).origin;

async function checkChain(
  network: NetworkConfig,
  config: ChainConfig,
  filler: EvmAddress | null,
): Promise<readonly Finding[]> {
  const name = nameOf(config);
  const { chainId, rpcUrl, confirmations } = config;
  const { multicall3 } = config.contracts;
  // The first answer checks the chain id as well.
  const chain = createViemChain({ chainId, rpcUrl, confirmations, multicall3 });
  const head = await chain.block('latest');
  const contracts = `compare the addresses of chain ${chainId} in network.json with the deployment`;
  const parts = await Promise.all([
    guarded(`${name} contracts`, contracts, () => checkCode(config)),
    guarded(`${name} settings`, contracts, () => checkSettings(network, config)),
    guarded(`${name} feeds`, 'compare the feeds’ addresses', () => checkFeeds(config, chain, head)),
    guarded(`${name} filler`, 'fund the filler there', () =>
      checkFiller(config, chain, head, filler),
    ),
  ]);
  return [headFinding(config, head), ...parts.flat()];
}

function headFinding(config: ChainConfig, head: BlockRef): Finding {
  const age = Math.max(0, Math.round(Date.now() / 1000 - head.timestamp));
  const detail = `block ${head.number}, ${age} s old`;
  const limit = Math.max(STALE_SECONDS_MIN, STALE_BLOCKS * config.blockSeconds);
  if (age <= limit) return ok(nameOf(config), detail);
  return fail(nameOf(config), detail, 'the node is behind or the chain stands: change its rpcUrl');
}

const clientOf = ({ rpcUrl }: ChainConfig) => createPublicClient({ transport: http(rpcUrl) });

async function checkCode(config: ChainConfig): Promise<readonly Finding[]> {
  const client = clientOf(config);
  const named: [string, EvmAddress][] = [
    ...Object.entries(config.contracts),
    ...config.tokens.map(({ symbol, address }) => [symbol, address] as [string, EvmAddress]),
    ...config.pools.map(({ id, address }) => [id, address] as [string, EvmAddress]),
  ];
  const codes = await Promise.all(named.map(([, address]) => client.getCode({ address })));
  const empty = named.filter((_, i) => codes[i] === undefined || codes[i] === '0x');
  const name = `${nameOf(config)} contracts`;
  if (empty.length === 0) return [ok(name, `${named.length} have code`)];
  const detail = `no code at ${empty.map(([what, at]) => `${what} ${at}`).join(', ')}`;
  return [fail(name, detail, 'correct the address in network.json, or deploy it')];
}

/** Nobody may change the oracle's paths, and each path leads to the other chain's oracle. */
async function checkSettings(
  network: NetworkConfig,
  config: ChainConfig,
): Promise<readonly Finding[]> {
  const client = clientOf(config);
  const oracle = { address: config.contracts.layerZeroOracle, abi: layerZeroOracleAbi } as const;
  const name = `${nameOf(config)} settings`;
  const wrong: string[] = [];
  const owner = await client.readContract({ ...oracle, functionName: 'owner' });
  if (owner !== NOBODY) wrong.push(`the oracle is not frozen: ${owner} may change its paths`);
  for (const other of network.chains) {
    if (other === config) continue;
    const args = [other.eid] as const;
    const peer = await client.readContract({ ...oracle, functionName: 'peers', args });
    const [chainId] = await client.readContract({ ...oracle, functionName: 'paths', args });
    const wanted = pad(other.contracts.layerZeroOracle, { size: 32 });
    if (peer.toLowerCase() !== wanted) wrong.push(`its peer at eid ${other.eid} is ${peer}`);
    if (Number(chainId) !== other.chainId) wrong.push(`eid ${other.eid} is chain ${chainId} to it`);
  }
  const window = await client.readContract({
    address: config.contracts.portfolioSettler,
    abi: settlerAbi,
    functionName: 'MIN_PROOF_WINDOW',
  });
  if (Number(window) !== network.minProofWindowSeconds) {
    wrong.push(`MIN_PROOF_WINDOW is ${window}, network.json says ${network.minProofWindowSeconds}`);
  }
  if (wrong.length === 0) return [ok(name, 'oracle frozen, peers and proof window as listed')];
  return [
    fail(name, wrong.join('; '), 'do not serve this network: its contracts are not as listed'),
  ];
}

async function checkFeeds(
  config: ChainConfig,
  chain: Chain,
  head: BlockRef,
): Promise<readonly Finding[]> {
  const feeds = await readFeeds(chain, config.tokens, head);
  const late = config.tokens.flatMap(({ symbol, address, feedHeartbeatSeconds }) => {
    const reading = feeds.get(address);
    if (reading === undefined) return [`${symbol} does not answer`];
    const age = head.timestamp - reading.updatedAt;
    return age > feedHeartbeatSeconds ? [`${symbol} is ${age} s old`] : [];
  });
  const name = `${nameOf(config)} feeds`;
  if (late.length === 0) return [ok(name, `${config.tokens.length} fresh`)];
  return [warn(name, late.join(', '), 'quotes that need them are refused until they publish')];
}

async function checkFiller(
  config: ChainConfig,
  chain: Chain,
  head: BlockRef,
  filler: EvmAddress | null,
): Promise<readonly Finding[]> {
  const name = `${nameOf(config)} filler`;
  if (filler === null) return [];
  const tokens = config.tokens.map(({ address }) => address);
  const [gas, balances] = await Promise.all([
    chain.balance(filler, head),
    readBalances(chain, tokens, filler, head),
  ]);
  const held = config.tokens.filter(({ address }) => (balances.get(address) ?? 0n) > 0n);
  const detail = `${(Number(gas) / 1e18).toFixed(3)} for gas; holds ${
    held.map(({ symbol }) => symbol).join(', ') || 'no token'
  }`;
  if (gas === 0n) return [fail(name, detail, `send native coin to ${filler}`)];
  if (gas < GAS_WARN) return [warn(name, detail, `send more native coin to ${filler}`)];
  if (held.length > 0) return [ok(name, detail)];
  return [warn(name, detail, 'without inventory it can only buy what it delivers')];
}
