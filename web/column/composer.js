// Where one types: a text that grows, what is left of it near the limit, a countdown while the server wants one to wait, and
// the name that is shown beside the comments.
import { make } from './dom.js';
import { byteLength, fitComment, fitName, hueOf, initials } from './text.js';

export const MAX_BYTES = 2000;
const NEAR_BYTES = 300; // so little left is shown
const REACT_EVERY_MS = 150, REACT_AGAIN_MS = 2_000; // after one, and after one that failed

export class Composer {
  #words;
  #onSend;
  #onName;
  #limitEnd = 0;
  #limitTimer = 0;
  #name = '';
  #closed = false;
  #room = {};

  // onSend(text) -> whether it was taken; onName(name); onReact() -> a promise
  constructor({ words, onSend, onName, onReact }) {
    this.#words = words;
    this.#onSend = onSend;
    this.#onName = onName;
    this.heart = make('button.react', { part: 'react', type: 'button', title: words.react, 'aria-label': words.react }, '♥');
    this.heart.addEventListener('click', () => this.#react(onReact));
    this.input = make('textarea.input', { part: 'input', rows: '1', autocomplete: 'off', enterkeyhint: 'send', dir: 'auto',
      placeholder: words.placeholder, 'aria-label': words.placeholder, 'aria-describedby': 'note' });
    this.mirror = make('div.mirror', { 'aria-hidden': 'true' }); // has the height that the text needs
    this.button = make('button.send', { part: 'send', type: 'submit', disabled: true }, words.send);
    this.note = make('span.note', { part: 'note', id: 'note' });
    this.spoken = make('span.hidden', { role: 'status' });
    this.element = make('form.composer', { part: 'composer' }, this.#identity(), make('div.entry', {}, make('div.grow', {}, this.mirror, this.input), this.heart, this.button),
      make('div.below', {}, this.note, this.spoken));
    this.input.addEventListener('input', () => this.#show());
    this.input.addEventListener('keydown', (event) => this.#onKey(event));
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  #identity() {
    this.avatar = make('span.avatar.small', { 'aria-hidden': 'true' });
    this.nameText = make('bdi', {});
    this.nameButton = make('button.rename', { part: 'rename', type: 'button', title: this.#words.changeName }, this.nameText);
    this.nameInput = make('input.input.name-input', { part: 'input', maxlength: '64', autocomplete: 'nickname', 'aria-label': this.#words.yourName,
      placeholder: this.#words.yourName, hidden: true });
    this.nameButton.addEventListener('click', () => this.#editName());
    this.nameInput.addEventListener('blur', () => this.#keepName());
    this.nameInput.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.nameInput.value = this.#name;
      if (event.key !== 'Enter' && event.key !== 'Escape') return;
      event.preventDefault();
      this.input.focus(); // and so the name's field is left
    });
    return make('div.identity', { part: 'identity' }, this.avatar, make('span.as', {}, this.#words.as), this.nameButton, this.nameInput);
  }

  // fixed: the page says who it is, and it cannot be changed here.
  setAuthor({ userid, name }, { fixed }) {
    this.#name = name;
    this.nameText.textContent = name || userid;
    this.avatar.textContent = initials(name || userid);
    this.avatar.style.setProperty('--_hue', hueOf(userid));
    this.nameButton.disabled = fixed;
  }
  #editName() {
    this.nameInput.value = this.#name;
    this.nameInput.hidden = false;
    this.nameButton.hidden = true;
    this.nameInput.select();
  }
  #keepName() {
    const name = fitName(this.nameInput.value);
    this.nameInput.hidden = true;
    this.nameButton.hidden = false;
    if (name && name !== this.#name) this.#onName(name);
  }

  set closed(yes) {
    this.#closed = yes;
    this.input.disabled = this.heart.disabled = yes;
    this.#show();
  }

  // What moderators have set (event `room`), which is said near the field.
  set room(room) {
    this.#room = room;
    this.#show();
  }

  get text() {
    return this.input.value;
  }

  // Puts a text back, unless another has been begun.
  restore(text) {
    if (this.input.value) return this.input.value === text;
    this.input.value = text;
    this.#show();
    return true;
  }

  // Puts a text back to be edited, after what may have been begun.
  edit(text) {
    this.input.value = [this.input.value, text].filter(Boolean).join('\n');
    this.input.focus();
    this.#show();
  }

  // Nothing can be sent for so long.
  limit(ms) {
    this.#limitEnd = Math.max(this.#limitEnd, performance.now() + ms);
    this.spoken.textContent = this.#words.wait(this.#secondsLeft());
    clearTimeout(this.#limitTimer);
    this.#countDown();
  }
  #secondsLeft() {
    return Math.max(0, Math.ceil((this.#limitEnd - performance.now()) / 1000));
  }
  #countDown() {
    const left = this.#limitEnd - performance.now();
    this.#limitTimer = left > 0 ? setTimeout(() => this.#countDown(), left % 1000 || 1000) : 0;
    if (!this.#limitTimer) this.spoken.textContent = '';
    this.#show();
  }
  stop() {
    clearTimeout(this.#limitTimer);
    this.#limitTimer = 0;
  }

  #onKey(event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#send();
  }

  // One that is refused too often, or for a moment, is not worth a message: the heart rests.
  async #react(onReact) {
    if (this.heart.ariaDisabled === 'true') return;
    this.heart.ariaDisabled = 'true'; // and keeps the focus
    let restMs = REACT_EVERY_MS;
    try {
      await onReact();
    } catch ({ status, message, retryAfterMs }) {
      if (status === 401 || status === 403) {
        this.heart.title = message;
        return;
      }
      restMs = retryAfterMs || REACT_AGAIN_MS;
    }
    setTimeout(() => (this.heart.ariaDisabled = 'false'), restMs);
  }

  #send() {
    if (this.button.disabled) return;
    if (!this.#onSend(fitComment(this.input.value))) return;
    this.input.value = '';
    if (this.button.matches(':focus')) this.input.focus(); // it is about to be disabled
    this.#show();
  }

  #show() {
    const text = fitComment(this.input.value), left = MAX_BYTES - byteLength(text), seconds = this.#secondsLeft();
    this.button.disabled = this.#closed || !text || left < 0 || seconds > 0;
    this.button.textContent = seconds ? this.#words.waitShort(seconds) : this.#words.send;
    this.element.classList.toggle('too-long', left < 0);
    this.element.classList.toggle('limited', seconds > 0);
    if (left < 0) this.note.textContent = this.#words.bytesOver(-left);
    else if (seconds) this.note.textContent = this.#words.wait(seconds);
    else this.note.textContent = left < NEAR_BYTES ? this.#words.bytesLeft(left) : this.#words.room(this.#room);
    this.mirror.textContent = `${this.input.value}\u200b`;
  }
}
