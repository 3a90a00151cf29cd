// Generated from solidity/src/RouteExecutor.sol by contracts-abi/generate.ts; do not edit.

export const routeExecutorAbi = [
  {
    "inputs": [
      {
        "name": "v2Factory_",
        "type": "address"
      },
      {
        "name": "v3Factory_",
        "type": "address"
      },
      {
        "name": "outputSettler_",
        "type": "address"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [],
    "name": "BadRoute",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "Expired",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "Locked",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "tokenIn",
        "type": "address"
      },
      {
        "name": "tokenOut",
        "type": "address"
      },
      {
        "name": "feePips",
        "type": "uint24"
      }
    ],
    "name": "NoPool",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "RefundFailed",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "route",
        "type": "uint256"
      },
      {
        "name": "amountOut",
        "type": "uint256"
      }
    ],
    "name": "TooLittleOut",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "token",
        "type": "address"
      }
    ],
    "name": "TransferFailed",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "UnexpectedCallback",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "UnexpectedValue",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "MAX_HOPS",
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "MAX_ROUTES",
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "token",
            "type": "address"
          },
          {
            "name": "amount",
            "type": "uint256"
          }
        ],
        "name": "pulls",
        "type": "tuple[]"
      },
      {
        "components": [
          {
            "name": "tokenIn",
            "type": "address"
          },
          {
            "name": "amountIn",
            "type": "uint256"
          },
          {
            "name": "amountOutMin",
            "type": "uint256"
          },
          {
            "components": [
              {
                "name": "tokenOut",
                "type": "address"
              },
              {
                "name": "feePips",
                "type": "uint24"
              }
            ],
            "name": "hops",
            "type": "tuple[]"
          }
        ],
        "name": "routes",
        "type": "tuple[]"
      },
      {
        "components": [
          {
            "name": "token",
            "type": "address"
          },
          {
            "name": "amount",
            "type": "uint256"
          }
        ],
        "name": "spends",
        "type": "tuple[]"
      },
      {
        "components": [
          {
            "name": "id",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "name": "oracle",
                "type": "bytes32"
              },
              {
                "name": "settler",
                "type": "bytes32"
              },
              {
                "name": "chainId",
                "type": "uint256"
              },
              {
                "name": "token",
                "type": "bytes32"
              },
              {
                "name": "amount",
                "type": "uint256"
              },
              {
                "name": "recipient",
                "type": "bytes32"
              },
              {
                "name": "callbackData",
                "type": "bytes"
              },
              {
                "name": "context",
                "type": "bytes"
              }
            ],
            "name": "output",
            "type": "tuple"
          },
          {
            "name": "fillDeadline",
            "type": "uint48"
          }
        ],
        "name": "items",
        "type": "tuple[]"
      },
      {
        "name": "fillerData",
        "type": "bytes"
      },
      {
        "name": "deadline",
        "type": "uint256"
      }
    ],
    "name": "execute",
    "outputs": [
      {
        "name": "amountsOut",
        "type": "uint256[]"
      },
      {
        "name": "records",
        "type": "bytes32[]"
      }
    ],
    "stateMutability": "payable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "outputSettler",
    "outputs": [
      {
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "amount0Delta",
        "type": "int256"
      },
      {
        "name": "amount1Delta",
        "type": "int256"
      },
      {
        "name": "data",
        "type": "bytes"
      }
    ],
    "name": "uniswapV3SwapCallback",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "v2Factory",
    "outputs": [
      {
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "v3Factory",
    "outputs": [
      {
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "stateMutability": "payable",
    "type": "receive"
  }
] as const;
