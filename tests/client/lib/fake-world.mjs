// A Chorus in this process, with a comment API and readers that do whatever may go wrong, at random. Its fetch() is what a
// client gets. The log of its one video is the truth that clients are held against.
const API = 'http://api.test';

export const compare = (a, b) => {
  const [epoch, number] = a.split('-').map(Number), [epochB, numberB] = b.split('-').map(Number);
  return epoch - epochB || number - numberB;
};
const after = (id) => id.replace(/\d+$/, (number) => Number(number) + 1);

export class FakeWorld {
  log = []; // {id, data}, or without data if it is a number without content
  lost = new Set(); // ids that an epoch has lost
  kept = 0; // entries before this one are not kept
  connections = new Set();
  proxied = new Set(); // clients whose last stream a proxy has ended, as if the video were over
  left = new Set(); // clients that have crashed
  requests = []; // {ms, client, address, path, ok}
  keys = new Map(); // of comments

  // faults: how likely each is: {cut, redirect, loop, refuse, stall, repeat, reorder, end}
  constructor(clock, random, faults = {}) {
    Object.assign(this, { clock, random, faults });
    this.epoch = 1763932000000;
    this.head = `${this.epoch}-0`;
    this.readers = new Map(['http://r1.test', 'http://r2.test', 'http://r3.test:4003/path'].map((url) => [url, { alive: true }]));
    this.owner = 'http://r1.test';
  }

  happens(fault) {
    return this.random.chance(this.faults[fault] ?? 0);
  }

  append(comment = `comment ${this.log.length}`, fields = { userid: 'someone' }) {
    const id = (this.head = after(this.head));
    const entry = { id, data: { id, ...fields, videoid: 'v', comment } };
    if (this.happens('tombstone')) delete entry.data;
    this.log.push(entry);
    for (const connection of this.connections) connection.pump();
    return entry.data ?? {};
  }

  // The store loses its last comments and begins a new epoch. Readers keep their viewers, and announce it.
  newEpoch(lose) {
    const prev = this.log.at(-1 - lose)?.id ?? `${this.epoch}-0`;
    for (const { id } of this.log.splice(this.log.length - lose)) this.lost.add(id);
    this.kept = Math.min(this.kept, this.log.length);
    this.epoch += 1000;
    this.head = `${this.epoch}-0`;
    this.breaks = [...(this.breaks ?? []), { prev, head: this.head }];
    for (const connection of this.connections) connection.pump();
  }

  // The video moves, and its reader dies or redirects from now on.
  move(dies) {
    const others = [...this.readers.keys()].filter((url) => url !== this.owner);
    if (dies) this.kill(this.owner);
    this.owner = this.random.pick(others);
    this.readers.get(this.owner).alive = true;
  }
  kill(url) {
    this.readers.get(url).alive = false;
    for (const connection of this.connections) if (connection.reader === url) connection.cut();
  }

  // What follows a position: [{id, event, data}].
  since(position) {
    const out = [];
    let at = position;
    for (const { prev, head } of this.breaks ?? []) {
      if (compare(at, prev) > 0 && compare(at, head) < 0) out.push(gap(after(at), (at = head), null, 'epoch'));
    }
    const oldest = this.log[this.kept - 1];
    if (oldest && compare(at, oldest.id) < 0) {
      out.push(gap(after(at), oldest.id, null, 'expired'));
      at = oldest.id;
    }
    for (const { id, data } of this.log) if (compare(id, at) > 0) out.push({ id, data });
    return out;
  }

  leave(client) {
    this.left.add(client);
    for (const connection of this.connections) if (connection.client === client) connection.cut();
  }

  // fetch() of one client. enter(run): calls run(), when the client's tab is not frozen.
  fetchFor(client, enter = (run) => run()) {
    return (url, init = {}) => new Promise((resolve, reject) => {
      const { signal } = init;
      const entry = { ms: this.clock.ms, client, path: new URL(url).pathname, address: url.split(/\/(?:connect|register|comment|videos)/)[0] };
      this.requests.push(entry);
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason));
      const answer = (value) => enter(() => {
        entry.ok = value.status < 300;
        resolve(value);
      });
      this.clock.setTimeout(() => this.#serve({ url, init, client, enter, hops: 0, answer, fail: () => enter(() => reject(new TypeError('fetch failed'))) }), this.random.below(80));
    });
  }

  #serve(exchange) {
    const { url, answer, fail, init } = exchange;
    if (init.signal?.aborted || this.happens('stall')) return;
    if (this.happens('refuse')) {
      const status = this.random.pick([503, 502, 429, 404, 0]);
      return status ? answer(json(status, { error: 'refused', code: 'refused' }, status === 503 && { 'retry-after': '1' })) : fail();
    }
    if (url.startsWith(`${API}/register`)) return answer(json(200, { videoid: 'v', readerUrl: this.owner }));
    if (url.startsWith(`${API}/comment`)) return this.#comment(exchange);
    return this.#connect(exchange);
  }

  #comment({ init, answer, fail }) {
    const key = init.headers['idempotency-key'], { comment, userid } = JSON.parse(init.body);
    if (!this.keys.has(key)) this.keys.set(key, this.append(comment, { userid }));
    return this.happens('lose') ? fail() : answer(json(201, { success: true, comment: this.keys.get(key) }));
  }

  #connect(exchange) {
    const { url, init, client, enter, hops, answer, fail, reader: wanted } = exchange;
    if (init.signal.aborted || this.left.has(client)) return;
    const reader = wanted ?? [...this.readers.keys()].find((each) => url.startsWith(`${each}/connect?`));
    if (!this.readers.get(reader)?.alive || hops > 20) return fail();
    const elsewhere = reader !== this.owner ? this.owner : this.happens('redirect') && this.random.pick([...this.readers.keys()]);
    const asksForMove = new URL(url).searchParams.get('events')?.includes('move');
    if (elsewhere && elsewhere !== reader && asksForMove && this.random.chance(0.5)) return answer(moved(`${elsewhere}/connect${new URL(url).search}`));
    if (this.over) return answer(json(204));
    if (elsewhere || this.happens('loop')) {
      return this.clock.setTimeout(() => this.#connect({ ...exchange, reader: elsewhere || reader, hops: hops + 1 + 20 * this.happens('loop') }), 5);
    }
    const query = new URL(url).searchParams;
    const connection = new Connection(this, { reader, client, enter, query, signal: init.signal });
    return answer({ ...json(200, {}, { 'content-type': 'text/event-stream' }), body: connection.body, redirected: hops > 0, url: `${reader}/connect?${query}&hop=${hops}&` });
  }
}

