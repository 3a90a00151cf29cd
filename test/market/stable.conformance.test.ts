// The quick run of the stable conformance; test/e2e/conformance.test.ts runs it at length.

import { stableConformance } from './conformance/stable.ts';

stableConformance(500);
