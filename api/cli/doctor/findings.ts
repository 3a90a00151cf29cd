// What a check answers, and how a check that breaks is one more finding and never the end of the rest.

export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do; absent where nothing is wrong. */
  readonly remedy?: string;
}

export const ok = (name: string, detail: string): Finding => ({ name, status: 'ok', detail });
export const warn = (name: string, detail: string, remedy: string): Finding => ({
  name,
  status: 'warn',
  detail,
  remedy,
});
export const fail = (name: string, detail: string, remedy: string): Finding => ({
  name,
  status: 'fail',
  detail,
  remedy,
});

const CHECK_MS = 15_000;
/** A check made of checks waits for theirs: a chain's head, then what hangs on it. */
export const CHECKS_MS = 3 * CHECK_MS;

/** The findings of one check; what it throws, or that it does not end in time, is a failure. */
export async function guarded(
  name: string,
  remedy: string,
  check: () => Promise<readonly Finding[]>,
  limitMs: number = CHECK_MS,
): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, give) => {
    timer = setTimeout(() => give(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return [fail(name, error instanceof Error ? error.message : String(error), remedy)];
  } finally {
    clearTimeout(timer);
  }
}
