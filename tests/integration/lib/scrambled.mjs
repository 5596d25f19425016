// The client's end of a stream behind the scrambling sink (tests/unit/scrambled_sink.h), if CHORUS_SINK says that the program
// has one: opens records, checks that each has the next number and is what was sealed, and says which credit to give back.
import { Readable } from 'node:stream';
import { ChunkReader } from './chunks.mjs';

export const scrambled = process.env.CHORUS_SINK === 'scrambled';

const HEAD = 7, MOST = 4096, DATA = 0x17, CLOSE = 0x15;

function checksum(type, number, content) {
  let sum = 2166136261 ^ type ^ number;
  for (const byte of content) sum = Math.imul(sum ^ byte, 16777619);
  return sum >>> 0;
}

function unscramble(content, number) {
  const start = Math.imul(number + 1, 0x9e3779b1);
  for (let i = 0; i < content.length; i++) {
    let x = (start + Math.imul(i, 0x85ebca6b)) | 0;
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
    content[i] ^= x >>> 24;
  }
}

export class Unscrambler {
  closed = false; // in order
  #number = 0;
  #rest = Buffer.alloc(0);

  // Whether bytes, the first of an answer, are those of a record rather than of an answer in plain text.
  static begins(bytes) {
    return bytes[0] === DATA || bytes[0] === CLOSE;
  }

  feed(bytes) {
    const parts = [];
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, bytes]) : Buffer.from(bytes);
    while (this.#rest.length >= HEAD) {
      const [type] = this.#rest;
      const size = this.#rest.readUInt16BE(1);
      if (this.closed || ![DATA, CLOSE].includes(type) || size > MOST) throw new Error(`not a record: ${type} of ${size} bytes`);
      if (this.#rest.length < HEAD + size) break;
      const content = this.#rest.subarray(HEAD, HEAD + size);
      unscramble(content, this.#number);
      if (checksum(type, this.#number, content) !== this.#rest.readUInt32BE(3)) throw new Error(`the record ${this.#number} was sealed as another`);
      this.closed = type === CLOSE;
      this.#number++;
      this.#rest = this.#rest.subarray(HEAD + size);
      parts.push(content);
    }
    return Buffer.concat(parts);
  }

  // For so many bytes read.
  static credit(length) {
    const credit = Buffer.alloc(Math.ceil(length / 256), 255);
    if (length % 256) credit[credit.length - 1] = (length % 256) - 1;
    return credit;
  }
}

// As fetch, for programs that read streams.
export async function streamFetch(target, init = {}) {
  if (!scrambled) return fetch(target, init);
  const { bareRequest } = await import('./raw.mjs');
  let url = new URL(target);
  const headers = Object.fromEntries(new Headers(init.headers));
  for (let hops = 0; ; hops++) {
    const answer = await bareRequest(url, { method: init.method ?? 'GET', headers, body: init.body, version: '1.1' });
    if (answer.status !== 307 || hops > 5) {
      init.signal?.addEventListener('abort', () => answer.body.destroy());
      answer.body.on('error', () => {});
      const response = new Response(Readable.toWeb(answer.body), { status: answer.status, headers: answer.headers });
      Object.defineProperty(response, 'url', { value: String(url) });
      Object.defineProperty(response, 'redirected', { value: hops > 0 });
      return response;
    }
    answer.body.destroy();
    url = new URL(answer.headers.location, url);
  }
}

// A stream of what is in the chunks of another; destroyed with an error if that ends before the last chunk.
export function unchunked(body) {
  const chunks = new ChunkReader();
  const content = new Readable({ read: () => body.resume(), destroy: (error, done) => { body.destroy(); done(error); } });
  body.on('data', (bytes) => {
    const found = chunks.feed(bytes);
    if (found.length && !content.push(found)) body.pause();
    if (chunks.over) content.push(null);
  });
  body.once('close', () => chunks.over || content.destroy(Object.assign(new Error('cut'), { code: 'ECONNRESET' })));
  return content;
}
