// A document as this service reads it: parsed, its assets found in the network, its chains served.
// Throws InvalidInput with a pointer below `pointer`.

import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson, pointerTo } from '../market/jsonText.ts';
import { parsePolicy } from '../policy/parse.ts';
import type { Policy } from '../policy/types.ts';
import { resolveUniverse } from '../policy/universe.ts';
import { InvalidInput } from '../types/errors.ts';
import { type Hash32, hash32 } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { NetworkConfig } from '../types/network.ts';

export function policyOf(document: JsonObject, network: NetworkConfig, pointer = ''): Policy {
  const parsed = parsePolicy(document, { pointer });
  const served = network.chains.map(({ chainId }) => chainId);
  const named: readonly (readonly [number, readonly (string | number)[]])[] = [
    ...(parsed.chains ?? []).map((chain, i) => [chain, ['chains', i]] as const),
    ...parsed.chainLimits.map(({ chain }, i) => [chain, ['chainLimits', i, 'chain']] as const),
  ];
  for (const [chain, path] of named) {
    if (served.some((id) => id === chain)) continue;
    throw new InvalidInput(`chain ${chain} is not served; served are ${served.join(', ')}`, {
      code: 'unknownChain',
      pointer: path.reduce(pointerTo, pointer),
    });
  }
  const scope = network.chains.filter(
    ({ chainId }) => parsed.chains === null || parsed.chains.includes(chainId),
  );
  const known = new Set(scope.flatMap(({ tokens }) => tokens.map(({ asset }) => asset)));
  try {
    return resolveUniverse(parsed, known);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw new InvalidInput(error.message, {
      code: error.code,
      pointer: `${pointer}${error.pointer}`,
    });
  }
}

/** keccak256 of the document's canonical JSON: what is signed of it, and shown of a private one. */
export const commitmentOf = (document: JsonObject): Hash32 =>
  hash32(`0x${bytesToHex(keccak_256(utf8ToBytes(canonicalJson(document))))}`);
