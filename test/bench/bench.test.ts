// The bench itself, at its tiniest: it runs, it solves what it prints, and a second run finds the same.

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Report } from './optimizer.ts';
import { plot } from './plot.ts';

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

  test('behavior: the plot has one line per engine, the same for the same rows', () => {
    const times = (p50: number) => ({ cold: { p50, p99: p50, max: p50 } });
    const row = {
      kind: 'smooth',
      cases: 1,
      gap: null,
      misses: null,
      lost: null,
      invalid: {},
    } as const;
    const rows = ['trimtab', 'tines'].flatMap((engine, k) => [
      { ...row, engine, size: '10/5', times: times(3e3 * 1e3 ** k) },
      { ...row, engine, size: '100/20', times: times(3e4 * 1e3 ** k) },
    ]);
    const svg = plot(rows);
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(plot(rows)).toBe(svg);
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
