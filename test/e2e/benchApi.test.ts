// The API's bench in its quick form: it loads every core for a quarter of a minute, so not in `npm test`.

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { ApiReport } from '../bench/api.ts';

describe('npm run bench -- api --quick', () => {
  test('behavior: every load runs and is answered; nothing is refused', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', 'test/bench/run.ts', 'api', '--quick', '--json'],
      { encoding: 'utf8' },
    );
    expect(status, stderr).toBe(0);
    const report = JSON.parse(stdout) as ApiReport;
    expect(report.venues).toBe(200);
    for (const load of [report.hello, report.quotes, report.halfLoad, report.health, report.two]) {
      expect(load.perSecond).toBeGreaterThan(0);
      expect(load.refused).toBe(0);
    }
    expect(report.admission.perSecond).toBeGreaterThan(0);
    expect(report.streams.ended).toBe(report.streams.clients);
  }, 120_000);
});
