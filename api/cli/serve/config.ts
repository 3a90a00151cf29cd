// What `trimtab serve` runs with: flags, environment, and files that either names. Owns every fault a
// configuration can have and tells all of them at once, each with its remedy. Secrets come from the
// environment or from files, never from argv, which every user of the machine can read.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEFAULT_KEEPER_OPTIONS } from '../../../solver/keeper/ports.ts';
import { parseNetwork } from '../../../solver/market/networkFile.ts';
import { DEFAULT_POLICY } from '../../../solver/quoting/policy.ts';
import { jobsOf, ROLES, type Role } from '../../../solver/roles.ts';
import { DEFAULT_SETTLEMENT_POLICY } from '../../../solver/settlement/policy.ts';
import type { Key, SolverOptions } from '../../../solver/solver.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { type EvmAddress, evmAddress, type Hex } from '../../../solver/types/ids.ts';
import type { NetworkConfig } from '../../../solver/types/network.ts';
import { LOG_LEVELS, type LogLevel, secretsOfUrl } from '../../log.ts';
import { wasmPath } from '../build.ts';

/** As commander hands them over. */
export interface ServeFlags {
  readonly role?: string;
  readonly network?: string;
  readonly settings?: string;
  readonly host?: string;
  readonly port?: string;
  readonly opsHost?: string;
  readonly opsPort?: string;
}

export interface ServeConfig {
  readonly roles: readonly Role[];
  readonly network: NetworkConfig;
  readonly databaseUrl: string;
  readonly wasmPath: string;
  readonly keys: SolverOptions['keys'];
  readonly settings: Pick<SolverOptions, 'quotePolicy' | 'settlementPolicy' | 'keeper'>;
  /** Null where no role answers the API. */
  readonly api: { readonly host: string; readonly port: number } | null;
  readonly ops: { readonly host: string; readonly port: number };
  readonly trustProxy: boolean | string;
  readonly requestsPerMinute: number;
  readonly logLevel: LogLevel;
  readonly shutdownSeconds: number;
  /** What no log line may show. */
  readonly secrets: readonly string[];
}

/** Everything that is wrong with a configuration. */
export class BadConfiguration extends Error {
  override readonly name = 'BadConfiguration';
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

type Env = Readonly<Record<string, string | undefined>>;
const FILE_BYTES_MAX = 10_000_000;
const ACCOUNTS = ['filler', 'auctioneer', 'guardian'] as const;

/** Every environment variable that is read; the deployment's table is compared with it. */
export const SERVE_VARIABLES = [
  'DATABASE_URL',
  'DATABASE_URL_FILE',
  'TRIMTAB_NETWORK',
  'TRIMTAB_SETTINGS',
  'TRIMTAB_CORE',
  ...ACCOUNTS.flatMap((account) => {
    const name = `TRIMTAB_${account.toUpperCase()}`;
    return [`${name}_KEY`, `${name}_KEY_FILE`, `${name}_ADDRESS`];
  }),
  'TRUST_PROXY',
  'TRIMTAB_REQUESTS_PER_MINUTE',
  'TRIMTAB_LOG_LEVEL',
  'TRIMTAB_SHUTDOWN_SECONDS',
];

/** Throws BadConfiguration with every fault found. */
export function readServeConfig(flags: ServeFlags, env: Env): ServeConfig {
  const faults: string[] = [];
  /** Reads one part; what it throws is one fault, and its place is taken by `instead`. */
  const part = <T>(instead: T, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      faults.push(`${error.pointer ? `${error.pointer}: ` : ''}${error.message}`);
      return instead;
    }
  };
  const roles = part<readonly Role[]>([], () => rolesOf(flags.role));
  const databaseUrl = part('', () => databaseUrlOf(env));
  const network = part<NetworkConfig | null>(null, () =>
    networkOf(flags.network ?? env.TRIMTAB_NETWORK),
  );
  const settings = part({}, () => settingsOf(flags.settings ?? env.TRIMTAB_SETTINGS));
  const signs = jobsOf(roles).length > 0 && roles.includes('worker');
  const keys = Object.fromEntries(
    ACCOUNTS.map((account) => [
      account,
      part<Key>(`0x${'0'.repeat(64)}`, () => keyOf(account, env, signs)),
    ]),
  ) as unknown as SolverOptions['keys'];
  const config: Omit<ServeConfig, 'network'> = {
    roles,
    databaseUrl,
    wasmPath: env.TRIMTAB_CORE ?? wasmPath,
    keys,
    settings,
    api: roles.includes('api')
      ? { host: flags.host ?? '127.0.0.1', port: part(0, () => portOf('--port', flags.port, 8787)) }
      : null,
    ops: {
      host: flags.opsHost ?? '127.0.0.1',
      port: part(0, () => portOf('--ops-port', flags.opsPort, 9464)),
    },
    trustProxy: trustOf(env.TRUST_PROXY),
    requestsPerMinute: part(1200, () =>
      numberOf(env, 'TRIMTAB_REQUESTS_PER_MINUTE', 1200, 1, 1_000_000),
    ),
    logLevel: part<LogLevel>('info', () => levelOf(env.TRIMTAB_LOG_LEVEL)),
    shutdownSeconds: part(25, () => numberOf(env, 'TRIMTAB_SHUTDOWN_SECONDS', 25, 1, 600)),
    secrets: [
      ...Object.values(keys).filter((key) => typeof key === 'string'),
      databaseUrl,
      ...secretsOfUrl(databaseUrl),
      ...(network?.chains ?? []).flatMap(({ rpcUrl }) => secretsOfUrl(rpcUrl)),
    ],
  };
  if (network === null || faults.length > 0) throw new BadConfiguration(faults);
  return { ...config, network };
}

