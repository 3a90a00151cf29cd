// Idempotency-Key of POST /v1/orders: the same key with the same body gets the same answer, with
// another body a conflict. Owns a bounded memory of accepted requests in this process. Refusals are
// not remembered, so that a caller may mend (approve, say) and send the same again. What makes a
// repeat harmless for good, after a restart too, is the order's own id: admitting it twice changes
// nothing.

import { createHash } from 'node:crypto';
import { ApiError } from './errors.ts';

const KEYS_MAX = 10_000;
const KEY_PATTERN = /^[\x21-\x7e]{1,128}$/;

interface Kept {
  readonly body: string;
  readonly answer: Promise<unknown>;
}

export interface Idempotency {
  /** Runs `work` once per (key, body); without a key, always. */
  once<T>(key: string | undefined, body: unknown, work: () => Promise<T>): Promise<T>;
}

export function createIdempotency(): Idempotency {
  // Insertion order is age: the oldest goes first when full.
  const kept = new Map<string, Kept>();
  return {
    async once(key, body, work) {
      if (key === undefined) return work();
      if (!KEY_PATTERN.test(key)) {
        throw new ApiError(
          'invalidIdempotencyKey',
          'the Idempotency-Key header must be 1 to 128 printable ASCII characters',
        );
      }
      const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex');
      const earlier = kept.get(key);
      if (earlier !== undefined) {
        if (earlier.body === digest) return earlier.answer as ReturnType<typeof work>;
        throw new ApiError('idempotencyConflict', `the key ${key} came with another body before`);
      }
      const answer = work();
      kept.set(key, { body: digest, answer });
      if (kept.size > KEYS_MAX) kept.delete(kept.keys().next().value ?? '');
      try {
        return await answer;
      } catch (error) {
        kept.delete(key);
        throw error;
      }
    },
  };
}
