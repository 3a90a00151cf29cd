// verifyCertificate: the certificate behind a quote, checked without the solver. The problem and the
// result are the very bytes the quote's digest names; the checker (solver/certificate) re-executes
// every leg in integers and recomputes bound and gap; then the quote must be that result: same
// problem, same engine, same figures, and no output larger than the plan delivers.

import { type Explanation, explain } from '../../solver/certificate/explain.ts';
import { verify } from '../../solver/certificate/verify.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblemText } from '../../solver/market/problemFile.ts';
import { parseResultText } from '../../solver/market/resultFile.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import type { ProblemResult } from '../../solver/types/problem.ts';
import { TrimtabError } from './errors.ts';
import { previewOf } from './rebuildPreview.ts';
import type { Api } from './transport.ts';
import type { Quote } from './types.ts';

/** The two files behind a quote, as text. */
export interface CertificateFiles {
  readonly problem: string;
  readonly result: string;
}

export interface VerifiedCertificate {
  /** Dollars; the plan's, before gas and messages of the order's final shape. */
  readonly value: string;
  readonly bound: string;
  readonly gapBps: string;
  /** Why each trade was made or skipped. */
  explain(): Explanation;
}

export interface CertificateRules {
  /** Refuses a wider gap; default: any. */
  readonly maxGapBps?: number | undefined;
}

/** GET /v1/quotes/{id}/problem and /result. */
export async function getCertificate(
  api: Api,
  { quoteId, signal }: { readonly quoteId: string; readonly signal?: AbortSignal | undefined },
): Promise<CertificateFiles> {
  const path = `/v1/quotes/${encodeURIComponent(quoteId)}`;
  const [problem, result] = await Promise.all([
    api.text(`${path}/problem`, { signal }),
    api.text(`${path}/result`, { signal }),
  ]);
  return { problem, result };
}

/** Throws TrimtabError `certificateRejected`; its details list every failure. */
export function verifyCertificate(
  quote: Quote,
  files: CertificateFiles,
  { maxGapBps = Number.POSITIVE_INFINITY }: CertificateRules = {},
): VerifiedCertificate {
  const { problem, result } = readFiles(files);
  const failures: { pointer: string; message: string }[] = [];
  const verdict = verify(problem, result);
  if (!verdict.ok) failures.push(...verdict.failures);
  failures.push(...differences(quote, problem, result));
  if (Number(result.gapBps) > maxGapBps) {
    const message = `the gap is ${result.gapBps} bps, more than ${maxGapBps}`;
    failures.push({ pointer: '/gapBps', message });
  }
  if (failures.length > 0) reject(failures);
  const { value, bound, gapBps } = result;
  return { value, bound, gapBps, explain: () => explain(problem, result) };
}

function readFiles({ problem, result }: CertificateFiles) {
  try {
    return { problem: parseProblemText(problem), result: parseResultText(result) };
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return reject([{ pointer: error.pointer, message: error.message }]);
  }
}

/** Where the quote is not this result's. */
function differences(
  quote: Quote,
  problem: ParsedProblem,
  result: ProblemResult,
): readonly { pointer: string; message: string }[] {
  const { certificate } = quote.metadata;
  const at = '/metadata/certificate';
  const claims = [
    ['problem', certificate.problem, problem.digest],
    ['engine', certificate.engine, result.engine],
    ['status', certificate.status, result.status],
    ['achieved', certificate.achieved, result.value],
    ['bound', certificate.bound, result.bound],
    ['gapBps', certificate.gapBps, result.gapBps],
  ] as const;
  const failures = claims
    .filter(([, claimed, proven]) => claimed !== proven)
    .map(([name, claimed, proven]) => ({
      pointer: `${at}/${name}`,
      message: `the quote says ${claimed}, the files ${proven}`,
    }));
  for (const { id, price } of problem.source.nodes) {
    const said = certificate.prices[id];
    if (said !== undefined && price !== undefined && said !== price) {
      const message = `the quote prices ${id} at ${said}, the problem at ${price}`;
      failures.push({ pointer: `${at}/prices`, message });
    }
  }
  return [...failures, ...beyondPlan(previewOf(quote), problem, result)];
}

/** No input that the plan does not have to spend, no output that it does not deliver. */
function beyondPlan(
  preview: Quote['preview'],
  problem: ParsedProblem,
  result: ProblemResult,
): readonly { pointer: string; message: string }[] {
  const { objective } = problem;
  const held = (node: string): bigint => {
    const index = problem.nodeIndex.get(node);
    if (index === undefined || objective.kind === 'batch') return 0n;
    if (objective.kind === 'swap') return index === objective.sell ? objective.amount : 0n;
    return objective.holdings[index] ?? 0n;
  };
  const failures: { pointer: string; message: string }[] = [];
  const beyond = (pointer: string, what: string) => failures.push({ pointer, message: what });
  for (const [i, { chainId, symbol, amount }] of preview.inputs.entries()) {
    const node = `${chainId}:${symbol}`;
    if (BigInt(amount) > held(node)) {
      beyond(`/preview/inputs/${i}/amount`, `the problem holds ${held(node)} of ${node}`);
    }
  }
  // A problem judged by risk wraps the market in a layer of its own nodes: its finals say another thing.
  if (objective.kind === 'rebalance' && objective.risk !== null) return failures;
  for (const [i, { chainId, symbol, amount }] of preview.outputs.entries()) {
    const node = `${chainId}:${symbol}`;
    const gained = BigInt(result.final[node] ?? '0') - held(node);
    if (BigInt(amount) > gained) {
      beyond(`/preview/outputs/${i}/amount`, `the plan delivers ${gained} to ${node}`);
    }
  }
  return failures;
}

function reject(failures: readonly { pointer: string; message: string }[]): never {
  const [first] = failures;
  const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : '';
  const message = `the certificate does not stand: ${first?.pointer}: ${first?.message}${more}`;
  throw new TrimtabError('certificateRejected', message, {
    pointer: first?.pointer,
    details: { failures },
    remedy: 'Do not sign this quote.',
  });
}
