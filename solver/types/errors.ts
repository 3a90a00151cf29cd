// The kinds of failure that cross rooms. Defects are in assert.ts.
//   InvalidInput  thrown at the boundary only; the caller can mend it        → 4xx
//   Refusal       an expected outcome: returned as a value, never thrown     → 409 / 422
//   Fault         I/O failed; says whether trying again may help             → 502 / 503

/** The caller's input is wrong. `pointer` is an RFC 6901 JSON pointer to the field, '' for the whole. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
  readonly code: string;
  readonly pointer: string;
  constructor(message: string, options: { pointer?: string; code?: string } = {}) {
    super(message);
    this.pointer = options.pointer ?? '';
    this.code = options.code ?? 'invalidInput';
  }
}

/** Something outside answered wrongly or not at all. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: string;
  readonly retryable: boolean;
  constructor(
    message: string,
    options: { cause?: unknown; retryable?: boolean; code?: string } = {},
  ) {
    super(message, { cause: options.cause });
    this.retryable = options.retryable ?? true;
    this.code = options.code ?? 'fault';
  }
}

/** An expected "no": what, where, and how to mend it. */
export interface Refusal<Code extends string = string> {
  readonly refused: Code;
  readonly message: string;
  readonly pointer?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value;
}
