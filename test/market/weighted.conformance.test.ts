// The quick run of the weighted conformance; test/e2e/conformance.test.ts runs it at length.

import { weightedConformance } from './conformance/weighted.ts';

weightedConformance(500);
