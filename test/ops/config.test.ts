import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { BadConfiguration, readServeConfig, SERVE_VARIABLES } from '../../api/cli/serve/config.ts';
import { JOB_KINDS, JOBS, jobsOf, ROLES } from '../../solver/roles.ts';
import { networkJson } from './network.ts';

const folder = mkdtempSync(join(tmpdir(), 'trimtab-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const network = file('network.json', JSON.stringify(networkJson));
const KEY = `0x${'11'.repeat(32)}`;
const ADDRESS = `0x${'22'.repeat(20)}`;
const DATABASE_URL = 'postgres://trimtab:hidden-word@db/trimtab';
const keys = {
  TRIMTAB_FILLER_KEY: KEY,
  TRIMTAB_AUCTIONEER_KEY_FILE: file('auctioneer.key', `${KEY}\n`),
  TRIMTAB_GUARDIAN_KEY: KEY.slice(2),
};
const addresses = { TRIMTAB_FILLER_ADDRESS: ADDRESS, TRIMTAB_AUCTIONEER_ADDRESS: ADDRESS };

function faultsOf(...given: Parameters<typeof readServeConfig>): readonly string[] {
  try {
    readServeConfig(...given);
  } catch (error) {
    if (error instanceof BadConfiguration) return error.faults;
    throw error;
  }
  return [];
}

describe('readServeConfig', () => {
  test('default: a worker with its keys, from the environment and from files', () => {
    const config = readServeConfig({ role: 'worker', network }, { DATABASE_URL, ...keys });
    expect(config.roles).toEqual(['worker']);
    expect(config.api).toBeNull();
    expect(config.keys).toEqual({ filler: KEY, auctioneer: KEY, guardian: KEY });
    expect(config.secrets).toEqual(expect.arrayContaining([KEY, DATABASE_URL, 'hidden-word']));
  });

  test('behavior: what signs nothing needs no key', () => {
    for (const role of ['api', 'keeper']) {
      const config = readServeConfig({ role, network }, { DATABASE_URL, ...addresses });
      expect(config.keys.filler).toEqual({ address: ADDRESS });
      expect(config.keys.auctioneer).toEqual({ address: ADDRESS });
    }
  });

  test('behavior: settings change times by name', () => {
    const settings = file('settings.json', '{"settlement":{"pollMs":123}}');
    const env = { DATABASE_URL, ...addresses, TRIMTAB_SETTINGS: settings };
    const config = readServeConfig({ role: 'api', network }, env);
    expect(config.settings.settlementPolicy).toEqual({ pollMs: 123 });
  });

  test('error: every fault at once, a line each, and none shows a secret', () => {
    const env = {
      DATABASE_URL: 'mysql://root:hunter22@x',
      TRIMTAB_FILLER_KEY: '0xsecret',
      TRIMTAB_REQUESTS_PER_MINUTE: 'many',
      TRIMTAB_LOG_LEVEL: 'loud',
      TRIMTAB_AUCTIONEER_KEY: KEY,
      TRIMTAB_AUCTIONEER_KEY_FILE: keys.TRIMTAB_AUCTIONEER_KEY_FILE,
    };
    const flags = { role: 'worker', network: 'missing.json', opsPort: '99999' };
    const faults = faultsOf(flags, env);
    for (const part of [
      'DATABASE_URL',
      'missing.json',
      'TRIMTAB_FILLER_KEY',
      'TRIMTAB_AUCTIONEER_KEY and TRIMTAB_AUCTIONEER_KEY_FILE',
      'TRIMTAB_GUARDIAN_KEY_FILE',
      'TRIMTAB_REQUESTS_PER_MINUTE',
      'TRIMTAB_LOG_LEVEL',
      '--ops-port',
    ]) {
      expect(faults.filter((fault) => fault.includes(part))).toHaveLength(1);
    }
    expect(faults).toHaveLength(8);
    expect(faults.join()).not.toMatch(/hunter22|0xsecret/);
  });

  test.each([
    ['{"settlement":{"pollMS":1}}', 'has no setting pollMS'],
    ['{"settlement":{"pollMs":"1"}}', 'must be a number'],
    ['{"auction":{}}', 'has no setting auction'],
    ['[]', 'must be a JSON object'],
    ['{', 'is not JSON'],
  ])('error: settings %s', (text, said) => {
    const settings = file('bad.json', text);
    const faults = faultsOf({ role: 'api', network, settings }, { DATABASE_URL, ...addresses });
    expect(faults).toEqual([expect.stringContaining(said)]);
  });

  test('error: a network’s fault is told with its pointer', () => {
    const bad = file('bad-network.json', JSON.stringify({ ...networkJson, chains: [] }));
    const faults = faultsOf({ role: 'api', network: bad }, { DATABASE_URL, ...addresses });
    expect(faults).toEqual([expect.stringContaining('/chains')]);
  });
});

describe('roles', () => {
  test('default: every job kind belongs to one role, and the API runs none', () => {
    expect(jobsOf(['api'])).toEqual([]);
    expect([...jobsOf(['worker']), ...jobsOf(['keeper'])].sort()).toEqual([...JOB_KINDS].sort());
    expect([...jobsOf(ROLES)].sort()).toEqual(Object.keys(JOBS).sort());
  });
});

describe('docs/deployment.md', () => {
  test('default: its table has exactly the variables that are read', () => {
    const text = readFileSync('docs/deployment.md', 'utf8');
    const named = [...text.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual([...SERVE_VARIABLES].sort());
  });
});
