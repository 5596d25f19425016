// Live comments of Chorus: see clients/js.

const HEARTBEAT_S = 15;
const PATIENCE_MS = 10_000;
const POST_MS = 20_000;
const EAGER_MS = 5_000; // while a reader is replaced
const STABLE_MS = 10_000; // ends the backoff
const PAUSE_MAX_MS = 30_000;
const TICK_MS = 2_000;
const OVER = ['ended', 'refused'];
const REFUSALS = [400, 401, 403, 410, 422];
const TRANSIENT = [0, 408, 502, 503, 504];
const LOOPBACK = /^(localhost|127[.\d]+|\[::1])$/;
const POSITION = /^\d+-\d+$/;

export class ChorusError extends Error {
  name = 'ChorusError';
  constructor(message, status = 0, code = 'unreachable', retryAfterMs) {
    super(message);
    Object.assign(this, { status, code, retryAfterMs });
  }
}

const asError = (error) => (error instanceof ChorusError ? error : new ChorusError('No connection: ' + error.message));

async function errorOf(response) {
  const { status, headers } = response, { error, code } = await response.json().catch(() => ({}));
  return new ChorusError(error ?? `HTTP ${status}`, status, code ?? `http_${status}`, headers.get('retry-after') * 1000 || undefined);
}

const distance = (a, b) => {
  const [epoch, number] = a.split('-'), [epochB, numberB] = b.split('-');
  return [epoch - epochB, number - numberB];
};
const isAfter = (a, b) => {
  const [epochs, numbers] = distance(a, b);
  return (epochs || numbers) > 0;
};
const step = (id, by) => id.replace(/\d+$/, (number) => +number + by);
const gapOf = (after, to, reason) => {
  const [epochs, missed] = distance(to, after);
  return { type: 'gap', from: step(after, 1), to, missed: epochs ? null : missed, reason };
};
const queryOf = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value));

class Stream {
  constructor(live) {
    this.live = live;
    this.run();
  }

  close() {
    this.closed = true;
    this.controller.abort();
    this.hurry?.();
  }

  async run() {
    const { live } = this, { now, random } = live._env;
    let reader, moved, moves = 0, asked = 0, refused = 0, pauses = 0, lost = now(), endedAt = null;
    this.retry = 1500;
    while (!this.closed) {
      const controller = (this.controller = new AbortController());
      let opened, error, response;
      try {
        if (!reader || asked > 1) {
          const found = await live._resolve(controller);
          if (found !== reader) asked = 0;
          reader = found;
        }
        asked++;
        response = await live._request(moved || reader + live._connectQuery(), { controller });
        if (moved || response.redirected) {
          reader = response.url.replace(/\?.*/, '?');
          asked = 0;
        }
        if (response.status === 204) return live._setState({ name: 'ended' });
        if (response.status !== 200) throw await errorOf(response);
        opened = now();
        asked = refused = 0;
        moved = await this.read(response.body.getReader());
        controller.abort();
        if (moved && moves++ < 20) continue; // as many as redirects
        // Over, or cut.
        if (endedAt === live.position && !(now() - opened > STABLE_MS)) return live._setState({ name: 'ended' });
        endedAt = live.position;
      } catch (e) {
        error = asError(e);
      }
      controller.abort();
      moved = moves = 0;
      if (this.closed) return;
      if (REFUSALS.includes(error?.status)) {
        if ((!response && error.status !== 401) || ++refused > 1) return live._setState({ name: 'refused', code: error.code, error: error.message });
        if (!response?.redirected) reader = undefined; // a redirect drops the token
      }
      if (now() - opened > STABLE_MS) {
        lost = now();
        pauses = 0;
      }
      const most = Math.min(this.retry * (now() - lost < EAGER_MS ? 2 / 3 : 2 ** ++pauses), PAUSE_MAX_MS);
      const crowd = this.retry > 2500 && this.retry <= PAUSE_MAX_MS + 4000;
      const retryInMs = (crowd ? this.retry : random() * most) + Math.min(error?.retryAfterMs ?? 0, PAUSE_MAX_MS);
      if (crowd) asked = this.retry = 1500; // spread by now
      if (!live._over || error) live._setState({ name: 'reconnecting', retryInMs, code: error?.code, error: error?.message });
      this.due = now() + retryInMs;
      await live._pause(retryInMs, (hurry) => (this.hurry = hurry));
    }
  }

