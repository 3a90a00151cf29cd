// A page on localhost with the bundled engine and checker, and the .wasm beside it.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `/`, `/page.js` and `/trimtab.wasm` (the bytes given) on a free port of 127.0.0.1. */
export async function servePage(wasmBytes: Uint8Array): Promise<PageServer> {
  const { outputFiles } = await build({
    entryPoints: ['test/browser/page.ts'],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  const script = outputFiles[0]?.contents ?? new Uint8Array();
  const answers = new Map<string | undefined, readonly [string, Uint8Array | string]>([
    ['/', ['text/html', '<!doctype html><title>trimtab</title><script src="/page.js"></script>']],
    ['/page.js', ['text/javascript', script]],
    ['/trimtab.wasm', ['application/wasm', wasmBytes]],
  ]);
  const server = createServer((request, response) => {
    const [type, body] = answers.get(request.url) ?? ['text/plain', 'not found'];
    response.writeHead(answers.has(request.url) ? 200 : 404, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
