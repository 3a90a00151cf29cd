// docs/cli.md is what the commands say of themselves. `npx vitest run --project=unit test/api/cliPage.test.ts -u`
// writes it anew.

import { readFileSync } from 'node:fs';
import type { Command, Option } from 'commander';
import { expect, it } from 'vitest';
import { commands } from '../../api/cli/main.ts';

/** What a command's exit codes are, out of the head of its file: the only place that says it. */
const EXITS = `Every command ends with one of these codes:

| code | meaning |
|---|---|
| 0 | done: quoted, verified, settled, ready |
| 1 | the answer is no: refused by the service, rejected by the checker, a mismatch that was not signed, refunded, failed, not ready, not agreed to |
| 2 | bad input or usage; the message names the option, field or file |
| 3 | a fault outside: nobody answers, a node or the store fails; trying again may help |
`;

const HEAD = `# The command line

\`npx trimtab\`, in a checkout after \`npm ci\` or wherever the package is installed. \`--json\` puts JSON on stdout and nothing
else there; what takes long says so on stderr. Commands that talk to a service take \`--api <url>\` or \`TRIMTAB_API\`, default
\`http://127.0.0.1:8787\`. Keys come from \`--key-file\` or \`TRIMTAB_PRIVATE_KEY\`, never from the command line.

An order in four commands, against \`npm start\`:

\`\`\`sh
npx trimtab quote ETH=50 USDC=20 BTC=30 --owner 0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc --explain
npx trimtab rebalance ETH=50 USDC=20 BTC=30 --key-file .trimtab/lab/accounts.json#wallet
npx trimtab orders --key-file .trimtab/lab/accounts.json#wallet
npx trimtab watch 0x…
\`\`\`

\`rebalance\` quotes, rebuilds the order from what was asked and refuses any other, verifies the certificate without the solver, says in
words what is signed, asks (\`--yes\` does not), approves what is missing at exact amounts, signs once, submits, and follows to the end.
Interrupted, \`watch\` goes on from the order's id, which is printed before anything is submitted. \`quote --out\` and \`submit\` do it in two steps,
with a signature made elsewhere if you like. \`chains --json > network.json\` keeps the contracts, the auctioneer and the tokens of today;
\`--network network.json\` holds the service to them from then on.

${EXITS}
Everything below is what \`--help\` says; test/api/cliPage.test.ts holds the page to it.
`;

function section(command: Command, path: string): string {
  const visible = command.options.filter(({ hidden }) => !hidden);
  const usage = [
    path,
    ...command.registeredArguments.map((argument) => {
      const text = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${text}>` : `[${text}]`;
    }),
  ].join(' ');
  const rows = visible.map(
    (option) => `| \`${option.flags.replaceAll('|', '\\|')}\` | ${aboutOption(option)} |`,
  );
  const args = command.registeredArguments
    .filter(({ description }) => description !== '')
    .map((argument) => `| \`<${argument.name()}>\` | ${escaped(argument.description)} |`);
  const table = [...args, ...rows];
  return [
    `## ${usage.replaceAll('<', '\\<')}`,
    '',
    `${escaped(command.description())}.`,
    ...(table.length === 0 ? [] : ['', '| | |', '|---|---|', ...table]),
    '',
  ].join('\n');
}

const aboutOption = ({ description, defaultValue }: Option): string => {
  const given = typeof defaultValue === 'string' ? ` Default \`${defaultValue}\`.` : '';
  return `${escaped(description)}${given === '' ? '' : `.${given}`}`;
};

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function sections(command: Command, path: string): readonly string[] {
  const own = command.commands.filter((one) => one.name() !== 'help');
  if (own.length === 0) return [section(command, path)];
  return own.flatMap((one) => sections(one, `${path} ${one.name()}`));
}

it('docs/cli.md is what the commands say of themselves', async () => {
  const page = [HEAD, ...sections(commands(), 'trimtab')].join('\n');
  await expect(page).toMatchFileSnapshot('../../docs/cli.md');
});

it('every command that answers has --json', () => {
  // What serves, builds or writes files answers nothing.
  const silent = new Set(['build', 'serve', 'new', 'fund']);
  const leaves = (command: Command): readonly Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  const without = leaves(commands())
    .filter((one) => !one.options.some(({ long }) => long === '--json'))
    .map((one) => one.name());
  expect(without.filter((name) => !silent.has(name) && name !== 'help')).toEqual([]);
});

it('says the exit codes as the command line’s head does', () => {
  const main = readFileSync(new URL('../../api/cli/main.ts', import.meta.url), 'utf8');
  for (const text of [
    '0 done',
    '1 the answer is no',
    '2 bad input or usage',
    '3 a fault outside',
  ]) {
    expect(main).toContain(text);
    expect(HEAD).toContain(text.slice(2).split(' ')[0]);
  }
});
