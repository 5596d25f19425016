#!/usr/bin/env node
// Sends h1spec's cases to a server: h1spec.mjs CORPUS_DIR [URL...]
// CORPUS_DIR is a checkout of github.com/uNetworking/h1spec; its table of cases is read out of http_test.ts and judged
// as its runner does: the status of the first response is in one of the ranges, or there is none for 500 ms.
//
// h1spec expects a server that echoes any body under any method. One case therefore allows nothing but 2xx for a chunked
// POST to `/`, where Chorus accepts no posts. It is sent unchanged, and passes with 404 as its sibling with
// Content-Length does, but only if the chunked body was understood: the next request on the connection is answered.
// --as-upstream removes that exception.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';
import { Tally, converse, fail, healthy, inStep, keepsWaiting, withPorts } from './wire.mjs';

const words = process.argv.slice(2);
const asUpstream = words.includes('--as-upstream');
const [corpus, ...addresses] = words.filter((word) => word !== '--as-upstream');
if (!corpus) fail('usage: h1spec.mjs [--as-upstream] CORPUS_DIR [URL...]');

function readCases(file) {
  const table = /^const testCases[^=]*= (\[$[\s\S]*?^\]);/m.exec(readFileSync(file, 'utf8'));
  if (!table) fail(`no table of cases in ${file}`);
  return vm.runInNewContext(table[1], {}, { timeout: 1_000 });
}

async function check({ url, item }) {
  if (item.expectedTimeout) return keepsWaiting(url, item.request);
  const { answers, statuses, bad, client } = await converse(url, item.request, { count: 1, ms: 500 });
  try {
    if (bad) return bad;
    if (!statuses.length) return 'no answer';
    const status = answers[0].interim[0]?.status ?? statuses[0];
    if (item.expectedBody !== undefined && status === 404 && !asUpstream) return client && (await inStep(client)) ? undefined : '404, and out of step';
    if (!item.expectedStatus.some(([low, high]) => low <= status && status <= high)) return `status ${status}`;
    if (status === 200 && item.expectedBody && answers[0].text !== item.expectedBody) return 'another body';
    return undefined;
  } finally {
    client?.destroy();
  }
}

const cases = readCases(join(corpus, 'http_test.ts'));
await withPorts(addresses, async (ports) => {
  const all = new Tally();
  for (const { role = '', url } of ports) {
    const tally = new Tally();
    await tally.each(cases.map((item) => ({ url, item })), ({ item }) => `${url} ${item.description}`, check);
    console.log(`${role} ${url}: ${tally.passed} of ${cases.length}`);
    all.add(tally);
    await all.each([url], (it) => `${it} healthy afterwards`, async (it) => ((await healthy(it)) ? undefined : 'no'));
  }
  all.report('h1spec');
});
