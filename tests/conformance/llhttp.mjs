#!/usr/bin/env node
// Sends llhttp's own reject cases to a server: llhttp.mjs CORPUS_DIR [URL...]
// CORPUS_DIR is a checkout of github.com/nodejs/llhttp, or its test/request folder; docs/conformance.md says which one.
//
// A case is a request that llhttp's parser is expected to end with an error. It passes if the server answers no more
// than the complete messages before the error, then refuses with 4xx or sends nothing, and closes. What a lenient parser
// refuses, a strict one refuses too, so those tests count as well; the same bytes count once, a strict test's verdict on
// them being the one that holds. Tests that end in "Pause on CONNECT/Upgrade" are not wrong requests; they pass if the
// server does not switch protocols and refuses the path or the method, and they are counted apart. All are sent whole
// and byte by byte.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Tally, converse, fail, healthy, withPorts } from './wire.mjs';

const PAUSED_UPGRADE = 22; // llhttp's HPE_PAUSED_UPGRADE

// Markdown: a heading, a comment with meta={...}, a block ```http, a block ```log with what the parser reports.
function* testsIn(file) {
  let heading, meta, block, request;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (block && line.trimEnd() === '```') {
      const text = block.lines.join('\n');
      if (block.kind === 'http') request = text;
      else if (block.kind === 'log' && request !== undefined) yield { heading, meta, request, log: text };
      if (block.kind === 'log') request = undefined;
      block = undefined;
    } else if (block) {
      block.lines.push(line);
    } else if (line.startsWith('```')) {
      block = { kind: line.slice(3).trim(), lines: [] };
    } else if (/^#+ /.test(line)) {
      heading = line.replace(/^#+ /, '');
    } else {
      meta = /^<!--\s*meta=(\{.*\})\s*-->/.test(line) ? JSON.parse(RegExp.$1) : meta;
    }
  }
}

const escapes = { r: '\r', n: '\n', t: '\t', f: '\f' };

// The bytes that a block represents: each line end is CR LF, unless a backslash precedes it, which joins lines;
// then \r \n \t \f, \xHEX and \OCTAL.
function bytesOf(block) {
  const text = block
    .replace(/\\\r?\n/g, '')
    .replace(/\r?\n/g, '\r\n')
    .replace(/\\([rntf])/g, (_, letter) => escapes[letter])
    .replace(/\\x([0-9a-f]+)/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
    .replace(/\\([0-7]{1,3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
  if (text.includes('${')) throw new Error('this corpus computes its requests, which is not supported');
  return Buffer.from(text, 'utf8');
}

function casesIn(folder) {
  const found = new Map();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.md')).sort()) {
    for (const { heading, meta, request, log } of testsIn(join(folder, name))) {
      const [before, error] = log.split(/error code=(?=\d)/);
      if (error === undefined || meta.mode === 'loose') continue;
      const upgrade = parseInt(error, 10) === PAUSED_UPGRADE;
      const lenient = meta.type.includes('lenient');
      if (lenient && upgrade) continue;
      const bytes = bytesOf(request);
      const key = bytes.toString('latin1');
      if (lenient && found.has(key)) continue;
      found.set(key, { name: `${name} "${heading}"`, bytes, upgrade, complete: before.split('message complete').length - 1 });
    }
  }
  return [...found.values()];
}

const isRefusal = (status) => status >= 400 && status < 500;

async function check({ url, drip, item }) {
  const { statuses, ended, bad } = await converse(url, item.bytes, { drip });
  const told = `answers [${statuses}], ${ended ? 'closed' : 'left open'}`;
  if (bad) return `${bad}; ${told}`;
  if (item.upgrade) return statuses.length && statuses.every(isRefusal) ? undefined : told;
  if (!ended) return told;
  return statuses.slice(item.complete).every(isRefusal) ? undefined : told;
}

const [corpus, ...addresses] = process.argv.slice(2);
if (!corpus) fail('usage: llhttp.mjs CORPUS_DIR [URL...]');
const folder = [join(corpus, 'test/request'), join(corpus, 'request'), corpus].find(existsSync);
const cases = casesIn(folder);
if (!cases.length) fail(`no case in ${folder}`);
const rejects = cases.filter((item) => !item.upgrade);
const upgrades = cases.filter((item) => item.upgrade);
console.log(`${rejects.length} requests to reject, ${upgrades.length} that ask for another protocol`);

await withPorts(addresses, async (ports) => {
  const all = new Tally();
  for (const { role = '', url } of ports) {
    for (const [what, list] of [['rejects', rejects], ['other protocols', upgrades]]) {
      for (const drip of [false, true]) {
        const tally = new Tally();
        const how = drip ? 'byte by byte' : 'whole';
        await tally.each(list.map((item) => ({ url, drip, item })), ({ item }) => `${url} ${how} ${item.name}`, check);
        console.log(`${role} ${url} ${what}, ${how}: ${tally.passed} of ${list.length}`);
        all.add(tally);
      }
    }
    await all.each([url], (it) => `${it} healthy afterwards`, async (it) => ((await healthy(it)) ? undefined : 'no'));
  }
  all.report('llhttp');
});
