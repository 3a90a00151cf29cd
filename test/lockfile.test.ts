import { expect, test } from 'vitest';
import { missingEntries, readLock } from './lockfile.ts';

test('package-lock.json lists every platform, so that npm ci takes it everywhere', () => {
  expect(Object.keys(missingEntries(readLock()))).toEqual([]);
});
