// Generated from solidity/src/LayerZeroOracle.sol by contracts-abi/generate.ts; do not edit.

export const layerZeroOracleAbi = [
  {
    "inputs": [
      {
        "name": "endpoint_",
        "type": "address"
      },
      {
        "name": "owner_",
        "type": "address"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [],
    "name": "AlreadyFrozen",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "BadMessage",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "eid",
        "type": "uint32"
      }
    ],
    "name": "BadPath",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "records",
        "type": "uint256"
      }
    ],
    "name": "BadRecordCount",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "sent",
        "type": "uint256"
      },
      {
        "name": "needed",
        "type": "uint256"
      }
    ],
    "name": "FeeTooLow",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "Locked",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotAttested",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "length",
        "type": "uint256"
      },
      {
        "name": "divisor",
        "type": "uint256"
      }
    ],
    "name": "NotDivisible",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotEndpoint",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NotOwner",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "chainId",
        "type": "uint256"
      },
      {
        "name": "remoteOracle",
        "type": "bytes32"
      },
      {
        "name": "application",
        "type": "bytes32"
      },
      {
        "name": "dataHash",
        "type": "bytes32"
      }
    ],
    "name": "NotProven",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "RefundFailed",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "TooManyPaths",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "eid",
        "type": "uint32"
      }
    ],
    "name": "UnknownPath",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ValueRefused",
    "type": "error"
  },
  {
    "inputs": [
      {
        "name": "eid",
        "type": "uint32"
      }
    ],
    "name": "WeakConfiguration",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "guid",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "chainId",
        "type": "uint256"
      },
      {
        "indexed": false,
        "name": "application",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "records",
        "type": "uint256"
      }
    ],
    "name": "Attested",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": false,
        "name": "eids",
        "type": "uint32[]"
      }
    ],
    "name": "Frozen",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "eid",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "chainId",
        "type": "uint64"
      },
      {
        "indexed": false,
        "name": "peer",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "name": "baseGas",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "perRecordGas",
        "type": "uint32"
      }
    ],
    "name": "PathSet",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "name": "guid",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "name": "eid",
        "type": "uint32"
      },
      {
        "indexed": false,
        "name": "application",
        "type": "address"
      },
      {
        "indexed": false,
        "name": "records",
        "type": "uint256"
      }
    ],
    "name": "Submitted",
    "type": "event"
  },
  {
    "inputs": [],
    "name": "MAX_PATHS",
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
    "name": "MAX_RECORDS",
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
            "name": "srcEid",
            "type": "uint32"
          },
          {
            "name": "sender",
            "type": "bytes32"
          },
          {
            "name": "nonce",
            "type": "uint64"
          }
        ],
        "name": "origin",
        "type": "tuple"
      }
    ],
    "name": "allowInitializePath",
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
        "name": "key",
        "type": "bytes32"
      }
    ],
    "name": "attested",
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
        "name": "eid",
        "type": "uint32"
      }
    ],
    "name": "chainOf",
    "outputs": [
      {
        "name": "chainId",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "configuredEids",
    "outputs": [
      {
        "name": "",
        "type": "uint32[]"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "proofSeries",
        "type": "bytes"
      }
    ],
    "name": "efficientRequireProven",
    "outputs": [],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "endpoint",
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
    "name": "freeze",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "remoteChainId",
        "type": "uint256"
      },
      {
        "name": "remoteOracle",
        "type": "bytes32"
      },
      {
        "name": "application",
        "type": "bytes32"
      },
      {
        "name": "dataHash",
        "type": "bytes32"
      }
    ],
    "name": "isProven",
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
        "components": [
          {
            "name": "srcEid",
            "type": "uint32"
          },
          {
            "name": "sender",
            "type": "bytes32"
          },
          {
            "name": "nonce",
            "type": "uint64"
          }
        ],
        "name": "origin",
        "type": "tuple"
      },
      {
        "name": "guid",
        "type": "bytes32"
      },
      {
        "name": "message",
        "type": "bytes"
      },
      {
        "name": "",
        "type": "address"
      },
      {
        "name": "",
        "type": "bytes"
      }
    ],
    "name": "lzReceive",
    "outputs": [],
    "stateMutability": "payable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "",
        "type": "uint32"
      },
      {
        "name": "",
        "type": "bytes32"
      }
    ],
    "name": "nextNonce",
    "outputs": [
      {
        "name": "",
        "type": "uint64"
      }
    ],
    "stateMutability": "pure",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "eid",
        "type": "uint32"
      },
      {
        "name": "records",
        "type": "uint256"
      }
    ],
    "name": "optionsFor",
    "outputs": [
      {
        "name": "",
        "type": "bytes"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "owner",
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
        "name": "eid",
        "type": "uint32"
      }
    ],
    "name": "paths",
    "outputs": [
      {
        "name": "chainId",
        "type": "uint64"
      },
      {
        "name": "baseGas",
        "type": "uint32"
      },
      {
        "name": "perRecordGas",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "eid",
        "type": "uint32"
      }
    ],
    "name": "peers",
    "outputs": [
      {
        "name": "peer",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "eid",
        "type": "uint32"
      },
      {
        "name": "records",
        "type": "uint256"
      }
    ],
    "name": "quote",
    "outputs": [
      {
        "name": "nativeFee",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "eids",
        "type": "uint32[]"
      },
      {
        "name": "records",
        "type": "uint256"
      }
    ],
    "name": "quoteMany",
    "outputs": [
      {
        "name": "nativeFee",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "eid",
        "type": "uint32"
      },
      {
        "name": "peer",
        "type": "bytes32"
      },
      {
        "components": [
          {
            "name": "chainId",
            "type": "uint64"
          },
          {
            "name": "baseGas",
            "type": "uint32"
          },
          {
            "name": "perRecordGas",
            "type": "uint32"
          }
        ],
        "name": "path",
        "type": "tuple"
      }
    ],
    "name": "setPath",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "eid",
        "type": "uint32"
      },
      {
        "name": "source",
        "type": "address"
      },
      {
        "name": "payloads",
        "type": "bytes[]"
      }
    ],
    "name": "submit",
    "outputs": [
      {
        "name": "guid",
        "type": "bytes32"
      }
    ],
    "stateMutability": "payable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "name": "eids",
        "type": "uint32[]"
      },
      {
        "name": "source",
        "type": "address"
      },
      {
        "name": "payloads",
        "type": "bytes[]"
      }
    ],
    "name": "submitMany",
    "outputs": [
      {
        "name": "guids",
        "type": "bytes32[]"
      }
    ],
    "stateMutability": "payable",
    "type": "function"
  }
] as const;
