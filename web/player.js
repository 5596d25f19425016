// What stands in for a recording on the viewer page: a clock that plays, pauses and goes to any place, with its controls. To
// <live-comments> it looks like a <video>: currentTime in seconds, playbackRate.
import { position } from './column/text.js';

const SHOW_MS = 250;
const PLAY = 'M8 5v14l11-7z', PAUSE = 'M6 5h4v14H6zm8 0h4v14h-4z';

export class Player {
  #bar;
  #button;
  #icon;
  #slider;
  #time;
  #base = 0; // where it was at #since
  #since = 0;
  #rate = 1;
  #timer = 0;
  #duration = Infinity;
  paused = true;

  // The bar has a button with a path, a range, a time and a select of rates.
  constructor(bar) {
    this.#bar = bar;
    [this.#button, this.#icon, this.#slider, this.#time] = ['button', 'path', 'input', 'time'].map((name) => bar.querySelector(name));
    this.#button.addEventListener('click', () => this.toggle());
    this.#slider.addEventListener('input', () => (this.currentTime = Number(this.#slider.value)));
    bar.querySelector('select').addEventListener('change', ({ target }) => (this.playbackRate = Number(target.value)));
  }

  get currentTime() {
    if (this.paused) return this.#base;
    return Math.min(this.#duration, this.#base + ((performance.now() - this.#since) / 1000) * this.#rate);
  }
  set currentTime(seconds) {
    this.#base = Math.min(this.#duration, Math.max(0, seconds));
    this.#since = performance.now();
    this.#show();
  }
  get playbackRate() {
    return this.#rate;
  }
  set playbackRate(rate) {
    this.currentTime = this.currentTime;
    this.#rate = rate;
  }
  set duration(seconds) {
    this.#duration = seconds;
    this.#slider.max = String(Math.ceil(seconds));
    this.#show();
  }
  get isOpen() {
    return !this.#bar.hidden;
  }

  // From the beginning. How long it is may be told later.
  open() {
    this.#bar.hidden = false;
    this.#duration = Infinity;
    this.currentTime = 0;
    this.play();
  }
  close() {
    this.currentTime = 0;
    this.pause();
    this.#bar.hidden = true;
  }
  focus() {
    this.#button.focus();
  }

  play() {
    if (this.currentTime >= this.#duration) this.currentTime = 0;
    this.#since = performance.now();
    this.paused = false;
    this.#timer ||= setInterval(() => this.#show(), SHOW_MS);
    this.#show();
  }
  pause() {
    this.#base = this.currentTime;
    this.paused = true;
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#show();
  }
  toggle() {
    if (this.paused) this.play();
    else this.pause();
  }

  #show() {
    const at = this.currentTime, isKnown = this.#duration < Infinity;
    const text = isKnown ? `${position(at)} / ${position(this.#duration)}` : position(at);
    if (!this.paused && at >= this.#duration) return this.pause();
    this.#icon.setAttribute('d', this.paused ? PLAY : PAUSE);
    this.#button.setAttribute('aria-label', this.paused ? 'Play' : 'Pause');
    if (this.#time.textContent === text) return;
    this.#time.textContent = text;
    this.#slider.value = String(at);
    this.#slider.setAttribute('aria-valuetext', position(at));
    this.#slider.style.setProperty('--played', `${isKnown ? (100 * this.#slider.value) / (Number(this.#slider.max) || 1) : 0}%`);
  }
}
