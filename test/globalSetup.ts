// Builds the core and the contracts once before any test.

import { buildAll } from '../api/cli/build.ts';

export default async function setup(): Promise<void> {
  await buildAll((line) => console.log(line));
}
