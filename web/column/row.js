// A row of the list: a comment, or an own one on its way. All text is text, isolated from its surroundings.
import { make } from './dom.js';
import { age, authorOf, formatNumber, hueOf, idAfter, initials } from './text.js';

// Longer ones are folded, if they are then really higher than the fold.
const FOLD_CHARACTERS = 200;
const FOLD_LINES = 5;
// Comments of one author that follow each other within this time are one run, with one head.
const RUN_MS = 5 * 60_000;

export class Row {
  // stamp: a text in place of its age
  constructor(comment, { own = false, words, at = Date.parse(comment.timestamp) || Date.now(), stamp }) {
    this.comment = comment;
    this.at = at;
    this.stamp = stamp;
    this.words = words;
    const author = authorOf(comment);
    this.time = make('time.time', { part: 'time' });
    this.text = make('div.text', { part: 'text', dir: 'auto' }, comment.comment);
    this.body = make('div.body', {}, this.#head(author, own), this.text);
    this.element = make(own ? 'li.row.own' : 'li.row', { part: own ? 'row own-row' : 'row' },
      make('span.avatar', { part: 'avatar', 'aria-hidden': 'true' }, initials(author)), this.body);
    if (comment.id) this.element.dataset.id = comment.id;
    this.element.style.setProperty('--_hue', hueOf(comment.userid));
    this.author = author;
    if (comment.comment.length > FOLD_CHARACTERS || comment.comment.split('\n').length > FOLD_LINES) this.#fold();
  }

  #head(author, own) {
    const head = make('div.head', {}, make('bdi.name', { part: 'name' }, author));
    if (own) head.append(make('span.you', { part: 'you' }, this.words.you));
    head.append(this.time);
    return head;
  }

  #fold() {
    this.element.classList.add('folded');
    this.more = make('button.more', { part: 'more', type: 'button', hidden: true, 'aria-expanded': 'false' }, this.words.showMore);
    this.body.append(this.more);
  }

  // Once the row is laid out, and at another width: is there more than the fold shows?
  measure() {
    if (this.more && this.element.classList.contains('folded')) this.more.hidden = this.text.scrollHeight <= this.text.clientHeight + 1;
  }

  toggle() {
    const folded = this.element.classList.toggle('folded');
    this.more.textContent = folded ? this.words.showMore : this.words.showLess;
    this.more.setAttribute('aria-expanded', String(!folded));
  }

  // Whether it needs no head of its own below that one.
  continues(previous) {
    return previous?.comment?.userid === this.comment.userid && previous.author === this.author && Math.abs(this.at - previous.at) < RUN_MS;
  }
  set continued(yes) {
    this.element.classList.toggle('continued', yes);
  }

  showAge(now) {
    const text = this.stamp ?? age(this.at, now, this.words);
    if (text === this.time.textContent) return;
    this.time.textContent = text;
    if (this.time.title) return;
    const date = new Date(Date.parse(this.comment.timestamp) || this.at);
    this.time.dateTime = date.toISOString();
    this.time.title = date.toLocaleString();
  }
}

// An own comment that the stream has not brought yet: shown at once, then sent, or not.
export class PendingRow extends Row {
  constructor(comment, { words }) {
    super(comment, { own: true, words });
    this.status = make('div.status', { part: 'status', role: 'status' });
    this.body.append(this.status);
    this.sending();
  }

  #show(state, ...children) {
    this.element.classList.remove('sending', 'sent', 'failed');
    this.element.classList.add(state);
    this.status.replaceChildren(...children);
  }
  sending(text = this.words.sending) {
    this.#show('sending', text);
  }
  sent() {
    this.#show('sent');
  }
  // actions: {again(), edit(), discard()}
  failed(reason, { again, edit, discard }) {
    const button = (text, act) => {
      const element = make('button.action', { part: 'action', type: 'button' }, text);
      element.addEventListener('click', act);
      return element;
    };
    const { sendAgain, edit: editWord, discard: discardWord, notSent } = this.words;
    this.#show('failed', make('span.reason', {}, notSent(reason)), button(sendAgain, again), button(editWord, edit), button(discardWord, discard));
  }
}

// Where comments are missing: says how many, and can load them if the server still has them.
export class GapRow {
  constructor(gap, { words, onLoad, onLast }) {
    this.gap = gap;
    this.onLast = onLast;
    this.words = words;
    this.label = make('span', {}, this.#text());
    this.element = make('li.gap', { part: 'gap' }, this.label);
    if (gap.reason === 'expired' || gap.missed === null || !gap.from) return;
    this.button = make('button.action', { part: 'action', type: 'button' }, words.load(gap.missed));
    this.button.addEventListener('click', () => this.#load(onLoad));
    this.element.append(this.button);
  }

  #text() {
    const { missed, reason } = this.gap;
    if (missed === null || missed === undefined) return this.words.missedSome;
    const text = this.words.missed(missed, formatNumber(missed));
    return reason === 'expired' ? `${text}, ${this.words.notKept}` : text;
  }

  async #load(onLoad) {
    if (this.loading) return;
    this.loading = true; // a disabled button would lose the focus
    this.button.setAttribute('aria-disabled', 'true');
    this.button.textContent = this.words.loading;
    try {
      await onLoad(this);
    } catch {
      this.button.textContent = this.words.tryAgain;
    } finally {
      this.loading = false;
      this.button.removeAttribute('aria-disabled');
    }
  }

  // Some came back; more: the next can be loaded. Returns whether some are still missing.
  filled(comments, more) {
    const { missed } = this.gap, last = comments.at(-1)?.comment.id;
    const left = missed - comments.length;
    if (left <= 0) return false;
    const rest = more && last ? { from: idAfter(last) } : { reason: 'expired' };
    this.gap = { ...this.gap, ...rest, missed: left };
    this.label.textContent = this.#text();
    this.button.textContent = this.words.load(left);
    if (this.gap.reason === 'expired') {
      this.button.remove();
      this.onLast();
    }
    return true;
  }
  set continued(_) {}
  showAge() {}
  measure() {}
}