  async read(reader) {
    const { live } = this, decoder = new TextDecoder();
    let rest = '', type = '', data = '', id = '', afterCr;
    for (;;) {
      const { done, value } = await live._timed(2.5 * live._heartbeat, this.controller, () => reader.read());
      if (done) return;
      const text = decoder.decode(value, { stream: true });
      const lines = (rest + (afterCr && text[0] === '\n' ? text.slice(1) : text)).split(/\r\n?|\n/);
      afterCr = text.endsWith('\r');
      rest = lines.pop();
      for (const line of lines) {
        const [, field, value] = line.match(/^([^:]*):? ?(.*)/s);
        if (field === 'data') data += value + '\n';
        if (field === 'event') type = value;
        if (field === 'id' && POSITION.test(value)) id = value;
        if (field === 'retry' && value >= 0) this.retry = Math.max(value, 500);
        if (line) continue;
        if (this.closed) return;
        if (type === 'move') {
          const { url, reader: base } = JSON.parse(data);
          return url ?? `${base}/connect?${live._connectQuery()}`;
        }
        if (type === 'end' && !id) throw new ChorusError('Expired.', 0, 'token');
        if (data || id) live._hear({ type, data, id });
        type = data = id = '';
      }
    }
  }
}

// The leading tab has the Stream and passes events on; one behind has its own until it has caught up.
class Tabs {
  rank = 0;
  silent = 0;
  waiting = [];

  constructor(live, name) {
    this.live = live;
    this.name = name;
    this.channel = new live._env.BroadcastChannel(name);
    this.channel.onmessage = ({ data }) => this.hear(data);
    this.say({ ask: true });
    this.elect();
    this.tick();
  }

  close() {
    this.closed = true;
    this.turn.abort();
    if (this.leading) this.say({ bye: true });
    this.channel.close();
    this.release?.();
  }

  say(message) {
    this.channel.postMessage(message);
  }

  elect(steal) {
    const { live } = this, { locks, random } = live._env;
    this.turn?.abort();
    const turn = (this.turn = new AbortController()), { signal } = turn;
    const lead = () => signal.aborted || this.lead();
    if (!locks) return live._pause(steal ? 0 : 100 + 200 * random()).then(lead);
    const again = (error) => {
      if (error?.name === 'SecurityError') live._env.locks = undefined;
      return signal.aborted || this.follow() || this.elect();
    };
    locks.request(this.name, steal ? { steal } : { signal }, lead).then(again, again);
  }

  lead() {
    const { live } = this;
    this.leading = true;
    this.waiting = [];
    this.rank = Math.max(this.rank + 1, live._env.now()) + live._env.random();
    live._stream ??= new Stream(live);
    this.greet();
    return new Promise((resolve) => (this.release = resolve));
  }

  follow() {
    if (this.leading) this.live._drop();
    this.leading = false;
    this.release?.();
    this.say({ ask: true });
  }

  greet() {
    const { rank, live: { position, state, _newest, _moments } } = this;
    if (this.leading) this.say({ rank, position, state, _newest, _moments });
  }

  hear({ ask, bye, rank, event, prev, position, state, _newest, _moments }) {
    const { live } = this;
    if (ask) {
      if (live._stream?.due < live._env.now()) live._stream.hurry(); // hidden tabs' timers are late
      return this.greet();
    }
    if (bye) return this.leading || this.elect();
    if (rank < this.rank) return this.greet();
    this.silent = 0;
    if (rank) {
      this.rank = rank;
      if (this.leading) this.follow();
      if (!live._env.locks) this.turn.abort();
      if (isAfter(_newest, live._newest)) live._newest = _newest;
      for (const type in _moments) if (_moments[type] !== live._moments[type]) live._take({ type, data: _moments[type] });
      Object.assign(this, { position, state });
    } else if (this.waiting.push({ event, prev }) > 1000) this.waiting.shift();
    if (!this.leading) this.settle();
  }

