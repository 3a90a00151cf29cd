// Completes package-lock.json: `npx tsx test/lockfile.ts` after every `npm install`.
//
// Packages with native parts list one optional package per platform. A registry mirror may lack the
// platforms nobody here uses; npm then leaves them out of the lock file, and `npm ci` refuses such a
// lock as out of step. The entries written here name version and platform only: npm skips what is not
// for the machine at hand, and fetches the rest as it would anyway. test/lockfile.test.ts holds it.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'];

interface Entry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
interface Lock {
  packages: Record<string, Entry>;
}

/** What the lock's packages may install and the lock does not list, path → entry. */
export function missingEntries({ packages }: Lock): Record<string, Entry> {
  const missing: Record<string, Entry> = {};
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (path === '' || `node_modules/${name}` in packages) continue;
      if (`${path}/node_modules/${name}` in packages) continue;
      const tokens = name.split(/[-/]/);
      const os = SYSTEMS.filter((system) => tokens.includes(system));
      const cpu = PROCESSORS.filter((processor) => tokens.includes(processor));
      if (os.length !== 1 || cpu.length !== 1 || !/^\d/.test(version)) continue;
      const forPlatform = {
        version,
        cpu,
        ...(entry.dev ? { dev: true } : {}),
        ...(tokens.some((token) => token.startsWith('musl')) ? { libc: ['musl'] } : {}),
        optional: true,
        os,
      };
      missing[`node_modules/${name}`] = forPlatform;
    }
  }
  return missing;
}

export const readLock = (): Lock => JSON.parse(readFileSync(FILE, 'utf8')) as Lock;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lock = readLock();
  const missing = missingEntries(lock);
  // The root's own entry, '', sorts first.
  lock.packages = Object.fromEntries(
    Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${Object.keys(missing).length} entries added`);
}
