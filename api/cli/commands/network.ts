// trimtab chains, venues, status: what a service trades on, and whether it is ready.
//   0 it is · 1 status: not ready · 2 bad input · 3 nobody answers

import type { Command } from 'commander';
import { getReadiness, getVenues } from '../../client/index.ts';
import { apiOf, chainName, print, type ServiceOptions, table, withService } from './service.ts';

export function registerNetwork(program: Command): void {
  withService(
    program
      .command('chains')
      .description('chains, contracts, assets; --json is what --network pins'),
  ).action(chains);
  withService(program.command('venues').description('the venues that plans trade through')).action(
    venues,
  );
  withService(
    program.command('status').description('whether store, engine and chains are ready'),
  ).action(status);
}

async function chains(options: ServiceOptions): Promise<void> {
  const network = await apiOf(options).network();
  print(options.json, network, () => [
    ...table([
      ['chain', 'id', 'block', 'final after', 'gas in', 'escrow', 'tokens'],
      ...network.chains.map((chain) => [
        chain.name,
        `${chain.chainId}`,
        `${chain.blockSeconds} s`,
        `${chain.confirmations} blocks`,
        chain.nativeAsset,
        chain.contracts.portfolioSettler ?? '',
        network.assets
          .flatMap(({ asset, tokens }) =>
            tokens.some(({ chainId }) => chainId === chain.chainId) ? [asset] : [],
          )
          .join(' '),
      ]),
    ]),
    `awards are signed by ${network.auctioneer}`,
  ]);
}

async function venues(options: ServiceOptions): Promise<void> {
  const api = apiOf(options);
  const [list, network] = await Promise.all([getVenues(api), api.network()]);
  print(options.json, list, () =>
    table([
      ['venue', 'kind', 'chain', 'tokens', 'fee'],
      ...list.venues.map(({ venue, kind, chainId, tokens, feePips }) => [
        venue,
        kind,
        chainName(network, chainId),
        tokens.map(({ symbol }) => symbol).join('/'),
        `${feePips / 100} bps`,
      ]),
    ]),
  );
}

async function status(options: ServiceOptions): Promise<void> {
  const readiness = await getReadiness(apiOf(options));
  print(options.json, readiness, () => [
    readiness.ready ? 'ready' : 'not ready',
    ...table(Object.entries(readiness.checks).map(([name, said]) => [`  ${name}`, said])),
  ]);
  if (!readiness.ready) process.exitCode = 1;
}
