// The list of comments: at most MAX_ROWS rows, one paint per frame. It follows the newest while the reader is within FOLLOW_PX
// of the end; otherwise it stands still, counts what comes, and keeps the newest for later. So what is shown has no holes.
import { make } from './dom.js';
import { GapRow, PendingRow, Row } from './row.js';
import { formatNumber } from './text.js';

const MAX_ROWS = 200;
const FOLLOW_PX = 70;
const HOLD_MS = 300; // after a movement of wheel or finger
const AGE_MS = 5_000; // how often relative times are looked at

export class CommentList {
  #words;
  #rows = []; // in the list, oldest first
  #waiting = []; // to be painted, oldest first; at most MAX_ROWS
  #unseen = 0; // came while the list stood still
  #pending = new Set(); // own rows below the rest
  #following = true;
  #still = false;
  #places = []; // of rows that went while the list was still
  #frame = 0;
  #timer = 0;
  #heldUntil = 0;
  #top = 0;
  #width = 0;
  #resized;

  constructor(words) {
    this.#words = words;
    this.items = make('ol.rows', { part: 'rows' });
    this.own = make('ol.rows.own-rows', { part: 'rows', hidden: true });
    this.empty = make('div.empty', { part: 'empty' }, make('strong', {}, words.empty), make('span', {}, words.emptyInvitation));
    // Read aloud is what the announcer picks (announcer.js): everything would be a flood.
    this.scroller = make('div.list', { part: 'list', role: 'log', 'aria-live': 'off', 'aria-label': words.title, tabIndex: 0 },
      this.empty, this.items, this.own);
    this.jump = make('button.jump', { part: 'jump', type: 'button', hidden: true });
    this.element = make('div.window', {}, this.scroller, this.jump);
    this.scroller.addEventListener('scroll', () => this.#look(), { passive: true });
    for (const name of ['wheel', 'touchmove', 'keydown'])
      this.scroller.addEventListener(name, () => (this.#heldUntil = performance.now() + HOLD_MS), { passive: true });
    this.scroller.addEventListener('click', (event) => this.#onClick(event));
    this.jump.addEventListener('click', () => {
      this.follow();
      this.focus();
    });
  }

  start() {
    this.#resized = new ResizeObserver(() => this.#onResize());
    for (const element of [this.scroller, this.items, this.own]) this.#resized.observe(element);
    this.#timer = setInterval(() => this.#showAges(), AGE_MS);
  }
  stop() {
    this.#resized?.disconnect();
    clearInterval(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  // Takes the focus of a button that disappears, which would be lost with it.
  focus() {
    this.scroller.focus({ preventScroll: true });
  }

  get following() {
    return this.#following;
  }

  // While it is still, what comes waits, as for a reader who has scrolled up, also at the end of the list.
  set still(yes) {
    this.#still = yes;
    if (!yes) {
      this.#settle();
      this.#schedule();
      return this.#look();
    }
    if (this.#following) this.#unseen = this.#waiting.filter(({ comment }) => comment).length;
    this.#following = false;
    this.#schedule();
  }

  // Takes the comments that match off the list, and those that wait to be shown.
  takeOff(matches) {
    const goes = ({ item: { comment } = {} }) => comment && matches(comment);
    const gone = this.#rows.filter(goes);
    for (const { element } of gone) {
      if (element.matches(':focus-within')) this.focus(); // it would be lost with the row
      if (this.#still) this.#keepPlace(element);
      else element.remove();
    }
    this.#rows = this.#rows.filter((row) => !goes(row));
    if (!this.#still) this.#settle();
    for (const { pending } of this.#waiting.filter((item) => goes({ item }))) this.#drop(pending);
    const waited = this.#waiting.length;
    this.#waiting = this.#waiting.filter((item) => !goes({ item }));
    this.#unseen = Math.max(0, this.#unseen - (waited - this.#waiting.length));
    this.#schedule();
  }
  #keepPlace(element) {
    const place = make('li.place', { part: 'place' }, this.#words.deleted);
    place.style.blockSize = `${element.getBoundingClientRect().height}px`;
    element.replaceWith(place);
    this.#places.push(place);
  }
  // After rows have gone.
  #settle() {
    for (const place of this.#places.splice(0)) place.remove();
    this.#rows.forEach((row, i) => (row.continued = row.continues?.(this.#rows[i - 1]) ?? false));
  }
  // One that is on the list, or waits.
  find(id) {
    return [...this.#rows.map(({ item }) => item), ...this.#waiting].find((item) => item?.comment?.id === id)?.comment;
  }

  // A comment that the stream brought. pending: the own row that it replaces.
  // at: when it came, for one that has just been posted: clocks differ. stamp: what is shown in place of its age.
  add(comment, { own = false, pending, at, stamp } = {}) {
    this.#push({ comment, own, pending, at, stamp });
  }
  // onLoad(gap): see #gapRow.
  addGap(gap, onLoad) {
    this.#push({ gap, onLoad });
  }
  #push(item) {
    this.#waiting.push(item);
    if (!this.#following && item.comment) this.#unseen++;
    if (this.#waiting.length > MAX_ROWS) this.#drop(this.#waiting.shift().pending);
    this.#schedule();
  }

  // Shows an own comment at once, and the end of the list with it.
  addPending(comment) {
    const row = new PendingRow(comment, { words: this.#words });
    this.#pending.add(row);
    this.own.append(row.element);
    this.follow();
    return row;
  }
  remove(pending) {
    this.#drop(pending);
    this.#schedule();
  }
  #drop(pending) {
    if (!pending) return;
    pending.element.remove();
    this.#pending.delete(pending);
  }

  // Too much comes to move each row.
  set busy(yes) {
    this.items.classList.toggle('busy', yes);
  }

  // Begins again, at the newest.
  clear() {
    if (this.items.matches(':focus-within')) this.focus();
    this.items.replaceChildren();
    this.#rows = [];
    this.#waiting = [];
    this.#places = [];
    if (this.#still) this.#unseen = 0;
    else this.follow();
    this.#schedule();
  }

  follow() {
    this.#following = true;
    this.#unseen = 0;
    this.#schedule();
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint() {
    if (this.#following && this.#isLeaving()) return this.#schedule();
    if (this.#following) {
      if (this.#places.length) this.#settle();
      this.#append(this.#waiting.splice(0));
      this.#restHeads();
      this.#toEnd();
      this.#following = !this.#still;
    }
    this.empty.hidden = this.#rows.length + this.#pending.size > 0;
    this.own.hidden = this.#pending.size === 0;
    this.#showJump();
  }

  #append(items) {
    if (!items.length) return;
    const now = Date.now(), added = document.createDocumentFragment(), rows = [];
    for (const { comment, own, gap, onLoad, pending, at, stamp } of items) {
      this.#drop(pending);
      const row = gap ? this.#gapRow(gap, onLoad) : new Row(comment, { own, at, stamp, words: this.#words });
      row.item = { comment, own, gap, onLoad, at, stamp };
      row.continued = row.continues?.(rows.at(-1) ?? this.#rows.at(-1)) ?? false;
      row.showAge(now);
      rows.push(row);
      added.append(row.element);
    }
    this.items.append(added);
    this.#rows.push(...rows);
    this.#prune();
    for (const row of rows) row.measure();
  }

  #prune() {
    const extra = this.#rows.splice(0, Math.max(0, this.#rows.length + this.#pending.size - MAX_ROWS));
    for (const row of extra) row.element.remove();
    if (extra.length && this.#rows.length) this.#rows[0].continued = false;
  }

  // Own rows on their way stand below the rest, and may continue its last run.
  #restHeads() {
    let previous = this.#rows.at(-1);
    const now = Date.now();
    for (const row of this.#pending) {
      row.continued = row.continues(previous);
      row.showAge(now);
      previous = row;
    }
  }

  // onLoad(gap) resolves to {comments: [{comment, own}], more}: the first of those that were missed, oldest first.
  #gapRow(gap, onLoad) {
    return new GapRow(gap, { words: this.#words, onLoad: async (row) => this.#fill(row, await onLoad(row.gap)), onLast: () => this.focus() });
  }

  // Puts what was missed in its place, and stays there: newer rows for which there is no room wait as if they had just come.
  #fill(gapRow, { comments, more }) {
    const at = this.#rows.indexOf(gapRow);
    if (at < 0) return;
    const now = Date.now();
    const rows = comments.map(({ comment, own }) => Object.assign(new Row(comment, { own, words: this.#words }), { item: { comment, own } }));
    rows.forEach((row, i) => {
      row.continued = row.continues(rows[i - 1] ?? this.#rows[at - 1]);
      row.showAge(now);
    });
    this.#following = false;
    gapRow.element.before(...rows.map(({ element }) => element));
    this.#rows.splice(at, 0, ...rows);
    const left = gapRow.filled(comments, more);
    if (!left) {
      gapRow.element.remove();
      this.#rows.splice(at + rows.length, 1);
      this.focus(); // its button had it
    }
    this.#postpone(at + rows.length + left);
    this.#prune();
    for (const row of rows) row.measure();
    this.#look();
    this.#schedule();
  }

  #postpone(from) {
    const extra = this.#rows.length - MAX_ROWS;
    if (extra <= 0) return;
    const items = this.#rows.splice(Math.max(from, MAX_ROWS)).map((row) => {
      row.element.remove();
      return row.item;
    });
    this.#waiting.unshift(...items);
    this.#waiting.splice(0, this.#waiting.length - MAX_ROWS);
  }

  #showAges() {
    const now = Date.now();
    for (const row of this.#rows) row.showAge(now);
    for (const row of this.#pending) row.showAge(now);
  }

  #toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#top = this.scroller.scrollTop;
  }

  #onResize() {
    const { clientWidth } = this.scroller;
    if (clientWidth !== this.#width) for (const row of this.#rows) row.measure();
    this.#width = clientWidth;
    if (this.#following) this.#toEnd();
  }

  // Is the reader at the end? Called when the list has scrolled, or (moved) when a row was unfolded. What only grows below
  // its reader is followed.
  #look(moved = false) {
    const { scrollTop } = this.scroller, near = this.#isNear();
    const up = scrollTop < this.#top - 1;
    this.#top = scrollTop;
    if (near && !this.#following && !this.#still) return this.follow();
    if (near || !this.#following || !(up || moved)) return;
    this.#following = false;
    this.#schedule();
  }

  #isNear() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight <= FOLLOW_PX;
  }

  // Is the reader about to scroll up, if slowly? New rows would pull the list back each time.
  #isLeaving() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return performance.now() < this.#heldUntil && scrollHeight - scrollTop - clientHeight > 1;
  }

  #showJump() {
    this.jump.hidden = this.#following || (this.#still && !this.#unseen && this.#isNear());
    const text = this.#unseen ? this.#words.newComments(this.#unseen, formatNumber(this.#unseen)) : this.#words.newest;
    if (this.jump.textContent !== text) this.jump.textContent = text;
  }

  #onClick(event) {
    const button = event.target.closest('button.more');
    if (!button) return;
    const find = (rows) => Array.prototype.find.call(rows, ({ more }) => more === button);
    (find(this.#rows) ?? find([...this.#pending])).toggle();
    this.#look(true);
  }
}
