// keccak256 in WebAssembly, for processes that take many digests. A platform that will not compile it
// keeps the one in TypeScript.

import { createKeccak } from 'hash-wasm';
import { useHexKeccak } from '../../contracts-abi/words.ts';
import { useKeccak } from '../market/keccak.ts';

let loading: Promise<void> | null = null;

/** Once per process; later calls wait for the first. */
export function loadKeccak(): Promise<void> {
  loading ??= createKeccak(256).then((hasher) => {
    useKeccak((parts) => {
      hasher.init();
      for (const part of parts) hasher.update(part);
      return hasher.digest('hex');
    });
    useHexKeccak((hex) => {
      hasher.init();
      hasher.update(Buffer.from(hex, 'hex'));
      return Buffer.from(hasher.digest('binary')).toString('hex');
    });
  });
  return loading;
}
