// The comments that wait for a moderator. One keeps its place while the list is looked at: what is decided elsewhere stays there,
// crossed out, until the pointer and the focus have left.
import { make } from '../column/dom.js';
import { authorOf, formatNumber } from '../column/text.js';

const POLL_MS = 2_000;
const SHOWN = 50;

export class Held {
  #list;
  #count;
  #note;
  #service;
  #decide;
  #items = new Map(); // by id
  #timer = 0;

  // onDecide(held, allow) resolves to whether it is decided.
  constructor(service, onDecide) {
    this.#service = service;
    this.#decide = onDecide;
    [this.#list, this.#count, this.#note] = ['held', 'waiting-count', 'held-note'].map((id) => document.getElementById(id));
    for (const name of ['pointerleave', 'focusout']) this.#list.addEventListener(name, () => setTimeout(() => this.#sweep()));
    document.addEventListener('visibilitychange', () => this.poll());
  }

  async poll() {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    this.#timer = setTimeout(() => this.poll(), POLL_MS);
    const timer = this.#timer;
    const answer = await this.#service.ask('GET', 'held').catch(() => undefined); // it stays as it is
    if (answer && timer === this.#timer) this.#show(answer.held);
  }

  // The one that has the focus, or the first.
  get focused() {
    return [...this.#items.values()].find(({ element }) => element.contains(document.activeElement));
  }
  get hasFocus() {
    return this.#list.contains(document.activeElement) || document.activeElement?.id === 'waiting';
  }
  move(by) {
    const all = [...this.#list.children].filter((element) => !element.matches('.going'));
    const at = all.findIndex((element) => element.contains(document.activeElement));
    all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]?.focus();
  }
  async decide(item, allow) {
    if (!item || item.gone) return;
    const had = item.element.contains(document.activeElement);
    this.#mark(item, true);
    if (had) this.#focusAfter(item);
    if (!(await this.#decide(item.held, allow))) this.#mark(item, false);
    this.poll();
  }

  #focusAfter({ element }) {
    const all = [...this.#list.children], at = all.indexOf(element);
    const next = all.slice(at + 1).find((other) => !other.matches('.going')) ?? all.slice(0, at).findLast((other) => !other.matches('.going'));
    (next ?? document.getElementById('waiting')).focus();
  }
  #mark(item, gone) {
    item.gone = gone;
    item.element.classList.toggle('going', gone);
    for (const button of item.element.querySelectorAll('button')) button.disabled = gone;
  }
  #sweep() {
    if (this.#list.matches(':hover, :focus-within')) return;
    for (const [id, item] of this.#items) {
      if (!item.over) continue;
      item.element.remove();
      this.#items.delete(id);
    }
  }

  #show(held) {
    const now = Date.now(), waiting = new Set(held.map(({ id }) => id));
    for (const [id, item] of this.#items) {
      if (waiting.has(id)) continue;
      item.over = true;
      this.#mark(item, true);
    }
    this.#sweep();
    for (const each of held) {
      if (!this.#items.has(each.id) && this.#items.size < SHOWN) this.#add(each);
      this.#items.get(each.id)?.showTime(now);
    }
    this.#count.textContent = held.length ? formatNumber(held.length) : '';
    const more = held.length - [...this.#items.values()].filter(({ over }) => !over).length;
    const note = held.length === 0 ? 'No comment is waiting.' : more > 0 ? `and ${formatNumber(more)} more` : '';
    if (this.#note.textContent !== note) this.#note.textContent = note;
  }
  #add(held) {
    const { comment, until, then } = held, author = authorOf(comment);
    const time = make('span.when', {});
    const button = (name, allow) => {
      const made = make('button', { type: 'button', 'aria-label': `${name} the comment of ${author}` }, name);
      made.addEventListener('click', () => this.decide(this.#items.get(held.id), allow));
      return made;
    };
    const element = make('li', { tabIndex: -1 }, make('bdi.who', {}, author), time, make('p.text', { dir: 'auto' }, comment.comment),
      make('div.row-of-buttons', {}, button('Allow', true), button('Deny', false)));
    const showTime = (now) => {
      const left = Math.max(0, Math.ceil((Date.parse(until) - now) / 1000));
      time.textContent = `${then === 'allow' ? 'shown' : 'denied'} in ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    };
    this.#items.set(held.id, { held, element, showTime });
    this.#list.append(element);
  }
}
