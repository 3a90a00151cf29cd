// Idempotency keys as every API process shares them: who works on a key, and what it came to.

import type { JsonObject } from './json.ts';

export type Begun =
  /** Do the work, then finish or free with this token. */
  | { readonly state: 'yours'; readonly token: number }
  /** Done before with this very body. */
  | { readonly state: 'done'; readonly answer: JsonObject }
  /** Somebody works on it. */
  | { readonly state: 'running' }
  /** The key came with another body. */
  | { readonly state: 'otherBody' };

/** Every method throws Fault when the store is down. */
export interface IdempotencyStore {
  /**
   * Takes the key for `leaseMs`, unless somebody has it. A worker that died is replaced when its lease
   * has run out, by the same body only.
   */
  begin(key: string, bodySha256: string, leaseMs: number): Promise<Begun>;
  /** Remembers the answer for 24 hours; does nothing for a token that was replaced. */
  finish(key: string, token: number, answer: JsonObject): Promise<void>;
  /** Forgets the key, as if it had never come. */
  free(key: string, token: number): Promise<void>;
}
