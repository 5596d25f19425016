#!/usr/bin/env node
// Sends JSONTestSuite to every route that accepts a JSON body:
//   json.mjs CORPUS_DIR [comment=URL manager=URL statistics=URL]
// CORPUS_DIR is a checkout of github.com/nst/JSONTestSuite, or its test_parsing folder. The reader's URL is looked up.
//   n_*  as the whole body: 400, or 413 where it is larger than the route allows
//   y_*  as the value of a member that Chorus ignores: accepted
//   i_*  in both ways: accepted or 400, depending on the parser
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bodyTakers, withExtra } from './bodies.mjs';
import { Tally, fail, healthy, postBytes, withPorts } from './wire.mjs';

const [corpus, ...addresses] = process.argv.slice(2);
if (!corpus) fail('usage: json.mjs CORPUS_DIR [comment=URL manager=URL statistics=URL]');
const folder = [join(corpus, 'test_parsing'), corpus].find(existsSync);
const files = readdirSync(folder).filter((name) => /^[niy]_.*\.json$/.test(name)).sort();
if (!files.length) fail(`no case in ${folder}`);

// [body, valid statuses] for one file at one route.
function* trials(name, content, { valid, status }) {
  if (name[0] === 'n') yield [content, [400, 413]];
  if (name[0] === 'i') yield [content, [status, 400]];
  if (name[0] === 'n') return;
  const right = name[0] === 'i' ? [status, 400] : [status];
  yield [withExtra(valid, content), right];
  yield [withExtra(valid, content, { first: true }), right];
}

async function check({ taker, name }) {
  for (const [body, right] of trials(name, readFileSync(join(folder, name)), taker)) {
    const { status, text } = await postBytes(taker.url, body);
    if (!right.includes(status)) return `${status}, not ${right.join(' or ')}: ${text}`;
    if (status === 400 && !/^[a-z_]+$/.test(JSON.parse(text).code)) return `no code in ${text}`;
  }
  return undefined;
}

await withPorts(addresses, async (ports) => {
  const all = new Tally();
  for (const taker of await bodyTakers(ports)) {
    const told = [];
    for (const kind of 'nyi') {
      const tally = new Tally();
      const names = files.filter((name) => name[0] === kind);
      await tally.each(names.map((name) => ({ taker, name })), ({ name }) => `${taker.url} ${name}`, check);
      told.push(`${kind}_ ${tally.passed} of ${names.length}`);
      all.add(tally);
    }
    console.log(`${taker.url}: ${told.join(', ')}`);
  }
  await all.each(ports, ({ url }) => `${url} healthy afterwards`, async ({ url }) => ((await healthy(url)) ? undefined : 'no'));
  all.report('json');
});
