// 64 concurrent duplicates of one submission are one row, 200 times: test/api/idempotency.test.ts with
// its long count.

process.env.TRIMTAB_DUPLICATE_ROUNDS = '200';
await import('../api/idempotency.test.ts');

export {};
