// Viewers by the hundred: a bare socket each, so that a test can hold many of them, stop reading, close one half or be
// refused. The order is checked at each event (journal.mjs), but not each byte, as viewer.mjs does.
import net from 'node:net';
import { register } from './api.mjs';
import { ChunkReader, nextVersion } from './chunks.mjs';
import { Journal } from './journal.mjs';
import { requestBytes } from './raw.mjs';
import { until, within } from './time.mjs';

const EVENT = /^(?:retry: \d+\n)?(?:id: (\d+-\d+)\n)?(?:event: (\w+)\n)?data: (.*)$/;

class Member {
  entered = false; // has had its first event
  ended = false; // the server has closed, whether or not it had entered
  fault; // violation of the rules
  #text = '';
  #head = true;
  #chunks; // none over HTTP/1.0
  #heard = false;

  constructor({ reader, video, user, journal = new Journal(), from, connect }) {
    Object.assign(this, { reader, video, user, journal, from, behindProxy: Boolean(connect) });
    const { hostname: host, port, host: name } = new URL(reader);
    // A half-closed viewer still notices the end of the other half.
    this.socket = connect?.(reader) ?? net.connect({ host, port: Number(port), allowHalfOpen: true });
    this.socket.on('data', (bytes) => this.#take(bytes));
    this.socket.on('error', () => {}); // a reset is an end too
    this.settled = new Promise((resolve) => (this.settle = resolve));
    for (const event of ['end', 'close']) this.socket.on(event, () => this.#end());
    const headers = from === undefined ? {} : { 'Last-Event-ID': from };
    this.socket.write(requestBytes('GET', `/connect?userid=${user}&videoid=${encodeURIComponent(video)}`, { headers, host: name, version: connect ? '1.1' : nextVersion() }));
  }

  #end() {
    this.ended = true;
    if (this.#chunks?.over) this.fault ??= new Error('the stream has ended in order: it would not come back');
    this.socket.end(); // do not keep half open what the server has closed
    if (!this.entered && this.#heard) this.fault ??= new Error(`closed within an answer: ${JSON.stringify(this.#text)}`);
    this.settle();
  }

  #take(bytes) {
    this.#heard = true;
    if (this.fault) return;
    try {
      if (this.#head) bytes = this.#status(bytes);
      if (this.#chunks) bytes = this.#chunks.feed(bytes);
      this.#text += bytes.latin1Slice();
      if (!this.#head) this.#events();
    } catch (error) {
      this.fault = Object.assign(error, { final: true });
      this.socket.destroy();
    }
  }

  // Returns what follows the head, or all there is of it.
  #status(bytes) {
    const text = this.#text + bytes.latin1Slice();
    const end = text.indexOf('\r\n\r\n');
    this.#text = '';
    if (end < 0) return Buffer.from(text, 'latin1');
    if (!text.startsWith('HTTP/1.1 200 ')) throw new Error(`no stream: ${text.slice(0, 500)}`);
    if (/^transfer-encoding: chunked$/im.test(text.slice(0, end))) this.#chunks = new ChunkReader({ behindProxy: this.behindProxy });
    this.#head = false;
    return Buffer.from(text.slice(end + 4), 'latin1');
  }

  #events() {
    const end = this.#text.lastIndexOf('\n\n');
    if (end < 0) return;
    const whole = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    for (const event of whole.split('\n\n')) this.#event(event);
  }

  #event(text) {
    if (text[0] === ':') return;
    const [, id, type, data] = EVENT.exec(text) ?? [];
    this.at = performance.now();
    if (data === undefined) throw new Error(`not an event of ours: ${JSON.stringify(text)}`);
    if (!this.entered) {
      if (!data.includes('"type":"connected"')) throw new Error(`the first event is ${text}`);
      this.journal.connected({ id }, this.from);
      this.entered = true;
      this.settle();
    } else if (type === 'gap') {
      this.journal.gap({ id, json: JSON.parse(data) });
    } else {
      if (type || !data.startsWith(`{"id":"${id}"`)) throw new Error(`not a comment of ours: ${text}`);
      this.journal.comment({ id, json: { id } });
    }
  }

  get position() {
    return this.journal.position;
  }
  get gaps() {
    return this.journal.gaps;
  }
  // How many comments it has, and how many gaps say that it missed.
  get seen() {
    return this.journal.comments.length;
  }
  get missed() {
    return this.gaps.reduce((sum, { missed }) => sum + missed, 0);
  }

  pause() {
    this.socket.pause();
  }
  resume() {
    this.socket.resume();
  }
  // Stops sending, and waits for the end.
  halfClose() {
    this.socket.end();
  }
  close() {
    this.socket.destroy();
  }
}

export class Crowd {
  members = []; // those that have entered and were not closed by us
  #count = 0;

  constructor(system, { at, connect } = {}) {
    Object.assign(this, { system, at, connect });
    this.readers = new Map();
  }

  async #reader(video) {
    if (this.at) return this.at;
    if (!this.readers.has(video)) this.readers.set(video, (await register(this.system, video)).readerUrl);
    return this.readers.get(video);
  }

  // Adds `count` viewers, spread over the videos, `atOnce` of them connecting at a time. Returns those that got in; the others
  // were refused, which is a connection closed without a byte of a response. refusals: false if there must be none.
  async enter(count, videos, { atOnce = 32, refusals = false } = {}) {
    const wanted = Array.from({ length: count }, (_, i) => ({ video: videos[i % videos.length], user: `u${this.#count++}` }));
    return this.#enterAll(wanted, { atOnce, refusals });
  }

  async #enterAll(wanted, { atOnce, refusals }) {
    const entered = [];
    let next = 0;
    const way = async () => {
      while (next < wanted.length) {
        const who = wanted[next++];
        const member = new Member({ ...who, reader: await this.#reader(who.video), connect: this.connect });
        this.members.push(member);
        await within(member.settled, 10_000, () => `the first event of ${member.user} of ${member.video}`);
        this.#alright(member);
        if (member.entered) entered.push(member);
        else if (refusals) this.members.splice(this.members.indexOf(member), 1);
        else throw Object.assign(new Error(`${member.user} was refused, ${entered.length} before it got in`), { final: true });
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, wanted.length) }, way));
    return entered;
  }

