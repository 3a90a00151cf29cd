// Records a real quote with its certificate and the network it is from, for the tests of the SDK:
//   npx tsx test/api/recordQuote.ts      writes test/api/data/quote.json

import { writeFile } from 'node:fs/promises';
import { getCertificate, getQuotes, type QuoteRequest, trimtab } from '../../api/client/index.ts';
import { withWorld } from '../e2e/harness.ts';

await withWorld({}, async ({ api: { url }, lab }) => {
  const api = trimtab({ url });
  const request: QuoteRequest = {
    user: lab.accounts.wallet.address,
    intent: {
      intentType: 'rebalance',
      scope: { assets: ['BTC', 'ETH', 'USDC', 'LINK'] },
      targets: [
        { asset: 'ETH', weightBps: 5000 },
        { asset: 'USDC', weightBps: 2000, chain: 31339 },
        { asset: 'BTC', weightBps: 3000 },
      ],
    },
    supportedTypes: ['trimtab-portfolio-v1'],
  };
  const { quotes } = await getQuotes(api, request);
  const [quote] = quotes;
  if (quote === undefined) throw new Error('no quote');
  const network = await api.network();
  const { problem, result } = await getCertificate(api, quote);
  const record = { request, quote, network, problem, result };
  const path = new URL('./data/quote.json', import.meta.url);
  await writeFile(path, `${JSON.stringify(record, null, 1)}\n`);
  console.log(quote.preview, quote.metadata.approvals.length);
});
