// HTTP by hand over a socket: exact bytes out, all at once, in pieces or byte by byte; responses in, parsed strictly.
import net from 'node:net';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { ChunkReader } from './chunks.mjs';
import { Unscrambler, scrambled, unchunked } from './scrambled.mjs';
import { pause, until, within } from './time.mjs';

// The bytes of a request. headers: an object, or a list of lines where order and repetition matter.
export function requestBytes(method, target, { headers = {}, body, host = 'test', version = '1.1' } = {}) {
  const lines = Array.isArray(headers) ? [...headers] : Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  if (host !== null) lines.unshift(`Host: ${host}`);
  const content = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  if (body !== undefined) lines.push(`Content-Length: ${content.length}`);
  return Buffer.concat([Buffer.from(`${method} ${target} HTTP/${version}\r\n${lines.map((line) => line + '\r\n').join('')}\r\n`, 'latin1'), content]);
}

export const jsonBytes = (method, target, value, options = {}) =>
  requestBytes(method, target, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value), ...options });

export class RawClient {
  received = Buffer.alloc(0);
  closed = false; // in both directions, for any reason

  // options: as net.connect's, such as {allowHalfOpen: true}.
  static async connect(url, options = {}) {
    const { hostname, port } = new URL(url), host = hostname.replace(/^\[|\]$/g, '');
    const client = new RawClient();
    client.socket = net.connect({ host, port: Number(port), noDelay: true, ...options });
    client.socket.on('data', (bytes) => client.#take(bytes));
    client.socket.on('error', () => {}); // a reset is a closed connection, which the tests check
    client.socket.on('end', () => (client.finished = true));
    client.socket.on('close', () => client.#close());
    await within(once(client.socket, 'connect'), 10_000, `a connection to ${url}`);
    return client;
  }

  #take(bytes) {
    if (scrambled && !this.records && !this.received.length && Unscrambler.begins(bytes)) this.records = new Unscrambler();
    const content = this.records ? this.#open(bytes) : bytes;
    if (this.body) this.#push(content);
    else this.received = Buffer.concat([this.received, content]);
  }

  // Up to the length of the body.
  #push(content) {
    if (!this.rest) return;
    this.rest -= content.length;
    if (content.length && !this.body.push(content)) this.socket.pause();
    if (!this.rest) this.body.push(null);
  }

  #open(bytes) {
    if (this.socket.writable) this.socket.write(Unscrambler.credit(bytes.length));
    return this.records.feed(bytes);
  }

  #close() {
    this.closed = true;
    if (this.rest) this.body?.push(null);
    if (!this.finished) this.body?.destroy(); // else what has arrived is still to be read
  }

  // Resolves once the bytes have left, or cannot.
  send(bytes) {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  // Each byte in a packet of its own.
  async drip(bytes, everyMs = 0) {
    for (const byte of Buffer.from(bytes)) {
      if (this.closed) return;
      await this.send(Buffer.of(byte));
      if (everyMs) await pause(everyMs);
      else await new Promise(setImmediate);
    }
  }

  // The next response; null if the connection ended before it was complete. 1xx responses are collected in `interim`.
  async answer({ head = false, ms = 10_000 } = {}) {
    const interim = [];
    for (;;) {
      const found = await until(() => {
        const parsed = parseAnswer(this.received, { head, ended: this.finished || this.closed });
        return parsed ?? (this.finished || this.closed ? 'end' : undefined);
      }, () => `an answer; got ${JSON.stringify(this.received.toString('latin1').slice(0, 500))}`, ms);
      if (found === 'end') return null;
      this.received = this.received.subarray(found.length);
      if (found.status >= 200) return Object.assign(found, { interim });
      interim.push(found);
    }
  }

  // The answer's head; `body` is a stream of what follows, up to its length or the end of the connection. Nothing else may be read then.
  async head({ ms = 10_000 } = {}) {
    const end = await until(() => {
      const at = this.received.indexOf('\r\n\r\n');
      return at >= 0 ? at : this.finished || this.closed ? 'none' : undefined;
    }, 'the head of an answer', ms);
    if (end === 'none') throw Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' });
    const [first, ...lines] = this.received.toString('latin1', 0, end).split('\r\n');
    const headers = Object.fromEntries(lines.map((line) => line.split(/: ?(.*)/, 2)).map(([name, value]) => [name.toLowerCase(), value]));
    const rest = this.received.subarray(end + 4);
    this.body = new Readable({ read: () => this.socket.resume(), destroy: (error, done) => { this.socket.destroy(); done(error); } });
    this.rest = Number(headers['content-length'] ?? Infinity); // of the body's bytes
    this.#push(rest);
    if (this.closed) this.#close();
    const body = headers['transfer-encoding'] === 'chunked' ? unchunked(this.body) : this.body;
    return { status: Number(first.split(' ')[1]), headers, body };
  }

  // What has come of an event stream after its head, without its chunks: events as far as they are whole.
  get stream() {
    return this.streamNow().text;
  }

  // As above, and whether the stream has ended in order.
  streamNow() {
    const end = this.received.indexOf('\r\n\r\n');
    if (end < 0) return { text: '', over: false };
    const chunked = /^transfer-encoding: chunked$/im.test(this.received.toString('latin1', 0, end));
    const body = this.received.subarray(end + 4);
    const chunks = chunked ? new ChunkReader() : undefined;
    return { text: (chunks?.feed(body) ?? body).toString(), over: chunks?.over ?? false };
  }

  ends(what = 'the server to close', ms) {
    return until(() => this.finished || this.closed, what, ms);
  }

  destroy() {
    this.socket.destroy();
  }
}

