// One WebAssembly instance on a thread of its own. Plain JavaScript, so that it starts without a
// TypeScript loader. It is sent an encoded problem (the bytes from the header to the end of the
// records), solves it, and sends the same bytes back with the answer in them. A trap kills the
// thread: its memory is not to be trusted again, and the pool starts another.

import { parentPort, workerData } from 'node:worker_threads';

const instance = new WebAssembly.Instance(new WebAssembly.Module(workerData.wasmBytes));
const { memory, header, arrange, solve } = instance.exports;

/** Bytes of the header: counts first, so that this instance lays out the same blocks. */
const HEADER_BYTES = 256;

parentPort.on('message', ({ id, bytes }) => {
  const block = new Uint8Array(memory.buffer, header(), bytes.byteLength);
  block.set(new Uint8Array(bytes, 0, HEADER_BYTES));
  arrange();
  block.set(new Uint8Array(bytes));
  solve();
  const answer = block.slice().buffer;
  parentPort.postMessage({ id, bytes: answer }, [answer]);
});
