// Every venue kind's exact math against the published contracts, at length: ten thousand random
// states each, an exact input and an exact output at every one. `npm test` runs a few hundred.

import { concentratedConformance } from '../market/conformance/concentrated.ts';
import { constantProductConformance } from '../market/conformance/constantProduct.ts';
import { stableConformance } from '../market/conformance/stable.ts';
import { weightedConformance } from '../market/conformance/weighted.ts';

const CASES = 10_000;

constantProductConformance(CASES);
concentratedConformance(CASES);
weightedConformance(CASES);
stableConformance(CASES);
