// The smallest network.json that parses: one chain, one token, no pools.

const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}`;
const names = [
  'portfolioSettler',
  'outputSettler',
  'layerZeroOracle',
  'routeExecutor',
  'layerZeroEndpoint',
  'multicall3',
  'uniswapV2Factory',
  'uniswapV3Factory',
  'wrappedNative',
];

export const networkJson = {
  version: 1,
  minProofWindowSeconds: 24,
  chains: [
    {
      chainId: 31338,
      name: 'Alder',
      eid: 31338,
      rpcUrl: 'http://127.0.0.1:1/v1/a-provider-key-0123456789',
      confirmations: 1,
      blockSeconds: 1,
      nativeAsset: 'ETH',
      contracts: Object.fromEntries(names.map((name, i) => [name, address(i + 1)])),
      tokens: [
        {
          symbol: 'WETH',
          asset: 'ETH',
          address: address(9),
          decimals: 18,
          feed: address(10),
          feedHeartbeatSeconds: 60,
        },
      ],
      pools: [],
    },
  ],
};
