// Runs the table of cases.mjs against running ports; fills a Tally.
import { bodyTakers, withExtra } from './bodies.mjs';
import { jsonBodies, jsonValues, requestGroups, wholeRequest } from './cases.mjs';
import { Tally, converse, healthy, inStep, keepsWaiting, postBytes } from './wire.mjs';

const ADDRESS = { manager: '/register', comment: '/comment', reader: '/connect', statistics: '/client-statistics' };

function answerFits(answer, expected) {
  if (typeof expected === 'object' && !Array.isArray(expected)) return answer.status === expected.status && answer.json?.code === expected.code;
  return [expected].flat().includes(answer.status);
}

async function checkRequest({ url, group, bytes, drip }) {
  const { answers, closes = false } = group;
  // Where the connection stays open, one response too many would show as the wrong response to the next request.
  const seen = await converse(url, bytes, { drip, count: closes === true ? Infinity : answers.length });
  const told = `answers [${seen.statuses}]${seen.answers.map(({ json }) => json?.code && ` ${json.code}`).join('')}, ${seen.ended ? 'closed' : 'open'}`;
  const fits = !seen.bad && seen.answers.length === answers.length && seen.answers.every((answer, i) => answerFits(answer, answers[i]));
  const inOrder = closes === true ? seen.ended : 'closes' in group || (seen.client && (await inStep(seen.client)));
  seen.client?.destroy();
  return fits && inOrder ? undefined : `${seen.bad ?? ''} ${told}${fits && !inOrder ? ', out of step' : ''}`;
}

// Each prefix of a request: silence; then the rest: one response.
async function checkCut({ url, at }) {
  const early = await keepsWaiting(url, wholeRequest.slice(0, at));
  if (early) return early;
  return checkRequest({ url, group: { answers: [200] }, bytes: [wholeRequest.slice(0, at), wholeRequest.slice(at)] });
}

export async function checkPort(tally, { role, url }) {
  for (const group of requestGroups(ADDRESS[role])) {
    // Byte by byte if it is short; longer requests would only take time.
    const rows = Object.entries(group.rows).flatMap(([name, bytes]) => [
      { name, bytes, drip: false }, ...(bytes.length < 1_000 ? [{ name, bytes, drip: true }] : [])]);
    await tally.each(rows, ({ name, drip }) => `${role} ${url} ${group.name}: ${name}${drip ? ', byte by byte' : ''}`,
      ({ bytes, drip }) => checkRequest({ url, group, bytes, drip }));
  }
  const cuts = Array.from({ length: wholeRequest.length - 1 }, (_, i) => i + 1);
  await tally.each(cuts, (at) => `${role} ${url} cut after ${at} bytes`, (at) => checkCut({ url, at }));
  await tally.each([url], () => `${role} ${url} healthy afterwards`, async () => ((await healthy(url)) ? undefined : 'no'));
}

const shown = (text) => JSON.stringify(text.length > 60 ? `${text.slice(0, 30)}... (${text.length})` : text);

async function checkBody(url, body, right) {
  const { status, text } = await postBytes(url, body);
  return right.includes(status) ? undefined : `${status}, not ${right.join(' or ')}: ${text}`;
}

export async function checkJson(tally, ports) {
  for (const { url, valid, status } of await bodyTakers(ports)) {
    const values = jsonValues.flatMap(([value, taken]) => [false, true].map((first) => ({ value, taken, first })));
    await tally.each(values, ({ value, first }) => `${url} value ${shown(value)}${first ? ', first' : ''}`, ({ value, taken, first }) => {
      const right = [taken ? status : 400];
      return checkBody(url, withExtra(valid, Buffer.from(value, 'latin1'), { first }), right);
    });
    await tally.each(jsonBodies, (body) => `${url} body ${shown(body)}`, (body) => checkBody(url, Buffer.from(body, 'latin1'), body.length > 8_192 ? [400, 413] : [400]));
  }
}

// This is mostly waiting, so all ports are tested at once.
export async function checkAll(ports, { progress = () => {} } = {}) {
  const checks = ports.map((port) => [`${port.role} ${port.url}`, (tally) => checkPort(tally, port)]);
  const all = new Tally();
  const run = async ([name, check]) => {
    const tally = new Tally();
    await check(tally);
    progress(`${name}: ${tally.passed} of ${tally.passed + tally.failures.length}`);
    all.add(tally);
  };
  await Promise.all(checks.map(run));
  await run(['JSON', (tally) => checkJson(tally, ports)]);
  return all;
}
