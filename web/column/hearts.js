// What viewers react with rises over the column: a few of each kind, however many there were. Without motion it stands still for
// a moment, as a number.
import { make } from './dom.js';

const GLYPHS = { heart: '♥', like: '👍', clap: '👏', laugh: '😂', wow: '😮', sad: '😢', fire: '🔥' };
const MOST = 12, SHOWN_MS = 2_500;

export class Hearts {
  constructor() {
    this.element = make('div.hearts', { part: 'hearts', 'aria-hidden': 'true' });
  }

  burst(reactions) {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const known = Object.entries(reactions).filter(([kind]) => Object.hasOwn(GLYPHS, kind));
    if (still) this.element.replaceChildren();
    for (const [kind, count] of known) {
      if (still) this.#show(`${GLYPHS[kind]} ${count}`, 'still');
      else for (let i = Math.min(count, MOST - this.element.childElementCount); i > 0; i--) this.#show(GLYPHS[kind], 'rising');
    }
  }

  #show(text, how) {
    const heart = make(`span.${how}`, {}, text);
    heart.style.insetInlineEnd = `${10 + 50 * Math.random()}%`;
    heart.style.animationDelay = `${Math.random()}s`;
    this.element.append(heart);
    setTimeout(() => heart.remove(), SHOWN_MS);
  }
}
