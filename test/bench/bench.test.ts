// The bench itself, at its tiniest: it runs, it solves what it prints, and a second run finds the same.

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Report } from './optimizer.ts';

function quick(...more: readonly string[]): Report {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--expose-gc',
      '--import',
      'tsx',
      'test/bench/run.ts',
      'optimizer',
      '--quick',
      '--json',
      ...more,
    ],
    { encoding: 'utf8' },
  );
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Report;
}

describe('npm run bench -- optimizer --quick', () => {
  test('behavior: every kind is solved within its bound, and twice the same', () => {
    const report = quick();
    const ours = report.rows.filter(({ engine }) => engine === 'trimtab');
    expect([...new Set(ours.map(({ kind }) => kind))].toSorted()).toEqual(
      ['fixedCost', 'linear', 'mixed', 'real', 'smooth'].toSorted(),
    );
    for (const row of ours) expect(row.lost?.p50, JSON.stringify(row)).toBeGreaterThanOrEqual(0);
    expect(report.violations).toEqual([]);
    const [again, other] = [quick('--only', '10/5'), quick('--only', '10/5')];
    expect(again.resultHash).toBe(other.resultHash);
  });

  test('error: another name is refused with the usage', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'test/bench/run.ts', 'nonsense'],
      { encoding: 'utf8' },
    );
    expect(status).toBe(2);
    expect(stderr).toContain('npm run bench -- optimizer');
  });
});
