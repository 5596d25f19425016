// Viewers of four kinds that come back whenever they are cut, and record what they see (checker.mjs): bare sockets and undici,
// which go from reader to reader and follow redirects; npm's EventSource behind one balanced address; our own client.
import { randomInt } from 'node:crypto';
import { EventSource } from 'eventsource';
import { Agent, fetch, request } from 'undici';
import { LiveComments } from '../../web/chorus.js';
import { bareRequest } from '../integration/lib/raw.mjs';
import { StreamParser } from '../integration/lib/stream.mjs';
import { pause } from '../integration/lib/time.mjs';
import { positionAfter } from './checker.mjs';

// Of the log, with a number.
const ENTRIES = ['retract', 'purge', 'pin', 'start', 'end'];
// Heartbeats come every second.
const SILENT_MS = 6_000;
const patient = () => new Agent({ connect: { timeout: 3_000 }, headersTimeout: 8_000, bodyTimeout: SILENT_MS });

// One string for equal comments, whatever the order of their members.
const whole = new Map();
export function canonical(comment) {
  const text = JSON.stringify(Object.fromEntries(Object.entries(comment).sort(([a], [b]) => (a < b ? -1 : 1))));
  const key = `${comment.videoid} ${comment.id}`;
  if (whole.get(key) === text) return whole.get(key);
  if (!whole.has(key)) whole.set(key, text);
  return text;
}

class Recorder {
  events = [];
  position; // of the last event
  exact = true; // sees the numbers of what was deleted
  // user: if it is not its name. query: more of its request. mayEnd: its video may.
  constructor(world, { name, video, user = name, query = {}, mayEnd = false }) {
    Object.assign(this, { world, name, video, user, query, mayEnd });
  }
  // What it is, for the checker.
  get seen() {
    const { name, video, user, exact, events, query: { rate } } = this;
    return { name, video, user, exact, all: rate === 'all', late: name.startsWith('late'), events };
  }

  record(event) {
    event.at = this.world.nowMs;
    this.events.push(event);
    this.position = positionAfter(event, this.position);
  }
  recordComment({ more, ...json }) {
    this.record({ type: 'comment', id: json.id, text: json.comment, whole: canonical(json), more });
  }
  // A retraction and the like; `more` stands for a comment that was deleted.
  recordEntry({ id, type: name, target, userid, more }) {
    if (name === 'more') this.record({ type: 'number', id, more });
    else this.record({ type: 'entry', id, name, target, userid });
  }
  recordGap({ from, to, missed, reason }) {
    this.record({ type: 'gap', from, to, missed, reason });
  }
  recordFault(what) {
    this.record({ type: 'fault', what });
  }
  // The stream has ended, if it had begun.
  recordCut() {
    if (this.live) this.record({ type: 'cut' });
    this.live = false;
  }
  recordConnected(id, asked, url, newest) {
    this.live = true;
    this.reader = new URL(url).origin;
    this.record({ type: 'connected', id, asked, newest });
  }
  get connectQuery() {
    return new URLSearchParams({ userid: this.user, videoid: this.video, ...this.query });
  }
}

// A viewer over the requests of `transport`.
class Follower extends Recorder {
  retryMs = 500;
  // from: where it begins, as one that comes back.
  constructor(world, { transport, number, retry, from, ...options }) {
    super(world, options);
    Object.assign(this, { transport, tries: number, waits: retry, position: from });
    this.done = this.#run();
  }

  async #run() {
    while (!this.closed) {
      await this.#watch().catch(() => {});
      this.body?.destroy();
      this.recordCut();
      if (!this.closed) await pause(this.absenceMs ?? (this.waits ? this.retryMs : randomInt(50, 400)));
      this.absenceMs = undefined;
    }
  }

  async #watch() {
    const { readers } = this.world, asked = this.position;
    const dispatcher = patient();
    try {
      let url = new URL(`/connect?${this.connectQuery}`, readers[this.tries++ % readers.length]), answer;
      const headers = asked === undefined ? {} : { 'last-event-id': asked };
      for (let hops = 0; hops < 4; hops++) {
        answer = await this.transport(url, { method: 'GET', headers, dispatcher });
        this.body = answer.body.on('error', () => {});
        if (answer.status !== 307) break;
        this.body.destroy();
        url = new URL(answer.headers.location, url);
      }
      if (answer.status === 204 && this.mayEnd) return this.record({ type: 'note', what: 'the video has ended' });
      if (answer.status !== 200) return this.recordFault(`/connect answered ${answer.status}`);
      this.url = url;
      await this.#read(asked);
    } finally {
      dispatcher.destroy().catch(() => {});
    }
  }

  async #read(asked) {
    const { body } = this;
    let silent;
    const alive = () => {
      clearTimeout(silent);
      silent = setTimeout(() => body.destroy(), SILENT_MS);
    };
    const parser = new StreamParser({ onEvent: (event) => this.#take(event, asked), onComment: () => {} });
    try {
      alive();
      for await (const bytes of body) {
        alive();
        if (this.closed) return;
        try {
          parser.feed(bytes);
        } catch (error) {
          this.recordFault(error.message);
          return;
        }
      }
    } finally {
      clearTimeout(silent);
    }
  }

  #take({ type, id, json, text, retry }, asked) {
    this.retryMs = retry ?? this.retryMs;
    if (!this.live) {
      if (json?.type !== 'connected') throw new Error(`the first event is ${text}`);
      this.recordConnected(id, asked, this.url, json.newest);
    } else if (type === 'gap' && id === json.to) this.recordGap(json);
    else if (type === 'number') this.record({ type: 'number', id });
    else if ([...ENTRIES, 'more'].includes(type) && json.id === id) this.recordEntry(json);
    else if (type === 'reactions' && !id && this.query.events === type) this.record({ type, reactions: json.reactions });
    else if (type === 'message' && json.id === id) this.recordComment(json);
    else throw new Error(`unexpected event ${type} ${id}: ${text}`);
  }

  // As a client whose network changes.
  drop() {
    this.body?.destroy();
  }
  leaveFor(ms) {
    this.absenceMs = ms;
    this.drop();
  }
  close() {
    this.closed = true;
    this.drop();
    return this.done;
  }
}

