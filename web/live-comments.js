// <live-comments video="launch">: the comments of a live video, and where to write one. Two lines embed it in any page:
//
//   <script type="module" src="https://comments.example.org/live-comments.js"></script>
//   <live-comments video="launch"></live-comments>
//
// Attributes, all of which may change at any time:
//   video     the video's id
//   server    the comment API's address; by default where this file came from
//   user      the user's id; by default the token's, or one is made, and kept in localStorage
//   name      the name to show; by default the user chooses it in the column
//   history   how many comments to show on arrival (50)
//   readonly  without a field to write in
//   everything  shows all comments, not only as many as can be read
//   theme     light, dark or auto (as the system is); by default as the `color-scheme` of the page around it
//   replay    instead of the live comments those of a recording: the id of its <video>; or empty, with the property clock
//   offset-ms when the recording begins, in ms after the video's `start` (0)
//   archive   the address of the archive to replay from; by default the server's
// Properties: the same; clock, what a replay goes by (anything with currentTime in s); still, while which nothing that comes moves what is shown; and token (a string, or a function that returns or promises one), words (what it says, column/words.js),
// state, viewers, pinned, and live, the client (chorus.js). post(text) sends a comment as if it had been typed; find(id) is one that is
// shown, or waits to be.
// Events: comment {comment, own, replayed}, entry {type: retract, purge or pin, ...}, state {name, ...}, gap {missed, ...},
// viewers {viewers}, room {room}; each in event.detail.
import { LiveComments } from './chorus.js';
import { Announcer } from './column/announcer.js';
import { Composer } from './column/composer.js';
import { make } from './column/dom.js';
import { keepName, ownName, ownUserId, userOfToken } from './column/identity.js';
import { CommentList } from './column/list.js';
import { Outbox } from './column/outbox.js';
import { Hearts } from './column/hearts.js';
import { Pinned } from './column/pinned.js';
import { ReadableRate } from './column/rate.js';
import { StateDisplay } from './column/state.js';
import { columnStyle } from './column/style.js';
import { fitName, idAfter, position } from './column/text.js';
import { WORDS } from './column/words.js';

const TEXTS = ['video', 'server', 'user', 'name', 'theme', 'history', 'replay', 'archive', 'offsetMs'];
const PROPERTIES = [...TEXTS, 'readonly', 'token', 'words', 'clock'];
const HISTORY = 50;
const LOAD_AT_ONCE = 200;
// Importing it where there is no document, as server-side rendering does, must not fail.
const Base = globalThis.HTMLElement ?? class {};

export class LiveCommentsElement extends Base {
  static observedAttributes = ['video', 'server', 'user', 'name', 'history', 'readonly', 'everything', 'replay', 'offset-ms', 'archive'];
  #token;
  #tokenUser; // as of the newest token
  #words = WORDS;
  #parts; // while it is in a document
  #live;
  #due = false;
  #draft = ''; // what is typed survives a change of video
  #state = { name: 'connecting' };
  #viewers;
  #still = false;
  #clock;

  constructor() {
    super();
    this.attachShadow({ mode: 'open', delegatesFocus: false }).adoptedStyleSheets = [columnStyle()];
  }

  // Moving the element within a page does not interrupt it: what is to be done is done at the end of the turn.
  connectedCallback() {
    for (const name of PROPERTIES) this.#adopt(name);
    this.#later();
  }
  disconnectedCallback() {
    this.#later();
  }
  attributeChangedCallback(name, before, now) {
    if (before === now || !this.#parts) return;
    if (name === 'readonly') this.#showComposer();
    else if (name === 'everything') this.#reconnect();
    else if (name === 'name') this.#setAuthor();
    else if (name !== 'history') this.#later({ again: true });
  }
  #again = false;
  #later({ again = false } = {}) {
    this.#again ||= again;
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (!this.isConnected || this.#again) this.#stop();
      this.#again = false;
      if (this.isConnected && !this.#parts) this.#start();
    });
  }

