// Takes chunks apart (RFC 9112, 7.1), strictly as Chorus writes them: no extension, no leading zero, no trailer, and in
// each chunk whole events.
export class ChunkReader {
  over = false; // the last chunk has come: the stream has ended, rather than been cut
  #rest = Buffer.alloc(0);
  #size;

  // behindProxy: sizes may be written in capitals, as HAProxy does.
  constructor({ behindProxy = false } = {}) {
    this.#size = new RegExp('^(0|[1-9a-f][0-9a-f]*)$', behindProxy ? 'i' : '');
  }

  // The content of all chunks that are whole by now.
  feed(bytes) {
    const parts = [];
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, bytes]) : bytes;
    for (let part; (part = this.#next()); ) parts.push(part);
    return Buffer.concat(parts);
  }

  // The content of the next chunk, or undefined if it is not whole.
  #next() {
    if (this.over && this.#rest.length) throw new Error(`bytes after the last chunk: ${JSON.stringify(this.#rest.toString('latin1'))}`);
    const end = this.#rest.indexOf('\r\n');
    if (end < 0) return undefined;
    const size = this.#rest.toString('latin1', 0, end);
    if (!this.#size.test(size)) throw new Error(`not a chunk's size: ${JSON.stringify(size.slice(0, 100))}`);
    const from = end + 2;
    const to = from + parseInt(size, 16);
    if (this.#rest.length < to + 2) return undefined;
    const content = this.#rest.subarray(from, to);
    if (this.#rest.toString('latin1', to, to + 2) !== '\r\n') throw new Error(`a chunk of ${size} does not end there`);
    if (content.length && content.subarray(-2).latin1Slice() !== '\n\n') throw new Error(`a chunk with a part of an event: ${JSON.stringify(content.toString())}`);
    this.#rest = this.#rest.subarray(to + 2);
    if (size === '0') this.over = true;
    return content;
  }
}

// The framing of the next stream, as the version of HTTP that it is asked for with: one after the other, so that both
// are mixed everywhere, or the one in CHORUS_HTTP.
let streams = 0;
export const nextVersion = () => process.env.CHORUS_HTTP ?? ['1.1', '1.0'][streams++ % 2];
