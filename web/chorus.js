// Live comments of Chorus, wherever there is fetch. Reference and types: clients/js.
//
// LiveComments keeps the position, drops what was shown before, and posts. A Stream is one connection after another to
// the reader that has the video.

const HEARTBEAT_MS = 15_000;
const PATIENCE_MS = 10_000; // for an answer
const POST_MS = 20_000; // for all attempts at a comment
const EAGER_MS = 5_000; // until then the pauses do not grow: a dead reader is replaced within seconds
const STABLE_MS = 10_000; // a stream this long ends the backoff
const PAUSE_MAX_MS = 30_000;
const REFUSALS = [400, 401, 403, 410, 422];
const TRANSIENT = [0, 408, 502, 503, 504]; // 0: no answer
const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])$/;
const POSITION = /^\d+-\d+$/; // epoch and number, which counts up by one from 1

export class ChorusError extends Error {
  name = 'ChorusError';
  constructor(message, status = 0, code = 'unreachable', retryAfterMs) {
    super(message);
    Object.assign(this, { status, code, retryAfterMs });
  }
}

async function errorOf(response) {
  const { status, headers } = response, { error, code } = await response.json().catch(() => ({}));
  return new ChorusError(error ?? `HTTP ${status}`, status, code ?? `http_${status}`, headers.get('retry-after') * 1000 || undefined);
}

// How far a position is from another one, in epochs and numbers.
const distance = (a, b) => {
  const [epoch, number] = a.split('-'), [epochB, numberB] = b.split('-');
  return [epoch - epochB, number - numberB];
};
const isAfter = (a, b) => {
  const [epochs, numbers] = distance(a, b);
  return (epochs || numbers) > 0;
};
// The gap after a position, up to another.
const gapOf = (after, to, reason) => {
  const [epoch, number] = after.split('-'), [epochs, missed] = distance(to, after);
  return { type: 'gap', from: `${epoch}-${+number + 1}`, to, missed: epochs ? null : missed, reason };
};
const queryOf = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value));

// Returns a function that takes the bytes of an event stream and calls onEvent({type, data, id}) for each event:
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
function eventReader(onEvent, onRetry) {
  const decoder = new TextDecoder(); // drops a byte order mark
  let rest = '', afterCr = false, type = '', data = '', id;
  const onLine = (line) => {
    const [, field, value] = line.match(/^([^:]*):? ?(.*)$/s);
    if (field === 'data') data += value + '\n';
    if (field === 'event') type = value;
    if (field === 'id' && POSITION.test(value)) id = value;
    if (field === 'retry' && /^\d+$/.test(value)) onRetry(+value);
    if (line) return;
    if (data || id) onEvent({ type, data: data.slice(0, -1), id });
    type = data = '';
    id = undefined;
  };
  return (bytes) => {
    const text = decoder.decode(bytes, { stream: true });
    if (!text) return;
    const lines = (rest + (afterCr && text[0] === '\n' ? text.slice(1) : text)).split(/\r\n?|\n/);
    afterCr = text.endsWith('\r');
    rest = lines.pop();
    lines.forEach(onLine);
    if (rest.length + data.length > 1e6) throw new Error('An event has no end.');
  };
}

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

  // Each attempt asks the reader; and before it which reader has the video, if this one has failed twice.
  async run() {
    const { live } = this, { now, random } = live._env;
    let reader, asked = 0, refused = 0, pauses = 0, lost = now(), endedAt = null;
    this.retry = 1500;
    while (!this.closed) {
      const controller = (this.controller = new AbortController());
      let asking, opened, error, response;
      try {
        if (!reader || asked > 1) {
          const found = await live._resolve(controller);
          if (found !== reader) asked = 0;
          reader = found;
        }
        asking = ++asked;
        response = await live._request(`${reader}/connect?${live._connectQuery()}`, { controller });
        if (response.redirected) {
          reader = response.url.split('/connect?')[0];
          asked = 0;
        }
        if (response.status === 204) return live._setState({ name: 'ended' });
        if (response.status !== 200) throw await errorOf(response);
        opened = now();
        asked = refused = 0;
        await this.read(response.body.getReader());
        // The video is over. As some proxies end what was cut, this is asked once more.
        if (endedAt === live.position) return live._setState({ name: 'ended' });
        endedAt = live.position;
      } catch (e) {
        error = e;
      }
      controller.abort();
      if (this.closed) return;
      if (REFUSALS.includes(error?.status)) {
        if ((!asking && error.status !== 401) || ++refused > 1) return live._setState({ name: 'refused', code: error.code, error });
        if (!response?.redirected) reader = undefined; // else asked directly, with the token that a redirect drops
      }
      if (now() - opened > STABLE_MS) {
        lost = now();
        pauses = 0;
      }
      const most = now() - lost < EAGER_MS ? this.retry / 1.5 : Math.min(this.retry * 2 ** ++pauses, PAUSE_MAX_MS);
      const retryInMs = random() * most + Math.min(error?.retryAfterMs ?? 0, PAUSE_MAX_MS);
      live._setState({ name: 'reconnecting', retryInMs, code: error?.code, error });
      this.due = now() + retryInMs;
      await live._pause(retryInMs, (hurry) => (this.hurry = hurry));
    }
  }

  // Returns at the end of the stream; throws if it is cut, or silent for too long.
  async read(reader) {
    const { live } = this;
    const take = eventReader((event) => this.closed || live._take(event), (ms) => (this.retry = ms));
    for (;;) {
      const { done, value } = await live._timed(2.5 * live._heartbeat, this.controller, () => reader.read());
      if (done || this.closed) return;
      take(value);
    }
  }
}

export class LiveComments {
  state = { name: 'connecting' };
  _heartbeat = HEARTBEAT_MS;
  _posts = new Map(); // what has not been taken yet
  _holes = []; // numbers that were passed over, as [after, before]

