// Idempotency-Key of POST /v1/orders: the same key with the same body gets the same answer, with
// another body a conflict, whichever API process is asked. Of concurrent requests one works; the
// others wait for its answer, or are told to come back. Refusals are not remembered, so that a caller
// may mend (approve, say) and send the same again. Owns no memory but of what runs here now: the keys
// are in the store, and what makes a repeat harmless for good is the order's own id.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IdempotencyStore, JsonObject } from '../solver/index.ts';
import { ApiError } from './errors.ts';

const KEY_PATTERN = /^[\x21-\x7e]{1,128}$/;
/** Longer than any admission takes; a process that died holds its keys no longer. */
const LEASE_MS = 30_000;
/** How long a request waits for the answer of its twin in another process. */
const WAIT_MS = 5_000;
const PAUSE_MS = 50;

export interface Once {
  readonly answer: JsonObject;
  /** The answer of an earlier request, or of a concurrent one. */
  readonly replayed: boolean;
}

export interface Idempotency {
  /** Runs `work` once per (key, body); without a key, always. What `work` throws frees the key. */
  once(key: string | undefined, body: unknown, work: () => Promise<JsonObject>): Promise<Once>;
}

export function createIdempotency(
  store: IdempotencyStore,
  onError: (error: unknown, where: string) => void = () => {},
): Idempotency {
  /** By key: what runs or waits in this process. */
  const running = new Map<string, { readonly digest: string; readonly once: Promise<Once> }>();

  const run = async (key: string, digest: string, work: () => Promise<JsonObject>) => {
    const attempts = Math.ceil(WAIT_MS / PAUSE_MS);
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const begun = await store.begin(key, digest, LEASE_MS);
      if (begun.state === 'otherBody') throw conflict(key);
      if (begun.state === 'done') return { answer: begun.answer, replayed: true };
      if (begun.state === 'yours') return perform(key, begun.token, work);
      await sleep(PAUSE_MS);
    }
    throw new ApiError('idempotencyInProgress', 'a request with this key is being worked on', {
      retryAfterSeconds: 1,
    });
  };
  const perform = async (key: string, token: number, work: () => Promise<JsonObject>) => {
    let answer: JsonObject;
    try {
      answer = await work();
    } catch (error) {
      await store.free(key, token).catch((cause: unknown) => onError(cause, 'idempotency keys'));
      throw error;
    }
    // Admitted either way: a key that could not be kept lets a repeat find the same order again.
    await store
      .finish(key, token, answer)
      .catch((cause: unknown) => onError(cause, 'idempotency keys'));
    return { answer, replayed: false };
  };

  return {
    async once(key, body, work) {
      if (key === undefined) return { answer: await work(), replayed: false };
      if (!KEY_PATTERN.test(key)) {
        throw new ApiError(
          'invalidIdempotencyKey',
          'the Idempotency-Key header must be 1 to 128 printable ASCII characters',
        );
      }
      const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex');
      const twin = running.get(key);
      if (twin !== undefined) {
        if (twin.digest !== digest) throw conflict(key);
        return { ...(await twin.once), replayed: true };
      }
      const once = run(key, digest, work);
      running.set(key, { digest, once });
      try {
        return await once;
      } finally {
        running.delete(key);
      }
    },
  };
}

const conflict = (key: string) =>
  new ApiError('idempotencyConflict', `the key ${key} came with another body before`);
