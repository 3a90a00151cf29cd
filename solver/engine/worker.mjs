// One WebAssembly instance on a thread of its own. Plain JavaScript, so that it starts without a
// TypeScript loader. A message is a quote (header and nodes), before it the image of the snapshot (the
// bytes from the header to the legs) unless this instance holds it; the answer is header and nodes,
// and the legs with what proves the bound. Solves cold: what it answered before leaves no trace in an answer. A trap kills the
// thread: its memory is not to be trusted again, and the pool starts another.

import { parentPort, workerData } from 'node:worker_threads';

const { HEADER, HEADER_BYTES, QUOTE, SIZE, STATUS } = workerData.abi;
const instance = new WebAssembly.Instance(new WebAssembly.Module(workerData.wasmBytes));
const { memory, header, arrange, load, solve } = instance.exports;
const at = header();
const bytes = new Uint8Array(memory.buffer);
const view = new DataView(memory.buffer);

/** The bought node of the load at hand (its tree of start prices grows from there), or null. */
let loadedFor = null;

parentPort.on('message', ({ id, image, quote }) => {
  if (image !== null) {
    // The counts first, so that this instance lays out the same blocks.
    bytes.set(new Uint8Array(image, 0, HEADER_BYTES), at);
    arrange();
    bytes.set(new Uint8Array(image), at);
    loadedFor = null;
  }
  writeQuote(new Uint8Array(quote));
  const buyNode = view.getInt32(at + HEADER.buyNode, true);
  if (loadedFor !== buyNode) load();
  solve();
  // What is no answer may have left anything behind: the next quote loads afresh.
  loadedFor = view.getInt32(at + HEADER.status, true) > STATUS.limit ? null : buyNode;
  const records = bytes.slice(at, at + quote.byteLength).buffer;
  const first = view.getUint32(at + HEADER.legs, true);
  const count = view.getInt32(at + HEADER.legCount, true);
  // A bound by cases lies behind the room for legs.
  const cases = view.getInt32(at + HEADER.branchCount, true) > 0;
  const end = cases ? view.getUint32(at + HEADER.scratch, true) : first + count * SIZE.leg;
  const legs = bytes.slice(first, end).buffer;
  parentPort.postMessage({ id, records, legs }, [records, legs]);
});

/** Copies what a quote may change; all else in those records is the snapshot's or the core's. */
function writeQuote(quote) {
  for (const [first, length] of QUOTE.header) {
    bytes.set(quote.subarray(first, first + length), at + first);
  }
  for (let node = HEADER_BYTES; node < quote.length; node += SIZE.node) {
    for (const [first, length] of QUOTE.node) {
      bytes.set(quote.subarray(node + first, node + first + length), at + node + first);
    }
  }
}
