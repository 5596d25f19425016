// What was done, by whom, and when: GET /videos/ID/audit, where the server has it.
import { make } from '../column/dom.js';

const POLL_MS = 5_000;
const SHOWN = 200;

const SENTENCES = {
  retract: ({ target }) => `deleted the comment ${target}`,
  pin: ({ target }) => (target ? `pinned the comment ${target}` : 'unpinned'),
  ban: ({ userid, seconds, shadow }) => `${seconds ? `timed out ${userid} for ${spanOf(seconds)}` : `banned ${userid}`}${shadow ? ', unnoticed' : ''}`,
  lift: ({ userid }) => `lifted the ban of ${userid}`,
  purge: ({ userid }) => `deleted all comments of ${userid}`,
  allow: ({ userid }) => `allowed a comment of ${userid}`,
  deny: ({ userid }) => `denied a comment of ${userid}`,
  room: ({ set }) => `set ${Object.entries(set ?? {}).map(([name, value]) => `${name} to ${JSON.stringify(value)}`).join(', ')}`,
  start: () => 'started the video',
  end: () => 'ended the video',
};

export function spanOf(seconds) {
  for (const [size, one, many] of [[86_400, 'day', 'days'], [3_600, 'hour', 'hours'], [60, 'minute', 'minutes']])
    if (seconds >= size && seconds % size === 0) return `${seconds / size} ${seconds === size ? one : many}`;
  return `${seconds} s`;
}

const sentenceOf = (entry) => (Object.hasOwn(SENTENCES, entry.what) ? SENTENCES[entry.what](entry) : entry.what);

export class Audit {
  #service;
  #panel = document.getElementById('audit');
  #list = document.getElementById('done');
  #note = document.getElementById('audit-note');
  #shown = '';
  #timer = 0;

  constructor(service) {
    this.#service = service;
    document.addEventListener('visibilitychange', () => this.poll());
  }

  // Whether there is one.
  async exists() {
    return this.#service.ask('GET', 'audit').then((answer) => this.#show(answer), ({ status }) => status !== 404);
  }

  async poll() {
    clearTimeout(this.#timer);
    if (document.hidden || this.#panel.hidden) return;
    const timer = (this.#timer = setTimeout(() => this.poll(), POLL_MS));
    const answer = await this.#service.ask('GET', 'audit').catch(() => undefined);
    if (answer && timer === this.#timer) this.#show(answer);
  }

  #show({ audit }) {
    const text = JSON.stringify(audit);
    if (text !== this.#shown) this.#list.replaceChildren(...audit.slice(0, SHOWN).map((entry) => this.#item(entry)));
    this.#shown = text;
    this.#note.textContent = audit.length ? '' : 'Nothing yet.';
    return true;
  }
  #item(entry) {
    const at = new Date(entry.timestamp);
    return make('li', {}, make('time.when', { datetime: entry.timestamp, title: at.toLocaleString() }, at.toLocaleTimeString()), ' ',
      make('bdi.who', {}, entry.by ?? 'a service'), ' ', make('bdi', {}, sentenceOf(entry)));
  }
}
