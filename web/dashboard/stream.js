// The stream of /events: keeps the samples of the last 15 minutes, also those that a restarted server no longer has. The
// browser's EventSource reconnects by itself, and each connection begins with the history, so there is no hole.

const SPAN_MS = 15 * 60_000;
const AGAIN_MS = 2_000;
const NOTICES = 200;

export class Stream {
  samples = []; // oldest first
  notices = []; // newest last
  connected = false;
  #source;

  /** Calls back: onHello(hello), onSample(sample), onNotice(notice), onHistory(), onState(connected). */
  constructor(url, callbacks) {
    Object.assign(this, { url, ...callbacks });
    this.#connect();
  }

  #connect() {
    const source = (this.#source = new EventSource(this.url));
    const on = (type, take) => source.addEventListener(type, ({ data }) => take(JSON.parse(data)));
    on('hello', (hello) => {
      this.#setConnected(true);
      this.onHello(hello);
    });
    on('history', (history) => this.#takeHistory(history));
    on('sample', (sample) => {
      this.#add([sample]);
      this.onSample(sample);
    });
    on('notice', (notice) => {
      this.notices = [...this.notices.slice(1 - NOTICES), notice];
      this.onNotice(notice);
    });
    on('gap', () => this.#again(0)); // we were too slow, and begin with the history
    source.addEventListener('error', () => {
      this.#setConnected(false);
      if (source.readyState === EventSource.CLOSED) this.#again(AGAIN_MS);
    });
  }

  #again(ms) {
    const source = this.#source;
    source.close();
    setTimeout(() => source === this.#source && this.#connect(), ms);
  }

  #setConnected(connected) {
    if (connected === this.connected) return;
    this.connected = connected;
    this.onState(connected);
  }

  #takeHistory({ fields, rows, notices }) {
    this.#add(rows.map((row) => Object.fromEntries(fields.map((field, i) => [field, row[i]]))));
    const seen = new Set(notices.map((notice) => JSON.stringify(notice)));
    this.notices = [...this.notices.filter((notice) => !seen.has(JSON.stringify(notice))), ...notices].sort((a, b) => a.at - b.at).slice(-NOTICES);
    this.onHistory();
  }

  // The newest is the last to come: what seems later is from before the server's clock was set back.
  #add(samples) {
    const end = samples.at(-1)?.at ?? Infinity;
    const all = new Map([...this.samples, ...samples].filter(({ at }) => at <= end).map((sample) => [sample.at, sample]));
    const sorted = [...all.values()].sort((a, b) => a.at - b.at);
    const from = (sorted.at(-1)?.at ?? 0) - SPAN_MS;
    this.samples = sorted.filter(({ at }) => at >= from);
  }
}
