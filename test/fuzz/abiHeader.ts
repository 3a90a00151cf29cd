// Prints solver/engine/abi.ts as C macros (HEADER_nodeCount, VENUE_keep, STATUS_ok …), so that the
// fuzzer's driver follows the memory layout by name.
//   node --import tsx test/fuzz/abiHeader.ts > abi.h

import * as abi from '../../solver/engine/abi.ts';

const lines = Object.entries(abi).flatMap(([group, value]) =>
  typeof value === 'object' && !Array.isArray(value)
    ? Object.entries(value).map(([name, number]) => `#define ${group}_${name} ${number}`)
    : [],
);
console.log(['// Written by test/fuzz/abiHeader.ts.', '#pragma once', ...lines].join('\n'));