const gap = (from, to, missed, reason) => ({ id: to, event: 'gap', data: { type: 'gap', from, to, missed, reason } });

const json = (status, body, headers = {}) => ({ status, ok: status < 300, redirected: false, headers: new Headers(headers || {}), json: async () => body });

const moved = (url) => ({
  ...json(200, {}, { 'content-type': 'text/event-stream' }),
  body: new Blob([`event: move\ndata: ${JSON.stringify({ type: 'move', url })}\n\n`]).stream(),
});

// A stream, in pieces of any size, with any line ends.
class Connection {
  constructor(world, { reader, client, enter, query, signal }) {
    Object.assign(this, { world, reader, client, enter });
    world.connections.add(this);
    const { random, clock } = world;
    this.newline = random.pick(['\n', '\n', '\r\n', '\r']);
    this.left = world.happens('cut') ? random.below(3_000) : Infinity; // bytes until it is cut
    this.stalls = world.happens('silence') ? random.below(3_000) : Infinity;
    this.pieces = random.pick([1, 3, 40, 4_000]);
    this.bytes = new Uint8Array();
    this.body = new ReadableStream({ start: (controller) => (this.controller = controller) });
    signal.addEventListener('abort', () => this.close(() => this.controller.error(signal.reason)));
    this.position = query.get('last_event_id') ?? (query.get('history') ? this.before(query.get('history')) : world.head);
    this.send(`${random.chance(0.2) ? '\ufeff' : ''}:${'\n'}retry: ${500 + random.below(2_000)}\n`);
    this.event({ id: this.position, data: { type: 'connected', newest: world.head } });
    this.pump();
    const beat = () => {
      if (this.over) return;
      this.send(':\n\n');
      clock.setTimeout(beat, 14_000);
    };
    beat();
  }

  before(count) {
    const { log, kept, head } = this.world, first = Math.max(kept, log.length - count);
    return first >= log.length ? head : (log[first - 1]?.id ?? log[0].id.replace(/\d+$/, '0'));
  }

  pump() {
    const { world } = this, events = world.since(this.position);
    if (events.length) this.position = events.at(-1).id;
    const shown = events.filter(({ data }) => data);
    for (let i = 0; i + 1 < shown.length; i++) {
      if (!world.happens('reorder')) continue;
      shown.splice(i, 2, shown[i + 1], shown[i]);
      this.left = this.stalls = Infinity; // no client can know of one that never comes
    }
    for (const each of shown) {
      this.event(each);
      if (world.happens('repeat')) this.event(world.random.pick(shown.slice(0, shown.indexOf(each) + 1)));
      if (world.happens('moment')) this.event({ event: 'viewers', data: { type: 'viewers', viewers: 7 } });
    }
    if (!world.proxied.has(this.client) && world.happens('end')) world.proxied.add(this.client, (this.ending = true));
  }

  event({ id, event, data }) {
    const lines = JSON.stringify(data).split(/(?<=,)/).map((part) => `data: ${part}`); // several lines of data are joined by \n
    this.send([id && `id: ${id}`, event && `event: ${event}`, ...lines, '', ''].filter((line) => line !== undefined).join('\n'));
  }

  send(text) {
    if (this.over) return;
    this.bytes = Buffer.concat([this.bytes, Buffer.from(text.replaceAll('\n', this.newline))]);
    if (!this.sending) this.flush();
  }
  flush() {
    const { clock, random } = this.world;
    this.sending = this.bytes.length > 0 && !this.over;
    if (!this.sending) return this.ending && this.close(() => this.controller.close());
    const piece = this.bytes.subarray(0, Math.min(this.pieces * (1 + random.below(20)), this.left));
    this.bytes = this.bytes.subarray(piece.length);
    this.left -= piece.length;
    this.stalls -= piece.length;
    if (this.stalls <= 0) return; // silent from now on
    if (piece.length) this.enter(() => this.closed || this.controller.enqueue(new Uint8Array(piece)));
    if (this.left <= 0) this.cut();
    clock.setTimeout(() => this.flush(), random.below(10));
  }

  cut() {
    this.close(() => this.controller.error(new TypeError('terminated')));
  }
  close(how) {
    if (this.over) return;
    this.over = true;
    this.world.connections.delete(this);
    if (!this.ending) this.world.proxied.delete(this.client);
    this.enter(() => {
      this.closed = true;
      how();
    });
  }
}
