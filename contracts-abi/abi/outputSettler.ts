// Generated from solidity/src/OutputSettler.sol by contracts-abi/generate.ts; do not edit.

export const outputSettlerAbi = [
  {
    "inputs": [],
    "name": "AlreadyFilled",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "CallOutOfRange",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ContextOutOfRange",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "id",
        "type": "bytes32"
      }
    ],
    "name": "DirtyAddress",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "solver",
        "type": "bytes32"
      }
    ],
    "name": "ExclusiveTo",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "FillDeadline",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "InvalidContextDataLength",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "Locked",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotEnoughGas",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotImplemented",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotPastDeadline",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NothingOwed",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "PayloadTooSmall",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "RefundFailed",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "Tombstoned",
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
    "name": "ValueTooLow",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "expected",
        "type": "uint256"
      },
      {
        "name": "actual",
        "type": "uint256"
      }
    ],
    "name": "WrongChain",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "expected",
        "type": "bytes32"
      },
      {
        "name": "actual",
        "type": "bytes32"
      }
    ],
    "name": "WrongOutputSettler",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroValue",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "awardId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "outputHash",
        "type": "bytes32"
      }
    ],
    "name": "OutputCancelled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "orderId",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "solver",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "timestamp",
        "type": "uint32"
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
        "indexed": false,
        "name": "output",
        "type": "tuple"
      },
      {
        "indexed": false,
        "name": "finalAmount",
        "type": "uint256"
      }
    ],
    "name": "OutputFilled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "token",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "account",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "amount",
        "type": "uint256"
      }
    ],
    "name": "Owed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "token",
        "type": "address"
      },
      {
        "indexed": true,
        "name": "account",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "to",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "amount",
        "type": "uint256"
      }
    ],
    "name": "Withdrawn",
    "type": "event"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "orderId",
            "type": "bytes32"
          },
          {
            "name": "filler",
            "type": "address"
          },
          {
            "name": "fillDeadline",
            "type": "uint32"
          },
          {
            "name": "openBy",
            "type": "uint32"
          },
          {
            "name": "amountsHash",
            "type": "bytes32"
          }
        ],
        "name": "award",
        "type": "tuple"
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
        "name": "outputs",
        "type": "tuple[]"
      }
    ],
    "name": "cancel",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
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
      },
      {
        "name": "fillerData",
        "type": "bytes"
      }
    ],
    "name": "fill",
    "outputs": [
      {
        "name": "record",
        "type": "bytes32"
      }
    ],
    "stateMutability": "payable",
    "type": "function"
  },
  {
    "inputs": [
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
      }
    ],
    "name": "fillBatch",
    "outputs": [
      {
        "name": "records",
        "type": "bytes32[]"
      }
    ],
    "stateMutability": "payable",
    "type": "function"
  },
  {
    "inputs": [
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
        "name": "outputs",
        "type": "tuple[]"
      },
      {
        "name": "fillDeadline",
        "type": "uint48"
      },
      {
        "name": "fillerData",
        "type": "bytes"
      }
    ],
    "name": "fillOrderOutputs",
    "outputs": [],
    "stateMutability": "payable",
    "type": "function"
  },
  {
    "inputs": [
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
      }
    ],
    "name": "getFillRecord",
    "outputs": [
      {
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "id",
        "type": "bytes32"
      },
      {
        "name": "outputHash",
        "type": "bytes32"
      }
    ],
    "name": "getFillRecord",
    "outputs": [
      {
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "payloads",
        "type": "bytes[]"
      }
    ],
    "name": "hasAttested",
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "token",
        "type": "address"
      },
      {
        "name": "account",
        "type": "address"
      }
    ],
    "name": "owed",
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
        "name": "token",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      }
    ],
    "name": "withdraw",
    "outputs": [
      {
        "name": "amount",
        "type": "uint256"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;
