// Whether an owner signed something that is no order, such as a policy: by ecrecover as orders are
// checked, or as a contract wallet that says so (ERC-1271) on every chain asked. Signs nothing.

import { present } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { ChainId } from '../types/ids.ts';
import type { Chain } from '../types/ports.ts';
import type { CheckOwner } from '../types/standing.ts';
import { isMagic, signatureCall } from './contracts.ts';
import { isWellFormed, recoverSigner } from './signature.ts';

/** ERC-1271 signatures longer than this are refused before anyone hashes them, hex characters. */
const SIGNATURE_CHARS_MAX = 2 + 2 * 4_096;

export function createOwnerCheck(chains: ReadonlyMap<ChainId, Chain>): CheckOwner {
  return async (owner, digest, signature, ids) => {
    const isHex = /^0x([0-9a-fA-F]{2})+$/.test(signature);
    if (!isHex || signature.length > SIGNATURE_CHARS_MAX) return 'malformed';
    if (recoverSigner(digest, signature) === owner) return 'ok';
    try {
      const answers = await Promise.all(
        ids.map(async (id) => {
          const chain = present(chains.get(id), `chain ${id}`);
          const call = signatureCall(owner, digest, signature);
          const [result] = await chain.read([call], await chain.block('latest'));
          return isMagic(result);
        }),
      );
      if (answers.length > 0 && answers.every(Boolean)) return 'ok';
      return isWellFormed(signature) ? 'otherSigner' : 'malformed';
    } catch (error) {
      if (error instanceof Fault) return 'chainDown';
      throw error;
    }
  };
}
