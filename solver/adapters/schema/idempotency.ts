// Idempotency keys, so that every API process knows them.

export const idempotencySchema: readonly string[] = [];
