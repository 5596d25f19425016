// The comment that is pinned, above the list.
import { make } from './dom.js';
import { authorOf, compareIds } from './text.js';

export class Pinned {
  id; // of the comment that is to be shown
  #comment;
  #after; // the position that the id is not older than

  constructor(words) {
    this.element = make('div.pinned', { part: 'pinned', hidden: true, role: 'note', 'aria-label': words.pinned });
    this.words = words;
  }

  // Entries and the room say what is pinned, each as of a position. Returns whether this is news.
  choose(id, after) {
    if (this.#after && after && compareIds(after, this.#after) < 0) return false;
    this.#after = after;
    if (id === this.id) return false;
    this.id = id;
    return true;
  }
  show(comment) {
    this.#comment = comment;
    this.element.hidden = !comment;
    if (!comment) return this.element.replaceChildren();
    this.element.replaceChildren(make('span.pin', {}, this.words.pinned), make('bdi.name', { part: 'name' }, authorOf(comment)),
      make('div.text', { part: 'text', dir: 'auto' }, comment.comment));
  }
  takeOff(matches) {
    if (this.#comment && matches(this.#comment)) this.show();
  }
}
