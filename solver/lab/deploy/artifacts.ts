// Published creation codes: LayerZero, Uniswap, Chainlink, WETH9 and Multicall3, read from the npm
// packages that carry them. Nothing of theirs is copied into our source.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fault } from '../../types/errors.ts';
import type { Hex } from '../../types/ids.ts';

const LZ_LIB = '@layerzerolabs/lz-evm-messagelib-v2/artifacts/contracts';
const LZ_PROTOCOL = '@layerzerolabs/lz-evm-protocol-v2/artifacts/contracts';
const V3_PERIPHERY = '@uniswap/v3-periphery/artifacts/contracts';

/** Paths below node_modules. */
export const PUBLISHED = {
  endpointV2: `${LZ_PROTOCOL}/EndpointV2.sol/EndpointV2.json`,
  endpointV2View: `${LZ_PROTOCOL}/EndpointV2View.sol/EndpointV2View.json`,
  sendUln302: `${LZ_LIB}/uln/uln302/SendUln302.sol/SendUln302.json`,
  receiveUln302: `${LZ_LIB}/uln/uln302/ReceiveUln302.sol/ReceiveUln302.json`,
  receiveUln302View: `${LZ_LIB}/uln/uln302/ReceiveUln302View.sol/ReceiveUln302View.json`,
  dvn: `${LZ_LIB}/uln/dvn/DVN.sol/DVN.json`,
  dvnFeeLib: `${LZ_LIB}/uln/dvn/DVNFeeLib.sol/DVNFeeLib.json`,
  executor: `${LZ_LIB}/Executor.sol/Executor.json`,
  executorFeeLib: `${LZ_LIB}/ExecutorFeeLib.sol/ExecutorFeeLib.json`,
  priceFeed: `${LZ_LIB}/PriceFeed.sol/PriceFeed.json`,
  treasury: `${LZ_LIB}/Treasury.sol/Treasury.json`,
  uniswapV2Factory: '@uniswap/v2-core/build/UniswapV2Factory.json',
  uniswapV2Pair: '@uniswap/v2-core/build/UniswapV2Pair.json',
  uniswapV3Factory:
    '@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json',
  uniswapV3Pool: '@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json',
  uniswapV3Positions: `${V3_PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json`,
  uniswapV3Quoter: `${V3_PERIPHERY}/lens/QuoterV2.sol/QuoterV2.json`,
  uniswapV3Router: `${V3_PERIPHERY}/SwapRouter.sol/SwapRouter.json`,
  fluxAggregator: '@chainlink/abi/v0.6/FluxAggregator.json',
  aggregatorProxy: '@chainlink/abi/v0.6/EACAggregatorProxy.json',
  weth9: 'canonical-weth/build/contracts/WETH9.json',
} as const;
export type PublishedName = keyof typeof PUBLISHED;

/** Packages whose versions decide what the lab is made of: part of the cache key. */
export const PUBLISHED_PACKAGES = [
  '@layerzerolabs/lz-evm-messagelib-v2',
  '@layerzerolabs/lz-evm-protocol-v2',
  '@uniswap/v2-core',
  '@uniswap/v3-core',
  '@uniswap/v3-periphery',
  '@chainlink/abi',
  'canonical-weth',
  '@openzeppelin/contracts',
  'viem',
  'solc',
] as const;

const codes = new Map<PublishedName, Hex>();

/** A published contract's creation code, without constructor arguments. */
export function creationCode(name: PublishedName): Hex {
  const known = codes.get(name);
  if (known !== undefined) return known;
  const path = join(nodeModules(), PUBLISHED[name]);
  const { bytecode } = JSON.parse(readFileSync(path, 'utf8')) as { bytecode?: string };
  const digits = bytecode?.replace(/^0x/, '') ?? '';
  if (!/^([0-9a-f]{2})+$/i.test(digits)) {
    throw new Fault(`no linked creation code in ${PUBLISHED[name]}: run npm ci`);
  }
  const code: Hex = `0x${digits}`;
  codes.set(name, code);
  return code;
}

/** Multicall3, which viem carries but does not export: imported by path. */
export async function multicall3Code(): Promise<Hex> {
  const path = join(nodeModules(), 'viem/_esm/constants/contracts.js');
  const module = (await import(pathToFileURL(path).href)) as { multicall3Bytecode?: Hex };
  if (module.multicall3Bytecode === undefined) throw new Fault(`no Multicall3 bytecode in ${path}`);
  return module.multicall3Bytecode;
}

export function packageVersion(name: string): string {
  const text = readFileSync(join(nodeModules(), name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The node_modules that viem was installed to: the same for all of the project's packages. */
function nodeModules(): string {
  return dirname(dirname(createRequire(import.meta.url).resolve('viem/package.json')));
}
