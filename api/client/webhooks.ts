// The receiver's side of a webhook: whether a delivery is the service's, unaltered and fresh. By Web
// Crypto, so that it runs in Node, in workers and at the edge.

/** Older deliveries are refused: somebody may be sending an old one again. */
const AGE_SECONDS = 300;

export interface SignedDelivery {
  /** The webhook's secret. */
  readonly secret: string;
  /** The header `trimtab-signature`: `t=<Unix seconds>,v1=<hex>`. */
  readonly signature: string | null | undefined;
  /** The body's text, byte for byte: before any parsing. */
  readonly body: string;
  /** Default 300. */
  readonly maxAgeSeconds?: number;
  /** Unix seconds; default: this machine's clock. */
  readonly now?: number;
}

/** HMAC-SHA256 of `<t>.<body>` under the secret, compared without saying where it differs. */
export async function verifyDelivery({
  secret,
  signature,
  body,
  maxAgeSeconds = AGE_SECONDS,
  now = Math.floor(Date.now() / 1000),
}: SignedDelivery): Promise<boolean> {
  const [, time, hex] = /^t=([0-9]{1,12}),v1=([0-9a-f]{64})$/.exec(signature ?? '') ?? [];
  if (time === undefined || hex === undefined) return false;
  if (Math.abs(now - Number(time)) > maxAgeSeconds) return false;
  const { subtle } = globalThis.crypto;
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['verify']);
  const bytes = Uint8Array.from({ length: 32 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
  return subtle.verify('HMAC', key, bytes, encoder.encode(`${time}.${body}`));
}
