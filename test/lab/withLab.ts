// A lab of its own for one test: a fresh home in the temp folder, the deployed state from the
// shared cache, ended and removed whatever happens.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILD_DIR } from '../../solver/lab/files.ts';
import { type LabHandle, type LabOptions, startLab } from '../../solver/lab/lab.ts';

/** Shared by all tests: only the first one of a changed lab deploys. */
export const LAB_CACHE = join(BUILD_DIR, 'lab-cache');

/** Runs `fn` with a ready lab; `home` is a TRIMTAB_HOME made for it and removed afterwards. */
export async function withLab<T>(
  options: Omit<LabOptions, 'home'>,
  fn: (lab: LabHandle, home: string) => Promise<T>,
): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), 'trimtab-lab-'));
  let lab: LabHandle | null = null;
  try {
    lab = await startLab({ cacheDir: LAB_CACHE, ...options, home });
    return await fn(lab, home);
  } finally {
    await lab?.stop();
    await rm(home, { recursive: true, force: true });
  }
}
