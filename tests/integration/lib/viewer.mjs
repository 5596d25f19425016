// A viewer over plain HTTP: connects by GET or POST, resumes by header, query or body, follows redirects or not, and
// checks every byte and every number that arrives (stream.mjs, journal.mjs). Its bytes come through node:http or undici, or
// over HTTP/1.0 through a bare socket.
import http from 'node:http';
import { once } from 'node:events';
import { Agent, request } from './undici.mjs';
import { nextVersion } from './chunks.mjs';
import { bareRequest } from './raw.mjs';
import { scrambled } from './scrambled.mjs';
import { StreamParser } from './stream.mjs';
import { Journal } from './journal.mjs';
import { until, within } from './time.mjs';

const transports = {
  async http(url, { method, headers, body }) {
    const outgoing = http.request(url, { method, headers, agent: false });
    outgoing.on('error', () => {}); // a reset of the stream, which ends the body
    outgoing.end(body);
    const [response] = await once(outgoing, 'response');
    return { status: response.statusCode, headers: response.headers, body: response };
  },
  async undici(url, { method, headers, body }) {
    const dispatcher = new Agent({ bodyTimeout: 0 });
    const response = await request(url, { method, headers, body, dispatcher });
    response.body.once('close', () => dispatcher.destroy());
    return { status: response.statusCode, headers: response.headers, body: response.body };
  },
  'http/1.0': (url, request) => bareRequest(url, { ...request, version: '1.0' }),
  'bare http/1.1': (url, request) => bareRequest(url, { ...request, version: '1.1' }),
};
const transportOf = { '1.1': 'http', '1.0': 'http/1.0' };

// Where streams are scrambled only bare sockets can read them. A test may have a transport of its own.
const readable = (transport) => (scrambled && transport !== 'http/1.0' ? 'bare http/1.1' : transport);
const transportNamed = (transport) => (typeof transport === 'function' ? transport : transports[readable(transport)]);

const ENTRIES = ['retract', 'purge', 'pin', 'start', 'end']; // of a log, beside comments

export class Viewer {
  events = [];
  heartbeats = []; // times at which a comment line arrived
  redirects = []; // the redirect responses
  fault; // violation of the stream's rules
  moments = []; // events room and held, with the time at which they came, for one that has asked
  counts = []; // {viewers, at}: how many there are, for one that has asked
  ended = false; // the server closed
  over; // what the event of its end said, for one that has a session
  finished = false; // the video has ended, as it was told

  constructor(options) {
    this.options = { user: 'viewer', method: 'GET', via: 'header', query: {}, headers: {}, ...options };
    this.journal = options.journal ?? new Journal();
  }

  // Resolves once the response head has arrived; a response other than a stream is in status, headers, text.
  async connect(reader) {
    let url = new URL(`${String(reader).replace(/\/$/, '')}/connect`); // whose address may have a path
    const { method, query, headers, transport = transportOf[nextVersion()] } = this.options;
    const outgoing = { method, headers: { ...headers } };
    const fields = { userid: this.options.user, videoid: this.options.video, ...this.options.fields };
    if (this.options.from !== undefined) this.#resume(url, outgoing.headers, fields);
    if (method === 'POST') {
      outgoing.headers['content-type'] = 'application/json';
      outgoing.body = JSON.stringify(fields);
    } else {
      for (const [name, value] of Object.entries(fields)) if (value !== undefined) url.searchParams.set(name, value);
    }
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    for (;;) {
      const answer = await within(transportNamed(transport)(url, outgoing), 10_000, `an answer of ${url}`);
      Object.assign(this, answer, { url });
      if (answer.status !== 307 || this.options.follow === false) break;
      this.redirects.push(answer);
      answer.body.resume();
      url = new URL(answer.headers.location, url);
    }
    this.body.on('error', () => {});
    if (this.status === 200) this.#read();
    else this.text = await readAll(this.body);
    return this;
  }

