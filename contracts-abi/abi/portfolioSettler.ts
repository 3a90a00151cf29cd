// Generated from solidity/src/PortfolioSettler.sol by contracts-abi/generate.ts; do not edit.

export const portfolioSettlerAbi = [
  {
    "inputs": [
      {
        "name": "minProofWindow",
        "type": "uint256"
      },
      {
        "name": "permit2",
        "type": "address"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [],
    "name": "BadAmounts",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "BadAward",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "BadAwardSignature",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "BadBeneficiary",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "BadFillerSignature",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "BadInputs",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "BadOutputs",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "BadOwnerSignature",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "BadTimes",
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
        "name": "index",
        "type": "uint256"
      }
    ],
    "name": "FilledTooLate",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "IndexOutOfRange",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "token",
        "type": "address"
      }
    ],
    "name": "InexactInput",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "Locked",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NoPermit2",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotEnoughGas",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotExpired",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotLate",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotNone",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotOpen",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "index",
        "type": "uint256"
      }
    ],
    "name": "NotProven",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NothingOwed",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "TooManyOrigins",
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
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "owner",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "Cancelled",
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
        "indexed": true,
        "name": "awardId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "owner",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "Opened",
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
        "name": "awardId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "owner",
        "type": "address"
      }
    ],
    "name": "Refunded",
    "type": "event"
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
        "name": "beneficiary",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "to",
        "type": "address"
      }
    ],
    "name": "Released",
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
        "indexed": true,
        "name": "awardId",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "owner",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "SettledLocally",
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
    "inputs": [],
    "name": "MAX_LIFE",
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
    "name": "MAX_ORIGINS",
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
    "name": "MIN_PROOF_WINDOW",
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
    "name": "PERMIT2",
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
        "name": "nonces",
        "type": "uint256[]"
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
        "name": "owner",
        "type": "address"
      },
      {
        "name": "nonce",
        "type": "uint256"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "cancelFor",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "owner",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "openDeadline",
            "type": "uint32"
          },
          {
            "name": "fillDeadline",
            "type": "uint32"
          },
          {
            "name": "expiry",
            "type": "uint32"
          },
          {
            "name": "auctioneer",
            "type": "address"
          },
          {
            "name": "targets",
            "type": "bytes32"
          }
        ],
        "name": "head",
        "type": "tuple"
      },
      {
        "components": [
          {
            "name": "oracle",
            "type": "address"
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
            "name": "inputs",
            "type": "tuple[]"
          },
          {
            "name": "index",
            "type": "uint256"
          },
          {
            "name": "others",
            "type": "bytes32[]"
          }
        ],
        "name": "leg",
        "type": "tuple"
      },
      {
        "name": "outputsHash",
        "type": "bytes32"
      },
      {
        "components": [
          {
            "name": "filler",
            "type": "address"
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
        "name": "awardSig",
        "type": "bytes"
      },
      {
        "name": "ownerSig",
        "type": "bytes"
      }
    ],
    "name": "open",
    "outputs": [
      {
        "name": "awardId",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "owner",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "openDeadline",
            "type": "uint32"
          },
          {
            "name": "fillDeadline",
            "type": "uint32"
          },
          {
            "name": "expiry",
            "type": "uint32"
          },
          {
            "name": "auctioneer",
            "type": "address"
          },
          {
            "name": "targets",
            "type": "bytes32"
          }
        ],
        "name": "head",
        "type": "tuple"
      },
      {
        "components": [
          {
            "name": "oracle",
            "type": "address"
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
            "name": "inputs",
            "type": "tuple[]"
          },
          {
            "name": "index",
            "type": "uint256"
          },
          {
            "name": "others",
            "type": "bytes32[]"
          }
        ],
        "name": "leg",
        "type": "tuple"
      },
      {
        "name": "outputsHash",
        "type": "bytes32"
      },
      {
        "components": [
          {
            "name": "filler",
            "type": "address"
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
        "name": "awardSig",
        "type": "bytes"
      },
      {
        "name": "permit2Sig",
        "type": "bytes"
      }
    ],
    "name": "openWithPermit2",
    "outputs": [
      {
        "name": "awardId",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable",
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
        "components": [
          {
            "name": "owner",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "openDeadline",
            "type": "uint32"
          },
          {
            "name": "fillDeadline",
            "type": "uint32"
          },
          {
            "name": "expiry",
            "type": "uint32"
          },
          {
            "name": "auctioneer",
            "type": "address"
          },
          {
            "name": "targets",
            "type": "bytes32"
          }
        ],
        "name": "head",
        "type": "tuple"
      },
      {
        "components": [
          {
            "name": "oracle",
            "type": "address"
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
            "name": "inputs",
            "type": "tuple[]"
          },
          {
            "name": "index",
            "type": "uint256"
          },
          {
            "name": "others",
            "type": "bytes32[]"
          }
        ],
        "name": "leg",
        "type": "tuple"
      },
      {
        "name": "outputsHash",
        "type": "bytes32"
      },
      {
        "components": [
          {
            "name": "filler",
            "type": "address"
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
        "name": "fillerSig",
        "type": "bytes"
      }
    ],
    "name": "refundDeclined",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "owner",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "openDeadline",
            "type": "uint32"
          },
          {
            "name": "fillDeadline",
            "type": "uint32"
          },
          {
            "name": "expiry",
            "type": "uint32"
          },
          {
            "name": "auctioneer",
            "type": "address"
          },
          {
            "name": "targets",
            "type": "bytes32"
          }
        ],
        "name": "head",
        "type": "tuple"
      },
      {
        "components": [
          {
            "name": "oracle",
            "type": "address"
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
            "name": "inputs",
            "type": "tuple[]"
          },
          {
            "name": "index",
            "type": "uint256"
          },
          {
            "name": "others",
            "type": "bytes32[]"
          }
        ],
        "name": "leg",
        "type": "tuple"
      },
      {
        "name": "outputsHash",
        "type": "bytes32"
      },
      {
        "components": [
          {
            "name": "filler",
            "type": "address"
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
      }
    ],
    "name": "refundExpired",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "owner",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "openDeadline",
            "type": "uint32"
          },
          {
            "name": "fillDeadline",
            "type": "uint32"
          },
          {
            "name": "expiry",
            "type": "uint32"
          },
          {
            "name": "auctioneer",
            "type": "address"
          },
          {
            "name": "targets",
            "type": "bytes32"
          }
        ],
        "name": "head",
        "type": "tuple"
      },
      {
        "components": [
          {
            "name": "oracle",
            "type": "address"
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
            "name": "inputs",
            "type": "tuple[]"
          },
          {
            "name": "index",
            "type": "uint256"
          },
          {
            "name": "others",
            "type": "bytes32[]"
          }
        ],
        "name": "leg",
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
      },
      {
        "components": [
          {
            "name": "filler",
            "type": "address"
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
        "name": "amounts",
        "type": "uint256[]"
      },
      {
        "name": "index",
        "type": "uint256"
      },
      {
        "components": [
          {
            "name": "solver",
            "type": "bytes32"
          },
          {
            "name": "timestamp",
            "type": "uint32"
          }
        ],
        "name": "fill",
        "type": "tuple"
      }
    ],
    "name": "refundLate",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "owner",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "openDeadline",
            "type": "uint32"
          },
          {
            "name": "fillDeadline",
            "type": "uint32"
          },
          {
            "name": "expiry",
            "type": "uint32"
          },
          {
            "name": "auctioneer",
            "type": "address"
          },
          {
            "name": "targets",
            "type": "bytes32"
          }
        ],
        "name": "head",
        "type": "tuple"
      },
      {
        "components": [
          {
            "name": "oracle",
            "type": "address"
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
            "name": "inputs",
            "type": "tuple[]"
          },
          {
            "name": "index",
            "type": "uint256"
          },
          {
            "name": "others",
            "type": "bytes32[]"
          }
        ],
        "name": "leg",
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
      },
      {
        "components": [
          {
            "name": "filler",
            "type": "address"
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
        "name": "amounts",
        "type": "uint256[]"
      },
      {
        "name": "index",
        "type": "uint256"
      }
    ],
    "name": "refundTombstone",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "owner",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "openDeadline",
            "type": "uint32"
          },
          {
            "name": "fillDeadline",
            "type": "uint32"
          },
          {
            "name": "expiry",
            "type": "uint32"
          },
          {
            "name": "auctioneer",
            "type": "address"
          },
          {
            "name": "targets",
            "type": "bytes32"
          }
        ],
        "name": "head",
        "type": "tuple"
      },
      {
        "components": [
          {
            "name": "oracle",
            "type": "address"
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
            "name": "inputs",
            "type": "tuple[]"
          },
          {
            "name": "index",
            "type": "uint256"
          },
          {
            "name": "others",
            "type": "bytes32[]"
          }
        ],
        "name": "leg",
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
      },
      {
        "components": [
          {
            "name": "filler",
            "type": "address"
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
        "name": "amounts",
        "type": "uint256[]"
      },
      {
        "components": [
          {
            "name": "solver",
            "type": "bytes32"
          },
          {
            "name": "timestamp",
            "type": "uint32"
          }
        ],
        "name": "fills",
        "type": "tuple[]"
      },
      {
        "name": "to",
        "type": "address"
      }
    ],
    "name": "release",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "owner",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "openDeadline",
            "type": "uint32"
          },
          {
            "name": "fillDeadline",
            "type": "uint32"
          },
          {
            "name": "expiry",
            "type": "uint32"
          },
          {
            "name": "auctioneer",
            "type": "address"
          },
          {
            "name": "targets",
            "type": "bytes32"
          }
        ],
        "name": "head",
        "type": "tuple"
      },
      {
        "components": [
          {
            "name": "oracle",
            "type": "address"
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
            "name": "inputs",
            "type": "tuple[]"
          },
          {
            "name": "index",
            "type": "uint256"
          },
          {
            "name": "others",
            "type": "bytes32[]"
          }
        ],
        "name": "leg",
        "type": "tuple"
      },
      {
        "name": "outputsHash",
        "type": "bytes32"
      },
      {
        "components": [
          {
            "name": "filler",
            "type": "address"
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
        "name": "to",
        "type": "address"
      },
      {
        "name": "ownerSig",
        "type": "bytes"
      }
    ],
    "name": "releaseAccepted",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "name": "owner",
            "type": "address"
          },
          {
            "name": "nonce",
            "type": "uint256"
          },
          {
            "name": "openDeadline",
            "type": "uint32"
          },
          {
            "name": "fillDeadline",
            "type": "uint32"
          },
          {
            "name": "expiry",
            "type": "uint32"
          },
          {
            "name": "auctioneer",
            "type": "address"
          },
          {
            "name": "targets",
            "type": "bytes32"
          }
        ],
        "name": "head",
        "type": "tuple"
      },
      {
        "components": [
          {
            "name": "oracle",
            "type": "address"
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
            "name": "inputs",
            "type": "tuple[]"
          },
          {
            "name": "index",
            "type": "uint256"
          },
          {
            "name": "others",
            "type": "bytes32[]"
          }
        ],
        "name": "leg",
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
      },
      {
        "components": [
          {
            "name": "filler",
            "type": "address"
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
            "name": "amounts",
            "type": "uint256[]"
          },
          {
            "name": "awardSig",
            "type": "bytes"
          },
          {
            "name": "ownerSig",
            "type": "bytes"
          },
          {
            "name": "to",
            "type": "address"
          },
          {
            "name": "data",
            "type": "bytes"
          }
        ],
        "name": "call",
        "type": "tuple"
      }
    ],
    "name": "settleLocal",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "owner",
        "type": "address"
      },
      {
        "name": "nonce",
        "type": "uint256"
      }
    ],
    "name": "slot",
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
