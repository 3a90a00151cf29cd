// Assertions for states the code believes impossible. A failed one is a defect: the task at hand
// dies loudly and nothing further is sent. Expected outcomes are Refusals (errors.ts), never these.

/** A broken invariant of our own code: never caught to continue, always reported. */
export class Defect extends Error {
  override readonly name = 'Defect';
}

/** Throws Defect with `message` unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Defect(message);
}

/** Narrows away null and undefined, or throws Defect naming what was missing. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Defect(`missing: ${what}`);
  return value;
}

/** The default branch of an exhaustive switch: unreachable while the types hold. */
export function unreachable(value: never): never {
  throw new Defect(`unreachable: ${JSON.stringify(value)}`);
}
