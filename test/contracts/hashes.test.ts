// Every literal of PROTOCOL.md recomputed from its string, and our ABIs against the published ones
// of the systems they talk to.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { getCreate2Address, keccak256, toEventSelector, toFunctionSelector, toHex } from 'viem';
import { describe, expect, test } from 'vitest';
import { layerZeroOracleAbi } from '../../contracts-abi/abi/layerZeroOracle.ts';
import { outputSettlerAbi } from '../../contracts-abi/abi/outputSettler.ts';
import { portfolioSettlerAbi } from '../../contracts-abi/abi/portfolioSettler.ts';
import { permit2Types } from '../../contracts-abi/permit2.ts';
import { PERMIT2_SALT, permit2Code } from '../../contracts-abi/permit2Artifact.ts';
import { awardTypes, portfolioOrderTypes } from '../../contracts-abi/typedData.ts';

const require = createRequire(import.meta.url);
const OUTPUT =
  'MandateOutput(bytes32 oracle,bytes32 settler,uint256 chainId,bytes32 token,uint256 amount,' +
  'bytes32 recipient,bytes callbackData,bytes context)';
const INPUT = 'Input(address token,uint256 amount)';
const ORIGIN = 'Origin(uint256 chainId,address settler,address oracle,Input[] inputs)';
const ORDER =
  'PortfolioOrder(address owner,uint256 nonce,uint32 openDeadline,uint32 fillDeadline,' +
  'uint32 expiry,address auctioneer,bytes32 targets,Origin[] origins,MandateOutput[] outputs)';
const AWARD =
  'Award(bytes32 orderId,address filler,uint32 fillDeadline,uint32 openBy,bytes32 amountsHash)';

type Fields = readonly { readonly name: string; readonly type: string }[];
const typeString = (name: string, fields: Fields) =>
  `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(',')})`;

describe('type hashes', () => {
  test('the TypeScript types spell the strings of PROTOCOL.md', () => {
    const { PortfolioOrder, Input, MandateOutput, Origin } = portfolioOrderTypes;
    expect(typeString('PortfolioOrder', PortfolioOrder)).toBe(ORDER);
    expect(typeString('Input', Input)).toBe(INPUT);
    expect(typeString('MandateOutput', MandateOutput)).toBe(OUTPUT);
    expect(typeString('Origin', Origin)).toBe(ORIGIN);
    expect(typeString('Award', awardTypes.Award)).toBe(AWARD);
  });

  test("PROTOCOL.md's literals", () => {
    expect(keccak256(toHex(ORDER + INPUT + OUTPUT + ORIGIN))).toBe(
      '0x7a63e4513bbe0a006a6f22b7106da669f6375002ef92282b4eb03dd94d97e9a3',
    );
    expect(keccak256(toHex(OUTPUT))).toBe(
      '0xd83fab35b1a9ad089ade576779f12270534c95983ceba3a006ab4bbf9c1721c2',
    );
  });
});

