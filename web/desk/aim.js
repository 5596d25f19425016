// The comment that a moderator aims at: below the pointer, or focused. It carries the buttons, and while there is one, nothing
// that comes moves the list.
import { make } from '../column/dom.js';
import { authorOf } from '../column/text.js';

const CSS = `
.row { position: relative; min-block-size: 2rem; align-content: center; }
.row.continued { min-block-size: 1.75rem; }
.row.aimed { background: var(--_field); }
.row:focus-visible { outline-offset: -2px; }
.row.going .text, .row.going .name { text-decoration: line-through; opacity: .45; }
.acts { position: absolute; inset-block-start: .125rem; inset-inline-end: .5rem; display: flex; gap: 1px; border: 1px solid var(--_line);
  border-radius: 6px; background: var(--_line); overflow: clip; box-shadow: 0 1px 4px rgb(0 0 0 / .2); }
.acts button { min-block-size: 1.5rem; padding: 0 .55rem; background: var(--_background); font-size: .75rem; font-weight: 600; }
.acts button:hover { color: var(--_accent); }
.acts .grave { color: var(--_bad); }
.acts button:focus-visible { outline-offset: -2px; }
@media (pointer: coarse), (max-width: 599px) {
  .acts { position: static; grid-column: 2; justify-self: start; margin-block: .3rem; }
  .acts button { min-block-size: 2.25rem; padding-inline: .8rem; }
}`;

export class Aim {
  #comments;
  #root;
  #over; // the row below the pointer
  #focused; // the row that has the focus, or whose buttons have it
  #isOver = false;
  #kept = false;
  #bar;

  // acts: [{name, key, grave, act(comment, row)}]
  constructor(comments, acts) {
    this.#comments = comments;
    this.#root = comments.shadowRoot;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    this.#root.adoptedStyleSheets = [...this.#root.adoptedStyleSheets, sheet];
    this.#bar = make('div.acts', { role: 'toolbar' });
    for (const { name, key, grave, act } of acts) {
      const button = make(grave ? 'button.grave' : 'button', { type: 'button', 'aria-keyshortcuts': key }, name);
      button.addEventListener('click', () => this.act(act));
      this.#bar.append(button);
    }
    this.#bar.addEventListener('pointerdown', (event) => event.pointerType === 'mouse' && event.preventDefault()); // keeps the focus where it is
    this.#root.addEventListener('pointerover', (event) => event.pointerType === 'mouse' && this.#onOver(event.target));
    this.#root.addEventListener('pointerout', ({ relatedTarget }) => relatedTarget?.closest?.('.window') || this.#onOver(null));
    comments.addEventListener('pointerleave', () => this.#onOver(null));
    document.addEventListener('pointerover', ({ target }) => target === comments || this.#onOver(null)); // if what was below it has gone, it does not leave
    this.#root.addEventListener('focusin', ({ target }) => this.#onFocus(rowOf(target)));
    this.#root.addEventListener('focusout', ({ relatedTarget }) => relatedTarget && this.#root.contains(relatedTarget) || this.#onFocus(null));
    this.#root.addEventListener('click', (event) => this.#onClick(event));
    this.#root.addEventListener('keydown', (event) => this.#onKey(event));
  }

  get row() {
    return [this.#over, this.#focused].find((row) => row?.isConnected);
  }

  // Stays at it while a dialog asks more.
  set kept(yes) {
    this.#kept = yes;
    this.#show();
  }

  act(what) {
    const { row } = this, comment = row && this.#comments.find(row.dataset.id);
    if (comment) what(comment, row);
    return Boolean(comment);
  }

  // Focuses the next comment (1), or the previous one (-1); at first the newest.
  move(by) {
    const rows = this.#rows(), at = rows.indexOf(this.row);
    if (at >= 0 && by > 0 && at === rows.length - 1) return this.#moveToNew(rows[at]);
    this.#focus(at < 0 ? rows.at(-1) : rows[Math.max(0, at + by)]);
  }
  // Before the comment goes.
  leave(row) {
    if (row !== this.#focused) return;
    const rows = this.#rows(), at = rows.indexOf(row);
    const other = rows[at + 1] ?? rows[at - 1];
    if (other) this.#focus(other);
  }

  #rows() {
    return [...this.#root.querySelectorAll('.row[data-id]:not(.going)')];
  }
  #moveToNew(from) {
    const jump = this.#root.querySelector('.jump');
    if (jump.hidden) return;
    jump.click();
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const rows = this.#rows();
      this.#focus(rows[rows.indexOf(from) + 1]);
    }));
  }
  #focus(row) {
    if (!row) return;
    this.#over = undefined; // what was reached by a key counts, until the pointer moves
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  }

  #onOver(target) {
    this.#isOver = Boolean(target?.closest?.('.window'));
    this.#over = target && (rowOf(target) ?? (this.#isOver ? this.#over : undefined));
    this.#show();
  }
  #onFocus(row) {
    if (row) this.#over = undefined;
    this.#focused = row ?? undefined;
    this.#show();
  }
  // By a finger: the first touch aims.
  #onClick(event) {
    const row = rowOf(event.target);
    if (event.pointerType !== 'touch' || !row || event.target.closest('button')) return;
    this.#focus(row);
  }
  #onKey(event) {
    const inBar = event.target.closest('.acts'), row = rowOf(event.target);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !inBar && (row || event.target.matches('.list'))) this.move(step);
    else if (inBar && { ArrowRight: 1, ArrowLeft: 1 }[event.key]) this.#turn(event.target, event.key === 'ArrowRight' ? 1 : -1);
    else if (event.key === 'Enter' && event.target === row) this.#bar.firstChild.focus();
    else if (event.key === 'Escape' && inBar && row) row.focus();
    else if (event.key === 'Escape' && row) this.#root.querySelector('.list').focus();
    else return;
    event.preventDefault();
  }
  #turn(button, by) {
    const all = [...this.#bar.children];
    all[(all.indexOf(button) + by + all.length) % all.length].focus();
  }

  #show() {
    const { row } = this, shown = this.#bar.parentNode;
    if (shown !== (row ?? null)) {
      shown?.classList.remove('aimed');
      this.#bar.remove();
      row?.classList.add('aimed');
      const comment = row && this.#comments.find(row.dataset.id);
      if (comment) this.#bar.setAttribute('aria-label', `The comment of ${authorOf(comment)}`);
      row?.append(this.#bar);
    }
    this.#comments.still = this.#isOver || this.#kept || Boolean(this.#focused?.isConnected);
  }
}

const rowOf = (node) => node.closest?.('.row[data-id]') ?? undefined;
