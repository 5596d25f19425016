// The services of both systems, as a client program calls them.
import assert from 'node:assert/strict';
import { StreamParser } from '../integration/lib/stream.mjs';
import { pause, until } from '../integration/lib/time.mjs';

async function call(url, body, status, redirect = 'follow') {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(url, { ...init, redirect, signal: AbortSignal.timeout(10_000) });
  const text = await answer.text();
  assert.equal(answer.status, status, `${url}: ${text}`);
  return { json: text && JSON.parse(text), headers: answer.headers };
}

// The comment as in the service's response.
export const post = async (comment, videoid, text, userid = 'poster') =>
  (await call(`${comment.url}/comment`, { userid, videoid, comment: text }, 201)).json.comment;

export const register = async (manager, videoid) => (await call(`${manager.url}/register`, { videoid }, 200)).json;

export const resolve = async (manager, videoid) => (await call(`${manager.url}/resolve/${videoid}`, undefined, 200)).json;

export const statistics = async (service) => (await call(`${service.url}/statistics`, undefined, 200)).json;

// Where a reader redirects a viewer of this video.
export const redirected = async (reader, videoid) =>
  (await call(`${reader.url}/connect`, { userid: 'lost', videoid }, 307, 'manual')).headers.get('location');

// A viewer like the original's clients: POST /connect, redirects followed. Unlike them it reconnects after its
// stream has ended, and sends its position, as browsers do.
class Viewer {
  events = [];
  cuts = 0;
  #ending = new AbortController();

  constructor(reader, videoid) {
    Object.assign(this, { reader, videoid });
  }

  async connect() {
    const answer = await fetch(`${this.reader}/connect`, {
      method: 'POST', headers: { 'content-type': 'application/json', ...(this.position && { 'last-event-id': this.position }) },
      body: JSON.stringify({ userid: 'viewer', videoid: this.videoid }), signal: this.#ending.signal,
    });
    assert.equal(answer.status, 200, `${this.reader}/connect`);
    this.url = answer.url;
    const before = this.events.length;
    this.#read(answer.body).then(() => this.#again());
    await until(() => this.events.length > before, 'the first event');
    assert.equal(this.events[before].json.type, 'connected');
    return this;
  }

  async #read(body) {
    const parser = new StreamParser({ onEvent: (event) => this.#take(event), onComment: () => {} });
    try {
      for await (const bytes of body) parser.feed(Buffer.from(bytes));
    } catch (error) {
      if (!this.#ending.signal.aborted && !['TypeError', 'AbortError'].includes(error.name)) this.fault = error;
    }
  }

  async #again() {
    if (this.#ending.signal.aborted) return;
    this.cuts++;
    await pause(300);
    await this.connect().catch((error) => (this.fault ??= error));
  }

  #take(event) {
    if (event.id) this.position = event.id;
    this.events.push(event);
  }

  get comments() {
    return this.events.filter(({ type, json }) => type === 'message' && json.type === undefined);
  }
  get gaps() {
    return this.events.filter(({ type }) => type === 'gap').map(({ json }) => json);
  }

  async sees(text, ms) {
    const find = () => {
      if (this.fault) throw Object.assign(this.fault, { final: true });
      return this.comments.find(({ json }) => json.comment === text);
    };
    return until(find, () => `"${text}"; the viewer of ${this.url} has ${JSON.stringify(this.events)}`, ms);
  }

  close() {
    this.#ending.abort();
  }
}

export const watch = (reader, videoid) => new Viewer(reader.url ?? reader, videoid).connect();