describe('the Permit2 witness', () => {
  const { TokenPermissions, PermitBatchWitnessTransferFrom } = permit2Types;
  const permitted = typeString('TokenPermissions', TokenPermissions);
  const permit = typeString('PermitBatchWitnessTransferFrom', PermitBatchWitnessTransferFrom);

  test("default: Permit2's stub, then the order as witness", () => {
    expect(permit).toBe(
      'PermitBatchWitnessTransferFrom(TokenPermissions[] permitted,address spender,' +
        'uint256 nonce,uint256 deadline,PortfolioOrder witness)',
    );
  });

  test("behavior: PERMIT2_WITNESS is what follows Permit2's stub, types in alphabetical order", () => {
    const file = join(
      import.meta.dirname,
      '../../contracts-abi/solidity/src/libraries/OrderHash.sol',
    );
    const source = readFileSync(file, 'utf8');
    const literal = /PERMIT2_WITNESS =([^;]*);/.exec(source)?.[1] ?? '';
    const text = [...literal.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join('');
    expect(text).toBe(`PortfolioOrder witness)${INPUT}${OUTPUT}${ORIGIN}${ORDER}${permitted}`);
  });

  test('behavior: compiled from npm, it is the canonical deployment', () => {
    const bytecode = permit2Code();
    const from = '0x4e59b44847b379578588920cA78FbF26c0B4956C';
    expect(getCreate2Address({ from, salt: PERMIT2_SALT, bytecode })).toBe(
      '0x000000000022D473030F116dDEE9F6B43aC78BA3',
    );
  });
});

const TUPLE = '(bytes32,bytes32,uint256,bytes32,uint256,bytes32,bytes,bytes)';

describe("OIF's interface", () => {
  const selectors = selectorsOf(outputSettlerAbi);
  test.each([
    `fill(bytes32,${TUPLE},uint48,bytes)`,
    `fillOrderOutputs(bytes32,${TUPLE}[],uint48,bytes)`,
    'hasAttested(bytes[])',
    'getFillRecord(bytes32,bytes32)',
    `getFillRecord(bytes32,${TUPLE})`,
  ])('OutputSettler has %s', (signature) => {
    expect(selectors).toContain(toFunctionSelector(`function ${signature}`));
  });

  test("fillOrderOutputs' selector as deployed solvers call it", () => {
    const signature = `function fillOrderOutputs(bytes32,${TUPLE}[],uint48,bytes)`;
    expect(toFunctionSelector(signature)).toBe('0x7e7fc653');
  });

  test.each(['isProven(uint256,bytes32,bytes32,bytes32)', 'efficientRequireProven(bytes)'])(
    'LayerZeroOracle has %s',
    (signature) => {
      expect(selectorsOf(layerZeroOracleAbi)).toContain(
        toFunctionSelector(`function ${signature}`),
      );
    },
  );

  test('the OutputFilled topic', () => {
    const event = outputSettlerAbi.find(
      (item) => item.type === 'event' && item.name === 'OutputFilled',
    );
    expect(event?.type === 'event' && toEventSelector(event)).toBe(
      toEventSelector(`event OutputFilled(bytes32,bytes32,uint32,${TUPLE},uint256)`),
    );
  });
});

describe("LayerZero's interface", () => {
  const endpoint = artifactAbi(
    '@layerzerolabs/lz-evm-protocol-v2/artifacts/contracts/EndpointV2.sol/EndpointV2.json',
  );
  const uln = '@layerzerolabs/lz-evm-messagelib-v2/artifacts/contracts/uln/uln302';
  const sendLib = artifactAbi(`${uln}/SendUln302.sol/SendUln302.json`);
  const receiver = artifactAbi(
    '@layerzerolabs/lz-evm-protocol-v2/artifacts/contracts/interfaces/ILayerZeroReceiver.sol/ILayerZeroReceiver.json',
  );

  test.each([
    'quote((uint32,bytes32,bytes,bytes,bool),address)',
    'send((uint32,bytes32,bytes,bytes,bool),address)',
    'setDelegate(address)',
    'isDefaultSendLibrary(address,uint32)',
    'getSendLibrary(address,uint32)',
    'getReceiveLibrary(address,uint32)',
    'receiveLibraryTimeout(address,uint32)',
    'setSendLibrary(address,uint32,address)',
    'setReceiveLibrary(address,uint32,address,uint256)',
    'setConfig(address,address,(uint32,uint32,bytes)[])',
  ])('EndpointV2 has %s', (signature) => {
    expect(selectorsOf(endpoint)).toContain(toFunctionSelector(`function ${signature}`));
  });

  test.each(['getAppUlnConfig(address,uint32)', 'executorConfigs(address,uint32)'])(
    'SendUln302 has %s',
    (signature) => {
      expect(selectorsOf(sendLib)).toContain(toFunctionSelector(`function ${signature}`));
    },
  );

  test('LayerZeroOracle is a receiver: every function of ILayerZeroReceiver', () => {
    expect(selectorsOf(layerZeroOracleAbi)).toEqual(expect.arrayContaining(selectorsOf(receiver)));
  });
});

describe('PortfolioSettler', () => {
  test('topics of the events the service reads', () => {
    const topics = portfolioSettlerAbi
      .filter((item) => item.type === 'event')
      .map((item) => toEventSelector(item));
    for (const signature of [
      'event Opened(bytes32,bytes32,address,uint256)',
      'event Released(bytes32,address,address)',
      'event Refunded(bytes32,address)',
      'event Cancelled(address,uint256)',
      'event Owed(address,address,uint256)',
    ] as const) {
      expect(topics).toContain(toEventSelector(signature));
    }
  });
});

interface AbiItem {
  readonly type: string;
}
function selectorsOf(abi: readonly AbiItem[]): string[] {
  return abi
    .filter((item) => item.type === 'function')
    .map((item) => toFunctionSelector(item as Parameters<typeof toFunctionSelector>[0]));
}

function artifactAbi(path: string): readonly AbiItem[] {
  return (require(path) as { abi: AbiItem[] }).abi;
}
