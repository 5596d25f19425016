// What every conformance driver does: send exact bytes, record the responses, compare, count, print.
// Addresses are given as URLs; without any, the driver starts a server of its own (CHORUS_BIN names the binary).
import http from 'node:http';
import { everyPort } from '../integration/lib/checks.mjs';
import { RawClient, requestBytes } from '../integration/lib/raw.mjs';
import { startSystem } from '../integration/lib/system.mjs';
import { pause } from '../integration/lib/time.mjs';

const AT_ONCE = 16;
export const QUIET_MS = 500; // how long silence is observed; h1spec's own figure
const CLOSE_MS = 5_000; // a refusal ends the connection within this

// options: drip, every byte in a packet of its own; pieces are separated by a moment in which no response may arrive.
// Returns {statuses, answers, ended, bad}: the responses, whether the server closed, and what was not HTTP at all.
export async function converse(url, pieces, { drip = false, count = Infinity, ms = CLOSE_MS } = {}) {
  const client = await RawClient.connect(url);
  const seen = { answers: [], statuses: [], ended: false, bad: undefined };
  try {
    await sendAll(client, [pieces].flat(), drip, seen);
    while (seen.answers.length < count && !seen.bad) {
      const answer = await client.answer({ ms });
      if (!answer) break;
      seen.answers.push(answer);
      seen.statuses.push(answer.status);
    }
  } catch (error) {
    if (error.final || error instanceof SyntaxError) seen.bad = error.message;
  } finally {
    seen.ended = Boolean(client.finished || client.closed);
    if (!seen.ended && seen.answers.length === count) seen.client = client;
    else client.destroy();
  }
  return seen;
}

async function sendAll(client, pieces, drip, seen) {
  for (const [i, piece] of pieces.entries()) {
    const bytes = Buffer.isBuffer(piece) ? piece : Buffer.from(piece, 'latin1');
    if (drip) await client.drip(bytes);
    else client.send(bytes);
    if (i + 1 === pieces.length) return;
    await pause(100);
    if (client.received.length || client.finished || client.closed) seen.bad = `an answer before the request was whole: ${client.received}`;
  }
}

// Resolves to undefined if nothing arrives or closes for QUIET_MS, otherwise to what happened.
export async function keepsWaiting(url, bytes) {
  const client = await RawClient.connect(url);
  client.send(Buffer.from(bytes, 'latin1'));
  await pause(QUIET_MS);
  const what = client.received.length ? `answered ${client.received.toString('latin1', 0, 60)}` : client.closed || client.finished ? 'closed' : undefined;
  client.destroy();
  return what;
}

// Whether the next request on this connection is understood, that is, nothing of the last one was left over.
export async function inStep(client) {
  client.send(requestBytes('GET', '/health'));
  try {
    return (await client.answer())?.status === 200;
  } catch {
    return false;
  } finally {
    client.destroy();
  }
}

export async function healthy(url) {
  const { statuses } = await converse(url, requestBytes('GET', '/health'), { count: 1 });
  return statuses[0] === 200;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });

// POSTs a body as JSON; {status, text}. Of a stream only the head is awaited.
export function postBytes(url, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', agent, headers: { 'Content-Type': 'application/json', 'Content-Length': body.length } });
    request.on('error', reject);
    request.on('response', (response) => {
      if (response.headers['content-type'] === 'text/event-stream') {
        resolve({ status: response.statusCode, text: '' });
        response.destroy();
        return;
      }
      let text = '';
      response.setEncoding('utf8').on('data', (more) => (text += more)).on('end', () => resolve({ status: response.statusCode, text }));
      response.on('error', reject);
    });
    request.end(body);
  });
}

// Runs `check` over all items, several at once; collects what it returns: undefined for passed, a sentence for failed.
export class Tally {
  passed = 0;
  failures = [];

  async each(items, name, check) {
    const queue = [...items];
    const worker = async () => {
      for (let item; (item = queue.shift()) !== undefined; ) {
        let failure;
        try {
          failure = await check(item);
        } catch (error) {
          failure = error.message;
        }
        if (failure === undefined) this.passed++;
        else this.failures.push(`${name(item)}: ${failure}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  add(other) {
    this.passed += other.passed;
    this.failures.push(...other.failures);
  }

  // Prints the failures and the last line; the exit status follows.
  report(label, print = console.log) {
    for (const failure of this.failures) print(`FAIL ${failure}`);
    print(`${label}: ${this.passed} passed, ${this.failures.length} failed`);
    if (this.failures.length || !this.passed) process.exitCode = 1;
  }
}

export const ports = (system) => everyPort(system).map(([role, url]) => ({ role, url }));

// addresses: URLs, or role=URL. Calls use([{role, url}...]); role is undefined where it was not given.
export async function withPorts(addresses, use) {
  if (addresses.length) {
    return use(addresses.map((word) => {
      const [, role, url] = /^(?:(\w+)=)?(http:\/\/.+)$/.exec(word) ?? fail(`not an address: ${word}`);
      return { role, url };
    }));
  }
  const system = await startSystem();
  try {
    return await use(ports(system));
  } finally {
    await system.release();
  }
}

export function fail(sentence) {
  console.error(sentence);
  process.exit(2);
}
