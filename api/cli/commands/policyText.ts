// What the policy commands say to people. Pure: views in, lines out. Nothing here is for programs, which
// read --json.

import type { Json, JsonObject } from '../../../solver/types/json.ts';
import type {
  DecisionView,
  DryRun,
  PolicyEventView,
  PolicyView,
  PortfolioView,
  ReasonView,
} from '../../../solver/types/policyService.ts';

export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const dollars = (amount: number): string => `$${amount.toFixed(2)}`;
export const time = (at: number): string => new Date(at * 1000).toISOString().replace('.000Z', 'Z');

export function portfolioText(view: PortfolioView): readonly string[] {
  const rows = view.assets.map(
    ({ asset, weight, target, drift, worthUsd }) =>
      `${asset.padEnd(8)} ${percent(weight).padStart(9)}  target ${percent(target).padStart(9)}  ` +
      `drift ${percent(drift).padStart(9)}  ${dollars(worthUsd)}`,
  );
  return [
    `worth ${dollars(view.worthUsd)}, in flight ${dollars(view.inFlightUsd)}`,
    ...rows,
    `largest drift ${percent(view.largestDrift)}, tracking error ${percent(view.trackingError)} a ` +
      `year (${view.forecast}), turnover to the targets ${percent(view.turnover)}`,
  ];
}

export function decisionText(decision: DecisionView): readonly string[] {
  const { kind, cause, mode, aim, reasons, skipped, nextAt } = decision;
  const line = (mark: string) => (reason: ReasonView) => `  ${mark} ${reason.message}`;
  return [
    `${kind === 'act' ? `acts (${cause})` : 'waits'}${mode === 'normal' ? '' : `, ${mode}`}`,
    ...(aim === null
      ? []
      : [
          `  to ${Object.entries(aim.landing)
            .map(([asset, weight]) => `${asset} ${percent(weight)}`)
            .join(', ')}`,
        ]),
    ...reasons.map(line('because')),
    ...skipped.map(line('skipped')),
    `  looks again at ${time(nextAt)}`,
  ];
}

export function dryRunText(run: DryRun): readonly string[] {
  const offered = run.quote?.offered === true ? 'a quote is offered' : null;
  const refused = run.quote?.offered === false ? `no quote: ${run.quote.message}` : null;
  return [
    ...portfolioText(run.portfolio),
    ...decisionText(run.decision),
    ...[offered ?? refused ?? []].flat(),
    'nothing was written',
  ];
}

export function policyText(view: PolicyView): readonly string[] {
  const { policyId, state, note, lastDecision, proposal, haltedEvent, document } = view;
  return [
    `${policyId}  ${state}`,
    note,
    ...(document === null && view.privacy === 'commitment'
      ? ['private: its owner’s key shows the rest']
      : []),
    ...(lastDecision === null ? [] : decisionText(lastDecision)),
    ...(proposal === null
      ? []
      : [
          `waits for a signature until ${time(proposal.validUntil)}: ` +
            `trimtab policy proposal ${policyId} --sign`,
        ]),
    ...(haltedEvent === null ? [] : [`the owner lets it go on: trimtab policy resume ${policyId}`]),
  ];
}

export function listText(policies: readonly PolicyView[]): readonly string[] {
  if (policies.length === 0) return ['no policies'];
  return policies.map(({ policyId, state, note }) => `${policyId}  ${state.padEnd(10)}  ${note}`);
}

export function eventText({ number, at, type, data }: PolicyEventView): readonly string[] {
  const decision = data.decision as unknown as DecisionView | undefined;
  const why = data.why ?? data.message;
  return [
    `${String(number).padStart(5)}  ${time(at)}  ${type}${typeof why === 'string' ? `  ${why}` : ''}`,
    ...(decision === undefined ? [] : decisionText(decision).map((line) => `       ${line}`)),
  ];
}

/** One JSON value for programs, or lines for people. A typed array prints as a list. */
export function print(
  json: true | undefined,
  answer: JsonObject,
  text: () => readonly string[],
): void {
  const plain = (_: string, value: unknown): unknown =>
    value instanceof Float64Array ? ([...value] satisfies Json) : value;
  process.stdout.write(`${json ? JSON.stringify(answer, plain) : text().join('\n')}\n`);
}
