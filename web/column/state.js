// The head of the column: its title, the state of the stream and how many watch; and a banner where a state needs words.
import { make } from './dom.js';
import { formatNumber } from './text.js';

const SLOW_MS = 8_000;

export class StateDisplay {
  #words;
  #onRetry;
  #timer = 0;

  constructor({ words, onRetry }) {
    this.#words = words;
    this.#onRetry = onRetry;
    this.chip = make('span.state', { part: 'state', role: 'status' });
    this.count = make('span.viewers', { part: 'viewers' });
    this.header = make('div.header', { part: 'header' }, make('span.title', { part: 'title' }, words.title), this.count, this.chip);
    this.message = make('span', {});
    this.button = make('button.action', { part: 'action', type: 'button' }, words.tryAgain);
    this.button.addEventListener('click', () => this.#onRetry());
    this.banner = make('div.banner', { part: 'banner', hidden: true }, this.message, this.button);
  }

  // {name, retryInMs, error}: see chorus.js.
  show({ name, retryInMs = 0, error }) {
    clearTimeout(this.#timer);
    const words = this.#words;
    if (this.chip.textContent !== words[name]) this.chip.textContent = words[name]; // or it would be read again
    this.chip.className = `state ${name}`;
    this.banner.className = `banner ${name}`;
    this.banner.setAttribute('aria-live', name === 'refused' || name === 'ended' ? 'polite' : 'off'); // no countdown
    this.button.hidden = name !== 'refused' && name !== 'reconnecting';
    if (name === 'live' || name === 'replaying') this.#say('');
    else if (name === 'connecting') this.#saySlow();
    else if (name === 'ended') this.#say(words.endedMore);
    else if (name === 'refused') this.#say(error?.message ?? String(error ?? ''));
    else this.#countDown(performance.now() + retryInMs);
    if (name !== 'live') this.count.hidden = true;
  }
  #say(text) {
    this.message.textContent = text;
    this.banner.hidden = !text && this.button.hidden;
  }
  #saySlow() {
    this.#say('');
    this.#timer = setTimeout(() => this.#say(this.#words.slowToConnect), SLOW_MS);
  }
  #countDown(end) {
    const left = Math.max(0, end - performance.now());
    this.#say(this.#words.lost(Math.ceil(left / 1000)));
    if (left) this.#timer = setTimeout(() => this.#countDown(end), left % 1000 || 1000);
  }

  set viewers(count) {
    this.count.textContent = this.#words.watching(count, formatNumber(count));
    this.count.hidden = false;
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