const bare = (url, options) => bareRequest(url, { ...options, version: '1.1' });
async function undici(url, options) {
  const { statusCode: status, headers, body } = await request(url, options);
  return { status, headers, body };
}

// What one address in front of all readers would do: each attempt reaches the next one.
class EventSourceViewer extends Recorder {
  exact = false;
  constructor(world, { number, ...options }) {
    super(world, options);
    this.dispatcher = patient();
    let tries = number;
    const url = new URL(`/connect?${this.connectQuery}&redirect=never`, world.readers[0]);
    this.source = new EventSource(url, { fetch: (target, init) => {
      this.recordCut();
      this.asked = init.headers['Last-Event-ID'];
      const at = new URL(target), { readers } = world;
      this.url = new URL(at.pathname + at.search, readers[tries++ % readers.length]);
      return fetch(this.url, { ...init, dispatcher: this.dispatcher });
    } });
    this.source.onmessage = ({ data, lastEventId }) => {
      const json = JSON.parse(data);
      if (json.type === 'connected') this.recordConnected(lastEventId, this.asked, this.url, json.newest);
      else if (json.id !== lastEventId) this.recordFault(`${data} has the id ${lastEventId}`);
      else this.recordComment(json);
    };
    for (const name of [...ENTRIES, 'more']) this.source.addEventListener(name, ({ data }) => this.recordEntry(JSON.parse(data)));
    this.source.addEventListener('gap', ({ data }) => this.recordGap(JSON.parse(data)));
    this.source.onerror = ({ code, message }) => {
      if (this.source.readyState === EventSource.CLOSED) this.recordFault(`the EventSource gave up: ${code} ${message}`);
      this.recordCut();
    };
  }

  close() {
    this.source.close();
    return this.dispatcher.destroy().catch(() => {});
  }
}

class ClientViewer extends Recorder {
  exact = false;
  constructor(world, { number, ...options }) {
    super(world, options);
    this.dispatcher = patient();
    let tries = number;
    // The comment APIs behind one address.
    const balanced = (url) => {
      const at = new URL(url), { comments } = world;
      return at.origin === comments[0] ? new URL(at.pathname + at.search, comments[tries++ % comments.length]) : at;
    };
    this.client = new LiveComments({
      server: world.comments[0], video: this.video, user: this.name, share: false,
      fetch: async (url, init) => {
        const response = await fetch(balanced(url), { ...init, dispatcher: this.dispatcher });
        if (/\/connect\?/.test(response.url)) this.url = response.url;
        return response;
      },
      onComment: (json) => this.recordComment(json),
      onGap: (gap) => this.recordGap(gap),
      onEntry: (json) => this.recordEntry(json),
      onState: (state) => this.#take(state),
    });
  }

  #take({ name, error, code, retryInMs }) {
    if (name === 'reconnecting') this.record({ type: 'note', what: `${code}: ${error}; again in ${Math.round(retryInMs)} ms` });
    if (name === 'live') this.recordConnected(this.client.position, this.position, this.url);
    else this.recordCut();
    if (name === 'ended' || name === 'refused') this.recordFault(`the client is ${name}: ${error}`);
  }
  close() {
    this.client.close();
    return this.dispatcher.destroy().catch(() => {});
  }
}

const kinds = [
  ['socket', (world, options) => new Follower(world, { ...options, transport: bare })],
  ['eventsource', (world, options) => new EventSourceViewer(world, options)],
  ['undici', (world, options) => new Follower(world, { ...options, transport: undici })],
  ['client', (world, options) => new ClientViewer(world, options)],
];

// `each` viewers of each kind for each video. retry: sockets and undici wait as the server asks, and not just a moment.
export const startViewers = (world, videos, { each = 1, retry = false } = {}) => videos.flatMap((video, i) => kinds.flatMap(([kind, make], j) =>
  Array.from({ length: each }, (_, k) => make(world, { name: `${kind}-${video}-${k + 1}`, video, number: i + j + k, retry }))));

// So many of one video that it is given to several readers.
export const startCrowd = (world, video, count) => Array.from({ length: count }, (_, i) =>
  new Follower(world, { name: `crowd-${video}-${i + 1}`, video, number: i, transport: bare }));

// Those of `video` that are shown a sample of it: one that asks for all comments, and one that is their author.
export const startSampled = (world, video) => [
  new Follower(world, { name: `whole-${video}`, video, number: 0, transport: bare, query: { rate: 'all' } }),
  new Follower(world, { name: `author-${video}`, video, user: `key-${video}`, number: 1, transport: undici }),
];

// One that asks for reactions, and one of a video that begins and ends.
export const startAsking = (world, video) => new Follower(world, { name: `asks-${video}`, video, number: 2, transport: bare, query: { events: 'reactions' } });
export const startPatient = (world, video) => [bare, undici].map((transport, number) =>
  new Follower(world, { name: `patient-${video}-${number}`, video, number, transport, mayEnd: true }));

// One for each video that comes after all others, with what was last seen at `from`.
export const startLate = (world, from) => Object.entries(from).map(([video, position], i) =>
  new Follower(world, { name: `late-${video}`, video, number: i, from: position, transport: bare }));
