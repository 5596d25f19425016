// A strict parser of event streams, after WHATWG HTML 9.2.6, independent of every client's parser. Beyond the
// standard, which is lenient, it rejects what a correct server has no reason to send: such bytes are a broken frame or
// a forged event.
export class StreamParser {
  #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #line = '';
  #fields = {};
  #data = [];

  constructor({ onEvent, onComment }) {
    this.onEvent = onEvent;
    this.onComment = onComment;
  }

  feed(bytes) {
    const text = this.#decoder.decode(bytes, { stream: true });
    // The standard ends a line at a CR too; the server frames with LF, so a CR can only have come from content.
    if (text.includes('\r')) throw new Error(`a CR in the stream: ${JSON.stringify(text)}`);
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop();
    for (const line of lines) this.#take(line);
  }

  #take(line) {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return this.onComment(line.slice(1));
    if (colon < 0) throw new Error(`a line without a colon: ${JSON.stringify(line)}`);
    const name = line.slice(0, colon);
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') return void this.#data.push(value);
    if (!['event', 'id', 'retry'].includes(name)) throw new Error(`an unknown field: ${JSON.stringify(line)}`);
    if (name in this.#fields) throw new Error(`${name} twice in one event: ${JSON.stringify(line)}`);
    if (name === 'id' && !/^\d+-\d+$/.test(value)) throw new Error(`a malformed id: ${JSON.stringify(value)}`);
    if (name === 'retry' && !/^\d+$/.test(value)) throw new Error(`a malformed retry: ${JSON.stringify(value)}`);
    if (name === 'event' && value === '') throw new Error('an event without a name');
    this.#fields[name] = value;
  }

  #dispatch() {
    const { event: type = 'message', id, retry } = this.#fields;
    const text = this.#data.join('\n');
    const empty = this.#data.length === 0;
    this.#fields = {};
    this.#data = [];
    if (empty && type === 'message' && id === undefined) return; // after a heartbeat, or a lone retry
    if (empty && type === 'message') return this.onEvent({ type: 'number', id, text: '' }); // of what was taken out
    if (empty) throw new Error(`an event without data: ${JSON.stringify({ type, id })}`);
    this.onEvent({ type, id, retry: retry && Number(retry), text, json: JSON.parse(text) });
  }
}
