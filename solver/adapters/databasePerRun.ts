// One database per run of the local chains. Chains of another run have another history, so orders,
// nonces and transactions of one must never be read beside the other's.

import pg from 'pg';
import { assert } from '../types/assert.ts';
import { InvalidInput } from '../types/errors.ts';

const PREFIX = 'trimtab_run_';

/**
 * Creates the database of `runId` on the server of `url` if it is missing, drops those of earlier
 * runs (their chains are gone), and answers the url of this run's.
 */
export async function databaseOfRun(url: string, runId: string): Promise<string> {
  const name = `${PREFIX}${runId.replaceAll('-', '')}`;
  assert(/^[a-z0-9_]{1,63}$/.test(name), `run id ${runId}`);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [PREFIX],
    );
    for (const { datname } of rows.filter((row) => row.datname !== name)) {
      await client.query(
        `DROP DATABASE IF EXISTS ${client.escapeIdentifier(datname)} WITH (FORCE)`,
      );
    }
    if (!rows.some(({ datname }) => datname === name)) {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
    }
  } finally {
    await client.end();
  }
  return withDatabase(url, name);
}

/** `postgres://user@host/name?…` with another name. URL refuses the empty host of a socket's form. */
function withDatabase(url: string, name: string): string {
  const parts = /^(postgres(?:ql)?:\/\/[^/?]*)(?:\/[^?]*)?(\?.*)?$/.exec(url);
  if (parts === null) {
    throw new InvalidInput('DATABASE_URL must look like postgres://user:password@host:5432/name');
  }
  return `${parts[1]}/${name}${parts[2] ?? ''}`;
}
