// The operating system's randomness behind the Rng port.

import { randomBytes } from 'node:crypto';
import type { Rng } from '../types/ports.ts';

export const systemRng: Rng = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
};
