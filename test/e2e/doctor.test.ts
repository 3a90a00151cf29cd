// trimtab doctor against a whole world: everything well; then a chain that hangs, a wrong contract and
// a database that is not there, each named with its remedy.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../api/cli/doctor/findings.ts';
import { projectRoot } from '../../api/cli/home.ts';
import { type OwnWorld, openOwnWorld } from './harness.ts';

let own: OwnWorld;
beforeAll(async () => {
  own = await openOwnWorld({});
});
afterAll(() => own?.close());

interface Answer {
  readonly code: number;
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

function doctor(args: readonly string[], env: Record<string, string> = {}): Promise<Answer> {
  const bin = join(projectRoot, 'api/cli/bin.mjs');
  const databaseUrl = own.world.databaseUrl;
  return new Promise((done, fail) => {
    execFile(
      process.execPath,
      [bin, 'doctor', '--json', ...args],
      { env: { ...process.env, TRIMTAB_HOME: own.home, DATABASE_URL: databaseUrl, ...env } },
      (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : 0;
        if (stdout === '') fail(new Error(stderr));
        else done({ ...JSON.parse(stdout), code });
      },
    );
  });
}
const failed = ({ findings }: Answer) => findings.filter(({ status }) => status === 'fail');

describe('trimtab doctor', () => {
  test('default: a world that is well', async () => {
    const answer = await doctor(['--api', own.world.api.url]);
    expect(failed(answer)).toEqual([]);
    expect(answer).toMatchObject({ ok: true, code: 0 });
    const names = answer.findings.filter(({ status }) => status === 'ok').map(({ name }) => name);
    for (const { name, chainId } of own.world.lab.network.chains) {
      for (const part of ['', ' contracts', ' settings', ' feeds', ' filler']) {
        expect(names).toContain(`chain ${name} (${chainId})${part}`);
      }
    }
    for (const name of ['database', 'schema', 'service', 'service core', 'core', 'node']) {
      expect(names).toContain(name);
    }
  });

  test('error: contracts that are not as listed', async () => {
    const { network } = own.world.lab;
    const [first, ...rest] = network.chains;
    if (first === undefined) throw new Error('no chain');
    const contracts = { ...first.contracts, routeExecutor: `0x${'ab'.repeat(20)}` };
    const path = join(own.home, 'wrong.json');
    await writeFile(
      path,
      JSON.stringify({
        ...network,
        minProofWindowSeconds: 1,
        chains: [{ ...first, contracts }, ...rest],
      }),
    );
    const answer = await doctor(['--network', path]);
    expect(answer.code).toBe(1);
    const said = failed(answer).map(({ name, detail }) => `${name}: ${detail}`);
    expect(said).toContainEqual(expect.stringContaining('no code at routeExecutor'));
    expect(said).toContainEqual(expect.stringContaining('MIN_PROOF_WINDOW is 24'));
    for (const { remedy } of failed(answer)) expect(remedy).toBeTruthy();
  });

  test('error: a chain that hangs and a database that is not there', async () => {
    await own.world.lab.control.stopChain(31339);
    try {
      const url = 'postgres://trimtab:hidden-word@127.0.0.1:9/trimtab';
      const answer = await doctor([], { DATABASE_URL: url });
      expect(answer.code).toBe(1);
      const names = failed(answer).map(({ name }) => name);
      expect(names).toContain('database');
      expect(names).toContain('chain Birch (31339)');
      expect(JSON.stringify(answer)).not.toContain('hidden-word');
    } finally {
      await own.world.lab.control.resumeChain(31339);
    }
  });
});
