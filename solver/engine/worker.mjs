// One WebAssembly instance on a thread of its own. Plain JavaScript, so that it starts without a
// TypeScript loader. A message is a batch of quotes (header, nodes and targets, and a cap in dollars), with
// it the image of their snapshot (the bytes from the header to the legs) unless this instance holds it;
// the answer to each is header and nodes, and the legs with what proves the bound.
// Solves cold: what it answered before leaves no trace in an answer. A trap is told and kills the
// thread: its memory is not to be trusted again, and the pool starts another.

import { parentPort, workerData } from 'node:worker_threads';

const { HEADER, HEADER_BYTES, QUOTE, SIZE } = workerData.abi;
const instance = new WebAssembly.Instance(new WebAssembly.Module(workerData.wasmBytes));
const { memory, header, arrange, load, solve } = instance.exports;
const at = header();
const bytes = new Uint8Array(memory.buffer);
const view = new DataView(memory.buffer);

/** Where a cap lowers what a venue takes in, from the header on, and the venues' own limits there. */
let places = new Uint32Array(0);
let limits = new Float64Array(0);

parentPort.on('message', ({ snapshot, quotes }) => {
  let next = 0;
  try {
    if (snapshot !== null) hold(snapshot);
    for (; next < quotes.length; next++) {
      const { records, legs } = answerTo(quotes[next]);
      parentPort.postMessage({ id: quotes[next].id, records, legs }, [records, legs]);
    }
  } catch (error) {
    parentPort.postMessage({ id: quotes[next].id, trapped: error.message });
    throw error;
  }
});

function hold(snapshot) {
  // The counts first, so that this instance lays out the same blocks.
  bytes.set(new Uint8Array(snapshot.image, 0, HEADER_BYTES), at);
  arrange();
  bytes.set(new Uint8Array(snapshot.image), at);
  places = snapshot.places;
  limits = Float64Array.from(places, (place) => view.getFloat64(at + place, true));
}

function answerTo({ quote, cap }) {
  writeQuote(new Uint8Array(quote));
  for (let k = 0; k < places.length; k++) {
    view.setFloat64(at + places[k], Math.min(limits[k], cap), true);
  }
  load();
  solve();
  const nodesEnd = view.getInt32(at + HEADER.nodeCount, true) * SIZE.node + HEADER_BYTES;
  const records = bytes.slice(at, at + nodesEnd).buffer;
  const first = view.getUint32(at + HEADER.legs, true);
  const count = view.getInt32(at + HEADER.legCount, true);
  // A bound by cases lies behind the room for legs.
  const cases = view.getInt32(at + HEADER.branchCount, true) > 0;
  const end = cases ? view.getUint32(at + HEADER.scratch, true) : first + count * SIZE.leg;
  const legs = bytes.slice(first, end).buffer;
  return { records, legs };
}

/** Copies what a quote may change; all else in those records is the snapshot's or the core's. */
function writeQuote(quote) {
  for (const [first, length] of QUOTE.header) {
    bytes.set(quote.subarray(first, first + length), at + first);
  }
  const end = HEADER_BYTES + view.getInt32(at + HEADER.nodeCount, true) * SIZE.node;
  for (let node = HEADER_BYTES; node < end; node += SIZE.node) {
    for (const [first, length] of QUOTE.node) {
      bytes.set(quote.subarray(node + first, node + first + length), at + node + first);
    }
  }
  bytes.set(quote.subarray(end), view.getUint32(at + HEADER.targets, true));
}
