// Who owns a data directory: whoever holds one session advisory lock in its server. The kernel closes
// a dead owner's connection and the server then drops the lock, so it cannot go stale as a pid file can.

import { Socket } from 'node:net';
import pg from 'pg';
import { Fault } from '../types/errors.ts';
import { systemClock } from './clock.ts';
import type { ServerProcess } from './postgresProcess.ts';

/** One connection, made to hold the lock. */
export interface OwnerConnection {
  /** False when another live process holds it. */
  takeLock(): Promise<boolean>;
  /**
   * Calls back once or twice when the connection breaks. From then on it does not keep this process
   * alive: an owner that forgets to stop its server still ends, and its server with it.
   */
  onGone(listener: () => void): void;
  /** The refusal for whoever did not get the lock, naming the process that has it. Ends this. */
  inUse(folder: string): Promise<Fault>;
  end(): Promise<void>;
}

const READY_MS = 60_000;
const PAUSE_MS = 20;
/** Any constant serves; ASCII "trimtab" as a number is unlikely to be anyone else's. */
const OWNER_LOCK = '32765927829233250';

/** A connection as soon as the server takes one; null when the server ended instead. */
export async function connectWhenReady(
  url: string,
  server: Pick<ServerProcess, 'pid' | 'hasEnded'>,
): Promise<OwnerConnection | null> {
  const deadline = systemClock.nowMs() + READY_MS;
  for (;;) {
    // pg's types do not show a client's socket, so it is given one.
    const socket = new Socket();
    const client = new pg.Client({
      stream: () => socket,
      connectionString: url,
      connectionTimeoutMillis: 5_000,
      application_name: `trimtab owner ${process.pid}`,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      return ownerConnection(client, socket);
    } catch (cause) {
      await client.end().catch(() => {});
      if (server.hasEnded()) return null;
      if (systemClock.nowMs() > deadline) {
        const message = `PostgreSQL (pid ${server.pid}) runs but takes no connection`;
        throw new Fault(message, { code: 'postgresFailed', retryable: false, cause });
      }
    }
    await systemClock.sleep(PAUSE_MS);
  }
}

function ownerConnection(client: pg.Client, socket: Socket): OwnerConnection {
  const end = () => client.end().catch(() => {});
  return {
    async takeLock() {
      try {
        const answer = await client.query<{ got: boolean }>(
          `SELECT pg_try_advisory_lock(${OWNER_LOCK}) AS got`,
        );
        return answer.rows[0]?.got === true;
      } catch (cause) {
        throw new Fault('PostgreSQL went away while it started', { code: 'postgresFailed', cause });
      }
    },
    onGone(listener) {
      client.on('error', listener);
      client.on('end', listener);
      socket.unref();
    },
    async inUse(folder) {
      const answer = await client
        .query<{ name: string }>(
          `SELECT application_name AS name FROM pg_stat_activity
           WHERE pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)
             AND application_name LIKE 'trimtab owner %'`,
        )
        .catch(() => ({ rows: [] }));
      await end();
      const pid = /owner (\d+)/.exec(answer.rows[0]?.name ?? '')?.[1];
      return new Fault(
        `${folder} is in use by another trimtab${pid === undefined ? '' : ` (process ${pid})`}: ` +
          'stop that one, or set TRIMTAB_HOME to another folder',
        { code: 'homeInUse', retryable: false },
      );
    },
    end,
  };
}