  #resume(url, headers, fields) {
    const { via, from } = this.options;
    if (via === 'header') headers['last-event-id'] = from;
    else if (via === 'query') url.searchParams.set('last_event_id', from);
    else fields.last_event_id = from;
  }

  #read() {
    const parser = new StreamParser({
      onEvent: (event) => this.#take(event),
      onComment: () => this.heartbeats.push(performance.now()),
    });
    this.body.on('data', (bytes) => {
      if (this.fault || this.left) return;
      try {
        parser.feed(bytes);
      } catch (error) {
        this.fault = Object.assign(error, { final: true });
      }
    });
    // A client that sees an end in order may not come back; one that sees a cut may lose what it has not read yet, the event of
    // the end, too. Over HTTP/1.0 an end looks like a cut.
    const chunked = this.headers['transfer-encoding'] === 'chunked';
    this.body.once('end', () => chunked && !this.options.mayEnd && !this.over && !this.finished && (this.fault ??= Object.assign(new Error('the stream has ended in order'), { final: true })));
    this.body.once('close', () => {
      this.ended = true;
      if (chunked && this.over && !this.body.readableEnded) this.fault ??= Object.assign(new Error('the stream is cut after its last event'), { final: true });
    });
    if (this.body.closed) this.ended = true; // before the listener was there
    this.body.resume();
  }

  #take(event) {
    event.at = performance.now();
    this.events.push(event);
    const { type, json } = event;
    if (this.events.length === 1) {
      if (type !== 'message' || json.type !== 'connected') throw new Error(`the first event is ${event.text}`);
      this.journal.connected(event, this.options.resumes === false ? undefined : this.options.from);
    } else if (type === 'gap') {
      this.journal.gap(event);
    } else if (type === 'message' && json.type === undefined) {
      const unseen = event.id === undefined && json.id?.startsWith('1-') && json.userid === this.options.user; // its author is under a shadow ban
      if (json.id !== event.id && !unseen) throw new Error(`the event's id ${event.id} is not the comment's: ${event.text}`);
      this.journal.comment(event);
    } else if (type === 'more') {
      this.journal.more(event);
    } else if (type === 'number') {
      this.journal.number(event);
    } else if (ENTRIES.includes(type) && event.id !== undefined) {
      this.journal.entry(event);
      if (type === 'start' || type === 'end') this.finished = type === 'end';
    } else if (type === 'viewers' && this.options.query.events?.split(',').includes('viewers')) {
      if (event.id !== undefined || json.type !== 'viewers') throw new Error(`no count of viewers: ${event.text}`);
      this.counts.push({ viewers: json.viewers, at: event.at });
    } else if (['room', 'held', 'reactions'].includes(type) && this.options.query.events?.split(',').includes(type)) {
      if (event.id !== undefined || json.type !== type) throw new Error(`no event of the moment: ${event.text}`);
      this.moments.push({ ...json, at: event.at });
    } else if (type === 'end' && this.options.session) {
      if (event.id !== undefined || this.over) throw new Error(`no end of a session: ${event.text}`);
      this.over = json;
    } else {
      throw new Error(`unexpected event ${type}: ${event.text}`);
    }
  }

  get connected() {
    return this.events[0];
  }
  get comments() {
    return this.journal.comments;
  }
  get gaps() {
    return this.journal.gaps;
  }
  get entries() {
    return this.journal.entries;
  }
  get numbers() {
    return this.journal.numbers;
  }
  get position() {
    return this.journal.position;
  }

  // Waits until probe(this) holds; a broken stream ends the waiting.
  wait(probe, what, ms) {
    return until(() => {
      if (this.fault) throw this.fault;
      return probe(this);
    }, () => `${what}; the viewer has ${this.comments.length} comments, ${this.gaps.length} gaps, stands at ${this.position}`, ms);
  }

  // Waits until it has reached `id`, or has `count` comments.
  reaches(id, ms) {
    return this.wait(() => this.position === id, `the event ${id}`, ms);
  }
  sees(count, ms) {
    return this.wait(() => this.comments.length >= count, `${count} comments`, ms);
  }

  // Waits until it was last told of `count` viewers.
  isOneOf(count, ms) {
    return this.wait(() => this.counts.at(-1)?.viewers === count, `a count of ${count}`, ms);
  }

  // A viewer of the same video that resumes at the position of this one, with the same journal.
  again(options) {
    this.close();
    return new Viewer({ ...this.options, journal: this.journal, from: this.position, ...options });
  }

  close() {
    this.left = true; // what a stream has buffered may come after it was destroyed, and is the next viewer's to get
    this.body?.destroy();
    if (this.fault) throw this.fault;
  }
}

// Connects a viewer and waits for its first event.
export async function watch(reader, options) {
  const viewer = await new Viewer(options).connect(reader);
  if (viewer.status !== 200) throw new Error(`/connect answered ${viewer.status}: ${viewer.text}`);
  await viewer.wait(() => viewer.connected, 'the first event');
  return viewer;
}

async function readAll(body) {
  let text = '';
  for await (const chunk of body) text += chunk;
  return text;
}