  settle() {
    const { live, waiting, position, state } = this;
    if (!position) return;
    if (!live._options.history) live.position ||= position;
    while (waiting.length && !isAfter(waiting[0].prev, live.position)) live._take(waiting.shift().event);
    if (waiting.length || isAfter(position, live.position)) {
      live._stream ??= new Stream(live);
    } else {
      live._drop();
      if (JSON.stringify(state) !== JSON.stringify(live.state)) live._setState(state);
    }
  }

  async tick() {
    while (!this.closed) {
      await this.live._pause(TICK_MS);
      if (this.closed || this.leading) continue;
      if (++this.silent === 2) this.say({ ask: true });
      if (this.silent > 2) this.elect(true);
    }
  }
}

export class LiveComments {
  state = { name: 'connecting' };
  _newest = ''; // when the stream began
  _heartbeat = HEARTBEAT_S * 1000;
  _moments = {}; // the last
  _posts = {}; // not taken yet
  _holes = []; // [after, before]

  constructor({ server = new URL('.', import.meta.url), env, ...options }) {
    this._options = options;
    this._server = new URL(server, globalThis.location?.href).href.replace(/\/*$/, '/');
    this._path = 'videos/' + encodeURIComponent(options.video);
    this._env = {
      fetch: (...args) => (options.fetch ?? fetch)(...args),
      now: () => performance.timeOrigin + performance.now(),
      random: Math.random,
      setTimeout: (...args) => setTimeout(...args),
      clearTimeout: (timer) => clearTimeout(timer),
      page: globalThis.window,
      BroadcastChannel: globalThis.window?.BroadcastChannel,
      locks: globalThis.navigator?.locks,
      ...env,
    };
    this.name = options.name;
    this.position = POSITION.test(options.since) ? options.since : '';
    const start = () => this._start(), stop = () => this._stop();
    this._listeners = Object.entries({ online: () => this._stream?.hurry?.(), pagehide: stop, freeze: stop, pageshow: start, resume: start });
    for (const listener of this._listeners) this._env.page?.addEventListener(...listener, true);
    start();
  }

  close() {
    for (const listener of this._listeners) this._env.page?.removeEventListener(...listener, true);
    this._stop();
  }

  post(comment) {
    const { _options: { user: userid, video: videoid }, name } = this;
    const posts = this._posts, json = { userid, videoid, comment, name }, text = JSON.stringify(json);
    const post = (posts[text] ??= { key: Date.now() + '-' + this._env.random() });
    return (post.sending ??= this._send(json, post.key)
      .finally(() => (post.sending = undefined))
      .then((taken) => delete posts[text] && taken));
  }

  comments(query = {}) {
    return this._ask(`${this._path}/comments?${queryOf(query)}`);
  }

  room() {
    return this._ask(this._path + '/room');
  }

  react(kind, n) {
    return this._ask(this._path + '/reactions', { json: { userid: this._options.user, kind, n } });
  }

  _start() {
    const { _options: { video, user, token, everything, share = true }, _env: { BroadcastChannel } } = this;
    if (OVER.includes(this.state.name)) return;
    try {
      if (share && BroadcastChannel) this._tabs ??= new Tabs(this, ['chorus2', this._server, video, token && user, everything && 'all'].join(' '));
    } catch {} // storage is not allowed
    if (!this._tabs) this._stream ??= new Stream(this);
  }

  _stop() {
    this._drop();
    this._tabs?.close();
    this._tabs = undefined;
  }

  _drop() {
    this._stream?.close();
    this._stream = undefined;
  }

  _tell(callback, ...args) {
    try {
      this._options[callback]?.(...args);
    } catch (error) {
      Promise.reject(error);
    }
  }

  _setState(state) {
    this.state = state;
    if (OVER.includes(state.name)) this._stop(); // other tabs ask for themselves
    this._tabs?.greet();
    this._tell('onState', state);
  }

  _pause(ms, onTimer) {
    return new Promise((resolve) => {
      const timer = this._env.setTimeout(resolve, ms);
      onTimer?.(() => resolve(this._env.clearTimeout(timer)));
    });
  }

  _timed(ms, controller, begin) {
    const timer = this._env.setTimeout(() => controller.abort(new ChorusError('Timed out.', 0, 'timeout')), ms);
    return begin().finally(() => this._env.clearTimeout(timer));
  }

  async _send(json, key) {
    const { now, random } = this._env, end = now() + POST_MS;
    for (let most = 500; ; most *= 2) {
      try {
        return (await this._ask('comment', { json, headers: { 'idempotency-key': key } })).comment;
      } catch (error) {
        const wait = random() * most + (error.retryAfterMs ?? 0);
        if (!TRANSIENT.includes(error.status) || now() + wait > end) throw error;
        await this._pause(wait);
      }
    }
  }

  async _ask(path, options, as = 'json') {
    try {
      return await this._request(this._server + path, options, async (response) => {
        if (!response.ok) throw await errorOf(response);
        return response[as]();
      });
    } catch (error) {
      throw asError(error);
    }
  }

  async _request(url, { json, headers, controller = new AbortController() } = {}, read = (response) => response) {
    const { token } = this._options, value = await (token?.call ? token() : token);
    headers = { ...headers, ...(json && { 'content-type': 'application/json' }), ...(value && { authorization: `Bearer ${value}` }) };
    const { signal } = controller, body = JSON.stringify(json);
    return this._timed(PATIENCE_MS, controller, async () => read(await this._env.fetch(url, { method: json && 'POST', body, headers, signal })));
  }

  async _resolve(controller) {
    const { readerUrl, publicUrl = readerUrl } = await this._ask('register', { json: { videoid: this._options.video }, controller });
    const url = new URL(publicUrl), { hostname, protocol } = new URL(this._server);
    if (protocol > url.protocol) return this._server + 'connect?redirect=never&'; // no mixed content
    if (LOOPBACK.test(url.hostname) && !LOOPBACK.test(hostname)) url.hostname = hostname;
    return url.href.replace(/\/*$/, '/connect?');
  }

  _connectQuery() {
    const { user, video, history, viewers, everything } = this._options, last_event_id = this.position;
    return queryOf({ userid: user, videoid: video, heartbeat: HEARTBEAT_S, events: viewers || this._tabs ? 'move,viewers,room,reactions' : 'move', history: !last_event_id && history, last_event_id, rate: everything && 'all' });
  }

  _hear(event) {
    const prev = this.position, news = this._take(event), tabs = this._tabs;
    if (!tabs?.leading) tabs?.settle();
    else if (news) tabs.say({ event, prev });
  }

  // Is it news?
  _take({ type, data, id }) {
    const { position } = this;
    let json = {};
    try {
      json = JSON.parse(data) ?? json;
    } catch {}
    if (json.type === 'connected') {
      this._heartbeat = Math.max(json.heartbeatMs ?? 0, HEARTBEAT_S * 1000);
      this._newest = json.newest ?? '';
      if (isAfter(id, position)) this.position = id;
      if (position && this.position !== position) this._tell('onGap', gapOf(position, id, 'lost'));
      return this._setState({ name: 'live' });
    }
    if (id && !(type === 'gap' && isAfter(json.from, id))) { // or the log has lost some
      if (!isAfter(id, position)) return this._late(id);
      const { missed } = gapOf(position, id);
      if (position && type !== 'gap' && missed !== 1 && !(missed - 1 <= json.more)) this._holes = [[position, id], ...this._holes].slice(0, 20);
    }
    this.position = id || position;
    if (id && (type === 'end' || type === 'start')) this._over = type === 'end';
    if (type === 'viewers' || type === 'room') this._moments[type] = data;
    if (type === 'viewers') this._tell('onViewers', json.viewers);
    else if (type === 'gap') this._tell('onGap', isAfter(position, json.from) && json.missed ? gapOf(position, id, json.reason) : json);
    else if (type) this._tell(id ? 'onEntry' : 'onRoom', json);
    if (!type && json.userid) this._tell('onComment', json, { own: json.userid === this._options.user, replayed: !!id && !isAfter(id, this._newest) });
    return true;
  }

  // Shown before, or missed.
  _late(id) {
    for (const hole of this._holes) {
      const [after, before] = hole;
      if (!isAfter(id, after) || !isAfter(before, id)) continue;
      hole[1] = after;
      this._tell('onGap', gapOf(after, step(before, -1), 'order'));
      return true;
    }
  }
}
