// The comments of a video that is over, beside the clock of its recording: see clients/js.
//
// It looks at the clock ten times a second, and shows what GET /videos/VIDEO/replay has up to there. It reads a window ahead, and
// drops what is shown. A clock that has gone back, or beyond what is read, means a new place: then the newest comments up to there
// are looked for first, in spans that grow. They are always asked for, as some may have been deleted meanwhile.
import { LiveComments } from './chorus.js';

const LOOK_MS = 100;
const AHEAD_MS = 20_000; // of the recording at normal speed: with less than that ahead, more is read
const WINDOW_MS = 60_000;
const LIMIT = 2_000; // lines of an answer
const SPAN_MS = 2_000, GROWTH = 4;
const JITTER_MS = 250, LEAP_MS = 2_500; // back, and between two looks, as timers of hidden tabs are late
const LATE_MS = 1_500;
const HISTORY = 50;
const PINS = 1_000;
const PAUSE_MAX_MS = 30_000;
const REFUSALS = [400, 401, 403, 404, 410, 422];
const STEP_MS = 1_000; // of a length
const LONGEST_MS = 2 ** 31 - 1;

const isComment = ({ type }) => !type;

async function readLines(live, query, controller) {
  const values = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = await live._ask(`${live._path}/replay?${new URLSearchParams(values)}`, { controller }, 'text');
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

class Reel {
  lines = []; // read and not shown, oldest first, each with `at`: its t, but never less than the one's before, as clocks are set back
  pins = []; // of all that was ever read, by `at`
  retries = 0;

  constructor(live) {
    this.live = live;
    this.begin = Math.min(0, this.offset);
    this.run();
  }

  get offset() {
    return Number(this.live._options.offsetMs) || 0;
  }
  get rate() {
    return Math.max(1, this.live._options.clock.playbackRate || 1);
  }

  close() {
    this.closed = true;
    this.controller?.abort();
  }
  hurry() {
    this.hurryRead?.();
  }

  async run() {
    await null; // the client is still being made
    while (!this.closed) {
      const { clock } = this.live._options, at = Math.floor(clock.currentTime * 1000 + this.offset);
      if (!clock.seeking && at >= this.begin) this.look(at);
      await this.live._pause(LOOK_MS);
    }
  }

  look(at) {
    const isNew = !(at >= this.at - JITTER_MS) || (at > this.at + LEAP_MS * this.rate && !(at <= this.to));
    this.at = isNew ? at : Math.max(at, this.at);
    if (isNew) return this.goTo();
    if (this.to !== undefined) this.settled ||= this.showBefore(at);
    this.show();
    if (!this.reading && !this.isRead && !(this.to - this.at > AHEAD_MS * this.rate)) this.read();
  }

  // What is shown is to be taken off. While the clock is dragged, nothing is read yet.
  goTo() {
    this.controller?.abort();
    this.controller = undefined;
    this.reading = this.settled = false;
    this.live._tell('onSeek');
    this.lines = [];
    this.isRead = false;
    this.to = this.after = undefined;
  }
  get history() {
    return this.live._options.history ?? HISTORY;
  }

  // The newest comments up to there, and what is pinned there.
  showBefore(at) {
    const { history, live } = this, before = this.takeShown(at), rows = before.filter(({ type }) => !type || type === 'gap');
    for (const line of rows.slice(Math.max(0, rows.length - history))) this.tell(line, true);
    const pin = this.pins.filter((each) => each.at <= at).at(-1);
    if (pin?.target) this.tell(pin);
    live._setState({ name: before.at(-1)?.type === 'end' ? 'ended' : 'replaying' });
    return true;
  }

  show() {
    const { live } = this;
    if (!this.settled) return;
    for (const line of this.takeShown(this.at)) {
      this.tell(line, this.at - line.at > LATE_MS * this.rate);
      if (this.closed) return;
      if (line.type === 'end') live._setState({ name: 'ended' });
    }
  }
  takeShown(at) {
    const later = this.lines.findIndex((line) => line.at > at);
    return this.lines.splice(0, later < 0 ? this.lines.length : later);
  }

  tell({ at, t, ...line }, replayed) {
    const { live } = this;
    if (isComment(line)) live._tell('onComment', line, { own: line.userid === live._options.user, replayed, at: (at - this.offset) / 1000 });
    else if (line.type === 'gap') live._tell('onGap', line);
    else if (line.type !== 'blank') live._tell('onEntry', line);
  }

  async read() {
    const { live } = this, controller = (this.controller = new AbortController());
    this.reading = true;
    try {
      await (this.to === undefined ? this.readBefore(controller) : this.readOn(controller));
      if (this.controller !== controller) return;
      this.retries = 0;
      if (live.state.name === 'reconnecting') live._setState({ name: 'replaying' });
    } catch (error) {
      if (this.controller !== controller || this.closed) return;
      await this.wait(error, controller);
    }
    if (this.controller === controller) this.reading = false;
  }

  async wait({ status, message, code, retryAfterMs }, controller) {
    const { live } = this, isToken = status === 401 && !this.retries;
    if (REFUSALS.includes(status) && !isToken) return live._setState({ name: 'refused', code, error: message });
    const retryInMs = live._env.random() * Math.min(1_000 * 2 ** this.retries++, PAUSE_MAX_MS) + Math.min(retryAfterMs ?? 0, PAUSE_MAX_MS);
    if (!isToken) live._setState({ name: 'reconnecting', retryInMs, code, error: message });
    const waits = live._pause(retryInMs, (hurry) => (this.hurryRead = hurry));
    controller.signal.addEventListener('abort', () => this.hurryRead?.());
    return waits;
  }

  async readBefore(controller) {
    const { at, begin, history } = this;
    let lines = [], to = at;
    for (let span = SPAN_MS; ; span *= GROWTH) {
      const from = Math.max(begin, to - span + 1);
      lines = [...await this.readSpan(from, to, controller), ...lines];
      to = from - 1;
      if (lines.filter(isComment).length >= history || from === begin) break;
    }
    if (this.controller !== controller) return;
    this.to = at;
    this.take(lines, begin);
  }
  // The newest lines of a span, as many as are kept.
  async readSpan(from, to, controller) {
    let lines = [], after;
    for (;;) {
      const some = await readLines(this.live, { from_ms: from < 0 ? undefined : from, to_ms: Math.max(0, to), after, limit: LIMIT }, controller);
      this.keepPins(some);
      lines = [...lines, ...some.filter(({ t }) => t >= from && t <= to)].slice(-LIMIT);
      if (!isFull(some)) return lines;
      after = lastId(some);
    }
  }

  async readOn(controller) {
    const { after, to: last } = this, to = Math.max(0, last + WINDOW_MS * this.rate);
    const lines = await readLines(this.live, { after, from_ms: after || last < 0 ? undefined : last + 1, to_ms: to, limit: LIMIT }, controller);
    if (this.controller !== controller) return;
    this.keepPins(lines);
    this.take(lines.filter(({ t }) => t >= this.begin), last);
    this.after = lastId(lines) ?? this.after;
    if (!this.isRead) this.to = isFull(lines) ? Math.max(last, lines.at(-1).t) : to;
  }

  take(lines, after) {
    const end = lines.findIndex(({ type, t }) => type === 'end' && t >= 0);
    this.isRead = end >= 0;
    if (this.isRead) lines = lines.slice(0, end + 1); // what moderators did afterwards is done
    let last = this.lines.at(-1)?.at ?? after;
    for (const line of lines) this.lines.push({ ...line, at: (last = Math.max(last, line.t)) });
    this.after = lastId(lines) ?? this.after;
    if (this.isRead) this.to = Infinity;
  }
  keepPins(lines) {
    for (const { t: at, ...line } of lines) if (line.type === 'pin' && this.pins.every(({ id }) => id !== line.id)) this.pins.push({ ...line, at });
    this.pins = this.pins.sort((a, b) => a.at - b.at).slice(-PINS);
  }
}

const lastId = (lines) => lines.map(({ id }) => id).filter(Boolean).at(-1);
const count = (lines) => lines.filter(({ type }) => type !== 'gap').length;
const isFull = (lines) => count(lines) === LIMIT;

// The same as LiveComments, of a recording: what it has in common is how it asks, waits, and stops while the page is frozen.
export class Replay extends LiveComments {
  constructor(options) {
    super({ ...options, share: false });
  }

  async comments({ after, limit = 50 } = {}) {
    const lines = await readLines(this, { after, limit });
    return { videoid: this._options.video, comments: lines.filter(isComment).map(({ t, ...comment }) => comment), more: count(lines) === limit };
  }

  _start() {
    if (this.state.name !== 'refused') this._stream ??= new Reel(this);
  }
  _setState(state) {
    if (JSON.stringify(state) === JSON.stringify(this.state)) return;
    if (state.name === 'refused') this._stop();
    this.state = state;
    this._tell('onState', state);
  }
}

// How long the comments of a video go on after its start, in ms; 0 if there are none. `live` is any client of it. Looks for the
// last one by asking, a few times, whether there are some after a moment.
export async function lengthOf(live) {
  let length = 0, over = LONGEST_MS, step = 0;
  while (over - length > STEP_MS) {
    const from = over < LONGEST_MS ? Math.floor((length + over) / 2) : Math.min(length + step, over - 1);
    const lines = await readLines(live, { from_ms: from, limit: 50 }).catch((error) => {
      if (error.status === 404) return [];
      throw error;
    });
    const end = lines.find(({ type }) => type === 'end');
    if (end) return end.t;
    const found = lines.filter(isComment).at(-1); // deletions may come long afterwards
    if (found) length = Math.max(from, found.t);
    else over = from;
    step = step ? step * GROWTH : 64 * STEP_MS;
  }
  return length;
}
