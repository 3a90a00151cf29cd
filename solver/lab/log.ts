// lab.log: one JSON object per line, for people and tests. Bounded: a run starts a new file and
// keeps the one before as lab.log.1; a file stops growing at LOG_BYTES_MAX.

import { appendFileSync, renameSync, statSync } from 'node:fs';
import { isMissing } from './files.ts';

const LOG_BYTES_MAX = 50_000_000;

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;
export interface LabLog {
  info(event: string, fields?: LogFields): void;
  error(event: string, error: unknown, fields?: LogFields): void;
}

export function openLog(path: string): LabLog {
  let bytes = 0;
  try {
    if (statSync(path).size > 0) renameSync(path, `${path}.1`);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const write = (level: string, event: string, fields: LogFields) => {
    if (bytes > LOG_BYTES_MAX) return;
    const line = `${JSON.stringify({ at: new Date().toISOString(), level, event, ...fields })}\n`;
    bytes += line.length;
    appendFileSync(path, line);
  };
  return {
    info: (event, fields = {}) => write('info', event, fields),
    error: (event, error, fields = {}) =>
      write('error', event, { ...fields, error: messageOf(error) }),
  };
}

/** The first lines of an error's message and of its causes: viem's run to pages. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message.split('\n').slice(0, 3).join(' ').slice(0, 400);
  return error.cause === undefined ? own : `${own} ← ${messageOf(error.cause)}`.slice(0, 800);
}
