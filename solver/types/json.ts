// JSON values as they are stored and sent. Amounts inside are decimal strings, never numbers.

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