// One request on a connection of its own, answered by {status, headers, body}, where body is a stream.
export async function bareRequest(url, { method, headers, body, version }) {
  const client = await RawClient.connect(url);
  await client.send(requestBytes(method, url.pathname + url.search, { headers: { host: url.host, ...headers }, body, host: null, version }));
  return client.head();
}

// One request on a connection of its own; the response, or null if the server closed instead.
export async function exchange(url, bytes, { head, ms } = {}) {
  const client = await RawClient.connect(url);
  try {
    client.send(bytes);
    return await client.answer({ head, ms });
  } finally {
    client.destroy();
  }
}

// undefined: not complete yet. Throws if it is not HTTP.
function parseAnswer(bytes, { head, ended }) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) [ -~]*$/.exec(first);
  if (!status) throw final(`not a status line: ${JSON.stringify(first)}`);
  const headers = {};
  for (const line of lines) {
    const field = /^([A-Za-z0-9-]+): ?([^\r\n\0]*)$/.exec(line);
    if (!field) throw final(`not a header: ${JSON.stringify(line)}`);
    const name = field[1].toLowerCase();
    if (name in headers) throw final(`the header ${name} twice`);
    headers[name] = field[2].trim();
  }
  const answer = { status: Number(status[1]), headers };
  const body = answerBody(bytes, end + 4, answer, { head, ended });
  return body && finish(Object.assign(answer, body));
}

function answerBody(bytes, from, { status, headers }, { head, ended }) {
  if (head || status < 200 || status === 204 || status === 304) return { body: Buffer.alloc(0), length: from };
  if ('transfer-encoding' in headers) return linesInChunks(bytes, from, headers);
  if ('content-length' in headers) {
    const length = from + Number(headers['content-length']);
    return bytes.length < length ? undefined : { body: bytes.subarray(from, length), length };
  }
  return ended ? { body: bytes.subarray(from), length: bytes.length } : undefined;
}

// Replays come in chunks of whole lines, and no other answer does. undefined: not complete yet.
function linesInChunks(bytes, from, headers) {
  if (headers['content-type'] !== 'application/x-ndjson' || headers['transfer-encoding'] !== 'chunked') throw final('no such answer of ours is chunked');
  const parts = [];
  for (let at = from; ;) {
    const end = bytes.indexOf('\r\n', at), to = end + 2 + parseInt(bytes.toString('latin1', at, end), 16);
    if (end < 0 || bytes.length < to + 2) return undefined;
    if (bytes.toString('latin1', to, to + 2) !== '\r\n') throw final('a chunk does not end there');
    if (to === end + 2) return { body: Buffer.concat(parts), length: to + 2 };
    parts.push(bytes.subarray(end + 2, to));
    if (parts.at(-1).at(-1) !== 10) throw final('a chunk with a part of a line');
    at = to + 2;
  }
}

function finish(answer) {
  answer.text = new TextDecoder('utf-8', { fatal: true }).decode(answer.body);
  if (/^application\/json\b/.test(answer.headers['content-type'] ?? '') && answer.text) answer.json = JSON.parse(answer.text);
  return answer;
}

const final = (message) => Object.assign(new Error(message), { final: true });
