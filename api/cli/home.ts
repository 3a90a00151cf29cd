// Where things live: the project's own folder, and the folder of runtime state.

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, wherever the command was called from. */
export const projectRoot = resolve(fileURLToPath(import.meta.url), '../../..');

/** Runtime state: database, lab, keys of the lab. TRIMTAB_HOME, else .trimtab in the checkout. */
export function stateHome(): string {
  return resolve(process.env.TRIMTAB_HOME ?? resolve(projectRoot, '.trimtab'));
}
