// `trimtab doctor`: looks at everything a run stands on and says for each thing whether it is well and
// what to do if not. Changes nothing. Exits 1 when something failed.

import { existsSync, readFileSync } from 'node:fs';
import { labPaths } from '../../../solver/lab/files.ts';
import { parseNetwork } from '../../../solver/market/networkFile.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { type EvmAddress, evmAddress } from '../../../solver/types/ids.ts';
import { scrubber, secretsOfUrl } from '../../log.ts';
import { stateHome } from '../home.ts';
import { checkChains } from './chains.ts';
import { CHECKS_MS, type Finding, guarded, ok, warn } from './findings.ts';
import type { DoctorFlags } from './flags.ts';
import { checkMachine } from './machine.ts';
import { checkDatabase, checkService } from './service.ts';

export async function doctor(flags: DoctorFlags): Promise<void> {
  const findings = await examine(flags);
  const failed = findings.filter(({ status }) => status === 'fail').length;
  const text = flags.json
    ? `${JSON.stringify({ ok: failed === 0, findings })}\n`
    : asText(findings);
  process.stdout.write(text);
  if (failed > 0) process.exitCode = 1;
}

async function examine(flags: DoctorFlags): Promise<readonly Finding[]> {
  const home = stateHome();
  const { DATABASE_URL: databaseUrl = '' } = process.env;
  const paths = labPaths(home);
  const networkFile =
    flags.network ??
    process.env.TRIMTAB_NETWORK ??
    (existsSync(paths.network) ? paths.network : null);
  const parts = await Promise.all([
    checkMachine(home),
    databaseUrl === ''
      ? [ok('database', 'embedded: DATABASE_URL is not set')]
      : guarded('database', 'see that the server runs and DATABASE_URL is right', () =>
          checkDatabase(databaseUrl),
        ),
    networkFile === null
      ? [warn('network', 'no network file', 'name one with --network, or run `trimtab start`')]
      : guarded(
          'network',
          'start its chains: `trimtab start`, or mend the file',
          () =>
            checkNetwork(
              networkFile,
              fillerOf(networkFile === paths.network ? paths.accounts : null),
            ),
          CHECKS_MS,
        ),
    flags.api === undefined
      ? []
      : guarded('service', `see that trimtab listens at ${flags.api}`, () =>
          checkService(String(flags.api).replace(/\/$/, '')),
        ),
  ]);
  const scrub = scrubber([databaseUrl, ...secretsOfUrl(databaseUrl)]);
  return parts.flat().map((finding) => ({ ...finding, detail: scrub(finding.detail) }));
}

async function checkNetwork(path: string, filler: EvmAddress | null): Promise<readonly Finding[]> {
  if (!existsSync(path)) throw new InvalidInput(`${path} does not exist`);
  const network = parseNetwork(JSON.parse(readFileSync(path, 'utf8')));
  const unnamed =
    filler === null
      ? [warn('filler', 'not named', 'set TRIMTAB_FILLER_ADDRESS to see its gas and inventory')]
      : [];
  return [ok('network', path), ...(await checkChains(network, filler)), ...unnamed];
}

/** The lab tells its own filler; elsewhere the environment names it. */
function fillerOf(accounts: string | null): EvmAddress | null {
  const { TRIMTAB_FILLER_ADDRESS } = process.env;
  if (TRIMTAB_FILLER_ADDRESS) return evmAddress(TRIMTAB_FILLER_ADDRESS);
  if (accounts === null || !existsSync(accounts)) return null;
  return JSON.parse(readFileSync(accounts, 'utf8')).filler.address;
}

const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

function asText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(({ name, status, detail, remedy }) => {
    const line = `${MARKS[status]}  ${name.padEnd(width)}  ${detail}`;
    return remedy === undefined ? line : `${line}\n${' '.repeat(width + 8)}→ ${remedy}`;
  });
  const count = (status: Finding['status']) =>
    findings.filter((one) => one.status === status).length;
  return `${lines.join('\n')}\n${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed\n`;
}