  // What a page has set before this script was loaded hides the property.
  #adopt(name) {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    this[name] = value;
  }

  // Another string of the same user counts from the next request on.
  get token() {
    return this.#token;
  }
  set token(token) {
    const is = (value) => (value?.call ? 'a function' : userOfToken(value));
    const same = is(this.#token) === is(token) && Boolean(this.#token) === Boolean(token);
    this.#token = token;
    if (this.#parts && !same) this.#later({ again: true });
    else if (this.#parts && this.#state.name === 'refused') this.#reconnect();
  }
  get words() {
    return this.#words;
  }
  set words(some) {
    this.#words = { ...WORDS, ...some };
    if (this.#parts) this.#later({ again: true });
  }
  get clock() {
    return this.#clock;
  }
  set clock(clock) {
    this.#clock = clock;
    if (this.#parts && this.hasAttribute('replay')) this.#later({ again: true });
  }
  get state() {
    return this.#state;
  }
  get viewers() {
    return this.#viewers;
  }
  get live() {
    return this.#live;
  }
  get pinned() {
    return this.#parts?.pinned.id ?? null;
  }
  get still() {
    return this.#still;
  }
  set still(yes) {
    yes = Boolean(yes);
    if (yes === this.#still) return;
    this.#still = yes;
    if (this.#parts) this.#parts.list.still = yes;
  }
  get userid() {
    return this.getAttribute('user') || this.#tokenUser || ownUserId();
  }
  get #history() {
    return this.hasAttribute('history') ? Number(this.getAttribute('history')) || 0 : HISTORY;
  }
  get authorName() {
    return this.hasAttribute('name') ? fitName(this.getAttribute('name')) : fitName(ownName(this.userid, this.#words));
  }

  find(id) {
    return this.#parts?.list.find(id);
  }

  // Whether it is on its way: not without a client, nor while the same text is.
  post(text) {
    return Boolean(this.#live) && this.#parts.outbox.send(text, { userid: this.userid, name: this.authorName || undefined });
  }

  #start() {
    this.#tokenUser = undefined;
    this.#draw();
    this.#setAuthor();
    this.#connect();
  }

  #draw() {
    const words = this.#words;
    const list = new CommentList(words);
    const composer = new Composer({ words, onSend: (text) => this.post(text), onName: (name) => this.#rename(name), onReact: () => this.#live?.react('heart') });
    const outbox = new Outbox({
      list, words,
      client: () => this.#live,
      onEdit: (text) => composer.edit(text),
      onLimit: (ms, text) => {
        composer.limit(ms);
        return composer.restore(text);
      },
    });
    const state = new StateDisplay({ words, onRetry: () => {
      list.focus();
      this.#reconnect();
    } });
    const sample = make('div.sample', { part: 'sample', hidden: true });
    const announcer = new Announcer(words);
    const pinned = new Pinned(words), hearts = new Hearts();
    this.#parts = { list, composer, outbox, state, sample, announcer, pinned, hearts, rate: new ReadableRate() };
    composer.restore(this.#draft);
    this.shadowRoot.replaceChildren(state.header, state.banner, pinned.element, list.element, hearts.element, sample, composer.element, announcer.element);
    list.start();
    if (this.#still) list.still = true;
    this.#showComposer();
    this.#parts.timer = setInterval(() => this.#showSample(), 1_000);
  }

  #stop() {
    this.#live?.close();
    this.#live = undefined;
    if (!this.#parts) return;
    const { list, composer, outbox, state, announcer, timer } = this.#parts;
    clearInterval(timer);
    this.#draft = composer.text;
    for (const part of [list, composer, outbox, state, announcer]) part.stop();
    this.#parts = undefined;
    this.#viewers = undefined;
  }

  // Now, and from where it was: what is shown stays.
  #reconnect() {
    const since = this.#live?.position;
    this.#live?.close();
    this.#live = undefined;
    this.#tokenUser = undefined;
    this.#connect(since);
  }

  #connect(since) {
    const video = this.getAttribute('video');
    if (!video) return this.#onState({ name: 'refused', error: this.#words.noVideo });
    const server = this.getAttribute('server') || new URL('.', import.meta.url).href;
    const history = this.#history;
    this.#onState({ name: 'connecting' });
    if (!this.#knowsUser()) return this.#askToken(since);
    if (!isAddress(server)) return this.#onState({ name: 'refused', error: this.#words.noAddress(server) });
    if (isMixed(server)) return this.#onState({ name: 'refused', error: this.#words.mixedContent(server) });
    if (this.hasAttribute('replay')) return this.#replay({ server, video, history });
    this.#join(LiveComments, { server, video, history, since, name: this.authorName || undefined, viewers: true, everything: this.hasAttribute('everything') });
  }

  async #replay(options) {
    const parts = this.#parts, clock = this.#clock ?? this.getRootNode().getElementById(this.getAttribute('replay'));
    if (!clock) return this.#onState({ name: 'refused', error: this.#words.noClock });
    const module = await import('./replay.js').catch((error) => this.#onState({ name: 'refused', error }));
    if (!module || this.#parts !== parts || this.#live) return;
    const server = this.getAttribute('archive') || options.server, offsetMs = Number(this.getAttribute('offset-ms')) || 0;
    this.#join(module.Replay, { ...options, server, clock, offsetMs, onSeek: () => this.#clear() });
  }
  #clear() {
    this.#parts.list.clear();
    this.#pin(null);
  }

  #join(Client, options) {
    try {
      this.#live = new Client({
        ...options, user: this.userid, token: this.#token && (() => this.#askForToken()),
        onComment: (comment, info) => this.#onComment(comment, info),
        onEntry: (entry) => this.#onEntry(entry),
        onGap: (gap) => this.#onGap(gap),
        onState: (state) => this.#onState(state),
        onViewers: (viewers) => this.#onViewers(viewers),
        onRoom: (room) => this.#onRoom(room),
      });
    } catch (error) {
      this.#onState({ name: 'refused', error }); // an id that cannot be one
    }
  }

  #askForToken() {
    return this.#token?.call ? this.#token() : this.#token;
  }
  #knowsUser() {
    return this.hasAttribute('user') || this.#tokenUser !== undefined || !this.#token;
  }
  // Who a token is of decides which comments are own ones.
  async #askToken(since) {
    const parts = this.#parts;
    const token = await (async () => this.#askForToken())().catch(() => undefined);
    if (this.#parts !== parts || this.#live) return;
    this.#tokenUser = userOfToken(token) ?? '';
    this.#setAuthor();
    this.#connect(since);
  }

  #onComment(comment, { own = false, replayed = false, at } = {}) {
    const { list, outbox, rate, announcer } = this.#parts;
    const pending = outbox.take(comment, own);
    if (comment.more && !replayed) rate.leftOut(performance.now(), comment.more);
    // What would fly by unread is left out; what came while one was away, or looked elsewhere, is not.
    const shown = !list.following || document.hidden || replayed || this.hasAttribute('everything') || rate.take(performance.now(), own);
    const stamp = at === undefined ? undefined : position(at);
    if (shown) list.add(comment, { own, pending, stamp, at: replayed || stamp ? undefined : Date.now() });
    if (!own && !replayed && shown) announcer.add(comment);
    this.#fire('comment', { comment, own, replayed, at });
  }

  // What moderators have done. A comment of which the text was not yet there has come without it.
  #onEntry(entry) {
    const { list, pinned } = this.#parts, { type, target, userid } = entry;
    const matches = type === 'retract' ? ({ id }) => id === target : type === 'purge' && ((comment) => comment.userid === userid);
    if (matches) {
      list.takeOff(matches);
      pinned.takeOff(matches);
    }
    if (type === 'pin') this.#pin(target, entry.id);
    this.#fire('entry', entry);
  }
  async #pin(id, after) {
    const { list, pinned } = this.#parts;
    if (!pinned.choose(id, after)) return;
    const known = id && (list.find(id) ?? (await this.#live.comments({ after: idAfter(id, -1), limit: 1 }).catch(() => ({}))).comments?.[0]);
    if (pinned.id === id) pinned.show(known?.id === id ? known : undefined);
  }

  #onGap(gap) {
    this.#parts.list.addGap(gap, (missing) => this.#load(missing));
    this.#fire('gap', gap);
  }
  // The first of what is missing, as far as it is still kept.
  async #load({ from, to }) {
    const { comments, more } = await this.#live.comments({ after: idAfter(from, -1), before: idAfter(to), limit: LOAD_AT_ONCE });
    return { comments: comments.map((comment) => ({ comment, own: comment.userid === this.userid })), more };
  }

  #onState(state) {
    this.#state = state;
    const { composer, state: display } = this.#parts;
    display.show(state);
    composer.closed = state.name === 'ended' || state.name === 'refused';
    if (state.name === 'ended' && !this.#live?.position && !this.hasAttribute('replay')) this.#showLast();
    this.#fire('state', state);
  }

  // It was over before there was a stream.
  async #showLast() {
    const parts = this.#parts, history = this.#history;
    await null; // the client may still be being made
    const live = this.#live, answer = (asked) => asked?.catch(() => undefined);
    const [page, room] = await Promise.all([
      answer(history ? live?.comments({ limit: Math.min(history, LOAD_AT_ONCE) }) : undefined), answer(live?.room()),
    ]);
    if (this.#parts !== parts || this.#state.name !== 'ended') return;
    for (const comment of page?.comments ?? []) this.#onComment(comment, { own: comment.userid === this.userid, replayed: true });
    if (room) this.#onRoom({ type: 'room', ...room });
  }

  #onRoom(room) {
    if (room.type === 'reactions') this.#parts.hearts.burst(room.reactions);
    if (room.type !== 'room') return;
    this.#parts.composer.room = room;
    if (room.pinned !== undefined) this.#pin(room.pinned, room.after); // an earlier server does not say it
    this.#fire('room', { room });
  }

  #onViewers(viewers) {
    this.#viewers = viewers;
    this.#parts.state.viewers = viewers;
    this.#fire('viewers', { viewers });
  }

  #fire(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #showComposer() {
    this.#parts.composer.element.hidden = this.hasAttribute('readonly') || this.hasAttribute('replay');
  }
  #setAuthor() {
    const name = this.authorName;
    this.#parts.composer.setAuthor({ userid: this.userid, name }, { fixed: this.hasAttribute('name') });
    if (this.#live) this.#live.name = name || undefined;
  }
  #rename(name) {
    keepName(this.userid, name);
    this.#setAuthor();
  }

  #showSample() {
    const { sample, list, rate } = this.#parts;
    const some = list.following && rate.sample(performance.now());
    sample.hidden = !some;
    list.busy = Boolean(some);
    if (some) sample.textContent = this.#words.sample(some.shown, some.all);
  }
}

for (const name of TEXTS) {
  const attribute = name === 'offsetMs' ? 'offset-ms' : name;
  Object.defineProperty(LiveCommentsElement.prototype, name, {
    get() {
      return this.getAttribute(attribute) ?? '';
    },
    set(value) {
      if (value === null || value === undefined) this.removeAttribute(attribute);
      else this.setAttribute(attribute, value);
    },
    enumerable: true,
    configurable: true,
  });
}
Object.defineProperty(LiveCommentsElement.prototype, 'readonly', {
  get() {
    return this.hasAttribute('readonly');
  },
  set(yes) {
    this.toggleAttribute('readonly', Boolean(yes));
  },
  enumerable: true,
  configurable: true,
});

function isAddress(server) {
  try {
    return Boolean(new URL(server, location.href));
  } catch {
    return false;
  }
}

// Browsers make an exception for the machine itself.
function isMixed(server) {
  const { protocol, hostname } = new URL(server, location.href);
  return location.protocol === 'https:' && protocol === 'http:' && !/^(localhost|127\.[\d.]+|\[::1\]|.*\.localhost)$/.test(hostname);
}

if (globalThis.customElements && !customElements.get('live-comments')) customElements.define('live-comments', LiveCommentsElement);
