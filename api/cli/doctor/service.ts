// What is behind and in front of the processes: the database, its schema and clock; the service, its
// readiness, its core and its clock.

import { systemClock } from '../../../solver/adapters/clock.ts';
import { pendingMigrations } from '../../../solver/adapters/migrations.ts';
import { openDatabase } from '../../../solver/adapters/postgres.ts';
import { type Finding, fail, ok, warn } from './findings.ts';
import { coreHash } from './machine.ts';

const SKEW_WARN_MS = 2_000;
const SKEW_FAIL_MS = 30_000;

/** Changes nothing. */
export async function checkDatabase(url: string): Promise<readonly Finding[]> {
  const database = openDatabase({ url, clock: systemClock, poolMax: 1, connectPatienceMs: 1_000 });
  try {
    const { pending, nowMs } = await pendingMigrations(database);
    const schema =
      pending.length === 0
        ? ok('schema', 'up to date')
        : warn('schema', `${pending.join(', ')} to come`, 'the next process of any role brings it');
    return [ok('database', 'answers'), schema, skewOf('database clock', nowMs)];
  } finally {
    await database.close();
  }
}

export async function checkService(api: string): Promise<readonly Finding[]> {
  const response = await fetch(`${api}/readyz`, { signal: AbortSignal.timeout(10_000) });
  const view = (await response.json()) as {
    readonly ready?: boolean;
    readonly core?: string;
    readonly checks?: Readonly<Record<string, string>>;
  };
  const wrong = Object.entries(view.checks ?? {}).filter(([, answer]) => answer !== 'ok');
  const said = wrong.map(([part, answer]) => `${part}: ${answer}`).join('; ');
  const ready =
    view.ready !== true
      ? fail('service', said || `${response.status}`, 'mend what the checks name; see its log')
      : wrong.length > 0
        ? warn('service', `ready, but ${said}`, 'see its log')
        : ok('service', `${api} is ready`);
  const date = Date.parse(response.headers.get('date') ?? '');
  return [
    ready,
    coreFinding(view.core),
    // The header counts whole seconds.
    ...(Number.isNaN(date) ? [] : [skewOf('service clock', date + 500)]),
  ];
}

function coreFinding(theirs: string | undefined): Finding {
  const ours = coreHash();
  if (theirs === undefined) return warn('service core', 'not told', 'an older service: upgrade it');
  if (theirs === ours) return ok('service core', 'the same as here');
  const remedy = 'upgrade one of the two; `trimtab replay` and `verify` need the same core';
  return warn('service core', `${theirs}, here ${ours ?? 'none'}`, remedy);
}

function skewOf(name: string, theirMs: number): Finding {
  const skew = Math.round(theirMs - Date.now());
  const detail = `${skew > 0 ? '+' : ''}${skew} ms against this machine`;
  const remedy = 'run NTP on both machines: deadlines are compared with clocks';
  if (Math.abs(skew) > SKEW_FAIL_MS) return fail(name, detail, remedy);
  return Math.abs(skew) > SKEW_WARN_MS ? warn(name, detail, remedy) : ok(name, detail);
}