  #alright(member) {
    if (member.fault) throw member.fault;
    return true;
  }

  // Those that are refused reconnect, as a browser does, until all are in.
  async insist(count, videos, { atOnce = 32, ms = 20_000 } = {}) {
    const entered = [];
    await until(async () => {
      entered.push(...(await this.enter(count - entered.length, videos, { atOnce, refusals: true })));
      return entered.length === count;
    }, () => `${count} viewers to get in; ${entered.length} have`, ms);
    return entered;
  }

  // All viewers that the server has closed resume at their positions.
  async comeBack(options = {}) {
    const gone = this.members.filter(({ ended }) => ended);
    this.members = this.members.filter(({ ended }) => !ended);
    this.readers.clear(); // addresses may have changed
    return this.#enterAll(gone.map(({ video, user, journal, position }) => ({ video, user, journal, from: position })), { atOnce: 32, ...options });
  }

  leave(members) {
    const leaving = new Set(members);
    this.members = this.members.filter((member) => !leaving.has(member));
    for (const member of leaving) member.close();
  }

  // Waits until each of `members` has the newest of `stored` of its video.
  async reach(stored, members = this.members, ms) {
    const newest = new Map([stored].flat().map(({ videoid, id }) => [videoid, id]));
    const behind = (member) => {
      this.#alright(member);
      if (!newest.has(member.video) || member.position === newest.get(member.video)) return false;
      if (member.ended) throw Object.assign(new Error(`${member.user} of ${member.video} was closed at ${member.position}`), { final: true });
      return true;
    };
    await until(() => !members.some(behind), () => {
      const late = members.filter(behind);
      return `${late.length} of ${members.length} viewers, such as ${late[0]?.user} of ${late[0]?.video} at ${late[0]?.position}`;
    }, ms);
  }

  release() {
    for (const member of this.members) member.close();
    for (const member of this.members) this.#alright(member);
  }
}

// options.at: the address of all videos' readers; options.connect(url): a socket to it, if not a plain one
export function startCrowd(t, system, options = {}) {
  const crowd = new Crowd(system, options);
  t.after(() => crowd.release());
  return crowd;
}