  constructor({ server = new URL('.', import.meta.url), env, ...options }) {
    this._options = options;
    this._server = new URL(server, globalThis.location?.href).href.replace(/\/*$/, '/');
    this._env = {
      fetch: (...args) => (options.fetch ?? fetch)(...args),
      now: () => performance.now(),
      random: Math.random,
      setTimeout: (...args) => setTimeout(...args),
      clearTimeout: (timer) => clearTimeout(timer),
      page: globalThis.window,
      ...env,
    };
    this.name = options.name; // of what is posted from now on
    this.position = POSITION.test(options.since) ? options.since : undefined;
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
    const { user: userid, video: videoid } = this._options, { name } = this;
    const json = { userid, videoid, comment, name }, text = JSON.stringify(json), posts = this._posts;
    if (!posts.has(text)) posts.set(text, { key: Date.now().toString(36) + this._env.random().toString(36).slice(2) });
    const post = posts.get(text);
    return (post.sending ??= this._send(json, post.key)
      .finally(() => (post.sending = undefined))
      .then((taken) => posts.delete(text) && taken));
  }

  comments(query = {}) {
    return this._ask(`videos/${encodeURIComponent(this._options.video)}/comments?${queryOf(query)}`);
  }

  _start() {
    if (!['ended', 'refused'].includes(this.state.name)) this._stream ??= new Stream(this);
  }

  _stop() {
    this._stream?.close();
    this._stream = undefined;
  }

  _tell(callback, ...args) {
    try {
      this._options[callback]?.(...args);
    } catch (error) {
      Promise.reject(error); // reported, and the stream goes on
    }
  }

  _setState(state) {
    this.state = state;
    this._tell('onState', state);
  }

  _pause(ms, onTimer) {
    return new Promise((resolve) => {
      const timer = this._env.setTimeout(resolve, ms);
      onTimer?.(() => resolve(this._env.clearTimeout(timer)));
    });
  }

  _timed(ms, controller, begin) {
    const timer = this._env.setTimeout(() => controller.abort(new ChorusError(`Nothing came for ${ms / 1000} s.`, 0, 'timeout')), ms);
    return begin().finally(() => this._env.clearTimeout(timer));
  }

  // Again if the answer is lost; with the key, so that it is stored once.
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

  // The JSON of an answer of the comment API.
  async _ask(path, options) {
    const read = async (response) => {
      if (!response.ok) throw await errorOf(response);
      return response.json();
    };
    try {
      return await this._request(this._server + path, options, read);
    } catch (error) {
      throw error instanceof ChorusError ? error : new ChorusError(`${this._server} cannot be reached: ${error.message}`);
    }
  }

  async _request(url, { json, headers, controller = new AbortController() } = {}, read = (response) => response) {
    const { token } = this._options, value = typeof token === 'function' ? await token() : token;
    headers = { ...headers, ...(json && { 'content-type': 'application/json' }), ...(value && { authorization: `Bearer ${value}` }) };
    const init = { method: json ? 'POST' : 'GET', body: JSON.stringify(json), headers, signal: controller.signal, cache: 'no-store' };
    return this._timed(PATIENCE_MS, controller, async () => read(await this._env.fetch(url, init)));
  }

  // Returns the address of the reader that has the video.
  async _resolve(controller) {
    const { readerUrl, publicUrl = readerUrl } = await this._ask('register', { json: { videoid: this._options.video }, controller });
    const url = new URL(publicUrl), { hostname } = new URL(this._server);
    if (LOOPBACK.test(url.hostname) && !LOOPBACK.test(hostname)) url.hostname = hostname; // on the comment API's machine
    return url.href.replace(/\/*$/, '');
  }

  // The position is in the query, where it needs no preflight.
  _connectQuery() {
    const { user, video, history, viewers } = this._options, last_event_id = this.position;
    return queryOf({ userid: user, videoid: video, heartbeat: HEARTBEAT_MS / 1000, events: viewers && 'viewers', history: !last_event_id && history, last_event_id });
  }

  _take({ type, data, id }) {
    const { position } = this;
    let json = {};
    try {
      json = JSON.parse(data);
    } catch {} // it only moves the position
    if (json.type === 'connected') {
      this._heartbeat = Math.max(json.heartbeatMs ?? 0, HEARTBEAT_MS);
      this._newest = json.newest;
      if (!position || isAfter(id, position)) this.position = id;
      if (position && isAfter(id, position)) this._tell('onGap', gapOf(position, id, 'lost'));
      return this._setState({ name: 'live' });
    }
    if (id && position) {
      const [epochs, numbers] = distance(id, position);
      if ((epochs || numbers) <= 0) return this._late(id);
      if (type !== 'gap' && (epochs || numbers > 1)) this._holes = [[position, id], ...this._holes].slice(0, 20);
    }
    this.position = id ?? position;
    if (type === 'gap') this._tell('onGap', position && isAfter(position, json.from) ? gapOf(position, json.to, json.reason) : json);
    if (type === 'viewers') this._tell('onViewers', json.viewers);
    const replayed = !!(id && this._newest) && !isAfter(id, this._newest);
    if (!type && json.userid) this._tell('onComment', json, { own: json.userid === this._options.user, replayed });
    return true;
  }

  // An event that was shown; or passed over, and is now missed.
  _late(id) {
    const hole = this._holes.find(([after, before]) => isAfter(id, after) && isAfter(before, id));
    if (!hole) return false;
    this._holes.splice(this._holes.indexOf(hole), 1);
    const [epoch, number] = hole[1].split('-');
    this._tell('onGap', gapOf(hole[0], `${epoch}-${number - 1}`, 'order'));
    return true;
  }
}