function rolesOf(text: string | undefined): readonly Role[] {
  if (text === 'all') return ROLES;
  const known = ROLES.find((role) => role === text);
  if (known !== undefined) return [known];
  throw new InvalidInput(
    `--role takes ${ROLES.join(', ')} or all${text === undefined ? '' : `, got ${text}`}`,
  );
}

function databaseUrlOf(env: Env): string {
  const url = secretOf('DATABASE_URL', env);
  if (url === null) {
    const remedy = 'set it, or DATABASE_URL_FILE, to postgres://user:password@host:5432/name';
    throw new InvalidInput(`DATABASE_URL is missing: ${remedy}`);
  }
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new InvalidInput('DATABASE_URL must begin with postgres:// (its value is not shown)');
  }
  return url;
}

function networkOf(path: string | undefined): NetworkConfig {
  if (path === undefined) {
    throw new InvalidInput('no network: name its file with --network or TRIMTAB_NETWORK');
  }
  try {
    return parseNetwork(jsonOf(path, '--network'));
  } catch (error) {
    if (!(error instanceof InvalidInput) || error.pointer === '') throw error;
    throw new InvalidInput(`${path} ${error.pointer}: ${error.message}`);
  }
}

/** The defaults are the list of what may be set, and of what type. */
const SETTINGS = {
  quote: DEFAULT_POLICY,
  settlement: DEFAULT_SETTLEMENT_POLICY,
  keeper: { ...DEFAULT_KEEPER_OPTIONS, proposalSeconds: 300, policiesMax: 32 },
} as const;
const SETTING_MAX = 1e12;

function settingsOf(path: string | undefined): ServeConfig['settings'] {
  if (path === undefined) return {};
  const given = recordOf(jsonOf(path, '--settings'), path, Object.keys(SETTINGS));
  const group = (name: keyof typeof SETTINGS) => {
    const defaults: Readonly<Record<string, unknown>> = { ...SETTINGS[name] };
    const values = recordOf(given[name] ?? {}, `${path} /${name}`, Object.keys(defaults));
    for (const [key, value] of Object.entries(values)) {
      const fits =
        typeof value === typeof defaults[key] &&
        typeof value === 'number' &&
        value >= 0 &&
        value <= SETTING_MAX;
      if (!fits) throw new InvalidInput(`${path} /${name}/${key} must be a number, 0 or more`);
    }
    return values;
  };
  return {
    quotePolicy: group('quote'),
    settlementPolicy: group('settlement'),
    keeper: group('keeper'),
  };
}

function recordOf(value: unknown, where: string, known: readonly string[]) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidInput(`${where} must be a JSON object`);
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    throw new InvalidInput(`${where} has no setting ${key}; it has ${known.join(', ')}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** A key where the role signs; else its address is enough, and better. */
function keyOf(account: (typeof ACCOUNTS)[number], env: Env, signs: boolean): Key {
  const name = `TRIMTAB_${account.toUpperCase()}`;
  const key = secretOf(`${name}_KEY`, env);
  if (key !== null) {
    const full = key.startsWith('0x') ? key : `0x${key}`;
    if (/^0x[0-9a-fA-F]{64}$/.test(full)) return full as Hex;
    throw new InvalidInput(`${name}_KEY must be 32 bytes of hex (its value is not shown)`);
  }
  if (signs) {
    throw new InvalidInput(
      `${name}_KEY_FILE (or ${name}_KEY) is missing: role worker signs with it`,
    );
  }
  const address = env[`${name}_ADDRESS`];
  // The guardian is named by nobody: a role that does not refund needs no address of it.
  if (address === undefined && account === 'guardian') return { address: NOBODY };
  if (address === undefined || !/^0x[0-9a-fA-F]{40}$/.test(address)) {
    throw new InvalidInput(`${name}_ADDRESS is missing: 0x and 40 hex digits, or its key`);
  }
  return { address: evmAddress(address) };
}
const NOBODY: EvmAddress = evmAddress(`0x${'0'.repeat(40)}`);

/** `NAME`, or the contents of the file that `NAME_FILE` names; null: neither. */
function secretOf(name: string, env: Env): string | null {
  const [direct, file] = [env[name], env[`${name}_FILE`]];
  if (direct !== undefined && direct !== '' && file !== undefined && file !== '') {
    throw new InvalidInput(`${name} and ${name}_FILE are both set: keep one`);
  }
  if (direct !== undefined && direct !== '') return direct.trim();
  if (file === undefined || file === '') return null;
  return textOf(file, `${name}_FILE`).trim();
}

function textOf(path: string, from: string): string {
  try {
    const text = readFileSync(resolve(path), 'utf8');
    if (text.length <= FILE_BYTES_MAX) return text;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new InvalidInput(`${from}: ${path} cannot be read (${code})`);
  }
  throw new InvalidInput(`${from}: ${path} is too large`);
}

function jsonOf(path: string, from: string): unknown {
  const text = textOf(path, from);
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidInput(`${from}: ${path} is not JSON`);
  }
}

function portOf(flag: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidInput(`${flag} takes a number from 0 to 65535, got ${text}`);
}

function numberOf(env: Env, name: string, otherwise: number, low: number, high: number): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new InvalidInput(`${name} takes an integer from ${low} to ${high}`);
}

/** `true`, nothing, or the proxies' addresses and subnets, separated by commas. */
function trustOf(text: string | undefined): boolean | string {
  if (text === undefined || text === '' || text === 'false') return false;
  return text === 'true' ? true : text;
}

function levelOf(text: string | undefined): LogLevel {
  if (text === undefined || text === '') return 'info';
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  throw new InvalidInput(`TRIMTAB_LOG_LEVEL takes ${LOG_LEVELS.join(', ')}`);
}
