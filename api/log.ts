// Structured logs: one JSON object a line, through pino. Owns what must never be read in them: every
// finished line is searched for the secrets this process was given, for members whose name says that
// they are secret, for passwords in URLs and for signatures, whatever path they came in by.

import pino, { type Logger } from 'pino';
import type { LogEvent, LogFailure } from '../solver/index.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Keys, passwords, URLs with credentials: as text, exactly as they were given. */
  readonly secrets: readonly string[];
  /** Gets each line, its newline included. */
  readonly write: (line: string) => void;
  /** On every line, e.g. the role. */
  readonly base?: Readonly<Record<string, string>>;
}

export function createLog({ level, secrets, write, base = {} }: LogOptions): Logger {
  const scrub = scrubber(secrets);
  return pino(
    {
      level,
      base: { pid: process.pid, ...base },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => describeError(error) },
    },
    { write: (line: string) => write(scrub(line)) },
  );
}

/** A process's failures and events as lines of its log. */
export function logSinks(log: Logger): { readonly log: LogFailure; readonly tell: LogEvent } {
  return {
    log: (error, where, about = {}) => log.warn({ ...about, where, err: error }, where),
    tell: (what, about) => log.info(about, what),
  };
}

const CAUSES_MAX = 4;

/** Name, message, code and stack, and the same of what lies behind it. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, cause } = error as Error & { readonly code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(depth === 0 && error.stack !== undefined ? { stack: error.stack } : {}),
    ...(cause === undefined || depth >= CAUSES_MAX
      ? {}
      : { cause: describeError(cause, depth + 1) }),
  };
}

const HIDDEN = '[redacted]';
/** Shorter texts are no secrets, and would hide half of every line. */
const SECRET_CHARS_MIN = 6;

/** Members whose value is hidden whole; also inside JSON that is itself a string. */
const SECRET_MEMBERS =
  /(\\*")((?:[a-z0-9]*(?:signature|privatekey|password|passphrase|secret|authorization|cookie|apikey)|originSignatures|key|keys|mnemonic|trimtab-reader|x-lab-token|token)\1\s*:\s*)(?:\1(?:(?!\1).)*\1|\{[^{}]*\})/gi;
const URL_PASSWORDS = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/"\\]*):[^\s@/"\\]+@/gi;
const WEBHOOK_SECRETS = /whsec_[A-Za-z0-9+/=_-]+/g;
const BEARERS = /\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi;
/** 65 bytes and more: signatures, signed transactions, calldata. Hashes and ids are 32. */
const LONG_HEX = /\b0x([0-9a-f]{8})[0-9a-f]{120,}/gi;

/** Replaces in a finished line all that must not stand there. */
export function scrubber(secrets: readonly string[]): (line: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    for (const form of formsOf(secret)) if (form.length >= SECRET_CHARS_MIN) forms.add(form);
  }
  // Longest first: a URL before the password within it.
  const given = [...forms].sort((a, b) => b.length - a.length).map(literal);
  const exact = given.length === 0 ? null : new RegExp(given.join('|'), 'gi');
  return (line) => {
    const plain = exact === null ? line : line.replace(exact, HIDDEN);
    return plain
      .replace(SECRET_MEMBERS, `$1$2$1${HIDDEN}$1`)
      .replace(URL_PASSWORDS, `$1:${HIDDEN}@`)
      .replace(WEBHOOK_SECRETS, `whsec_${HIDDEN}`)
      .replace(BEARERS, `$1 ${HIDDEN}`)
      .replace(LONG_HEX, `0x$1…${HIDDEN}`);
  };
}

/** As given, without 0x, decoded from a URL, and each as JSON writes it. */
function formsOf(secret: string): readonly string[] {
  const bare = secret.replace(/^0x/i, '');
  const plain = [secret, bare];
  try {
    plain.push(decodeURIComponent(secret));
  } catch {
    // Not an encoded text: nothing to add.
  }
  return plain.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** What of a database's or a node's URL is secret: its password, and a key in its path or query. */
export function secretsOfUrl(text: string): readonly string[] {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^:@/]*:([^@/]+)@/i.exec(text)?.[1];
  const path = /^https?:\/\/[^/]+\/(.+)$/i.exec(text)?.[1];
  const parts = (path ?? '').split(/[/?&=]/).filter((part) => part.length >= 16);
  return [...(password === undefined ? [] : [password]), ...parts];
}
