// Reads comments to a screen reader without a flood: the newest of each EVERY_MS, and how many more there were.
import { make } from './dom.js';
import { authorOf, formatNumber } from './text.js';

const EVERY_MS = 5_000;
const LONGEST = 160;

export class Announcer {
  #words;
  #newest;
  #count = 0;
  #timer = 0;
  element = make('div.hidden', { 'aria-live': 'polite', 'aria-atomic': 'true' });

  constructor(words) {
    this.#words = words;
  }
  add(comment) {
    this.#newest = comment;
    this.#count++;
    this.#timer ||= setTimeout(() => this.#read(), EVERY_MS);
  }
  stop() {
    clearTimeout(this.#timer);
    this.#timer = this.#count = 0;
  }
  #read() {
    const { comment } = this.#newest;
    const text = comment.length > LONGEST ? `${comment.slice(0, LONGEST)}…` : comment;
    const more = this.#count > 1 ? `, ${this.#words.announceMore(this.#count - 1, formatNumber(this.#count - 1))}` : '';
    this.element.textContent = `${authorOf(this.#newest)}: ${text}${more}`;
    this.stop();
  }
}
