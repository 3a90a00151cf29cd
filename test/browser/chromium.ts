// Finds a Chromium and starts it headless. Where there is none it says how to have one; on a machine
// that runs CI as root it installs Debian's.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
];

/** Nothing that reaches out to the network: there may be none. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The browser's path, or what to do to have one. */
export function findChromium(): { readonly path: string } | { readonly missing: string } {
  const path = lookUp() ?? installed();
  if (path !== undefined) return { path };
  return {
    missing:
      'browser: skipped, no Chromium: apt-get install chromium, or set CHROMIUM to the path of one',
  };
}

/** Headless, in an empty profile of its own. */
export function startChromium(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, headless: true, args: QUIET });
}

function lookUp(): string | undefined {
  const { CHROMIUM } = process.env;
  return [...(CHROMIUM === undefined ? [] : [CHROMIUM]), ...PLACES, ...cached()].find(existsSync);
}

/** Browsers that some playwright on this machine has downloaded. */
function cached(): readonly string[] {
  const cache = process.env.PLAYWRIGHT_BROWSERS_PATH ?? join(homedir(), '.cache/ms-playwright');
  if (!existsSync(cache)) return [];
  return readdirSync(cache)
    .filter((name) => name.startsWith('chromium-'))
    .flatMap((name) => [
      join(cache, name, 'chrome-linux/chrome'),
      join(cache, name, 'chrome-linux64/chrome'),
    ]);
}

function installed(): string | undefined {
  if (process.env.CI !== 'true' || process.getuid?.() !== 0) return undefined;
  const run = (args: readonly string[]) =>
    spawnSync('apt-get', args, { stdio: 'ignore', timeout: 240_000 }).status === 0;
  if (!run(['install', '-y', 'chromium']) && run(['update'])) run(['install', '-y', 'chromium']);
  return lookUp();
}
