// Chance by seed: the same draws for the same seed. Mulberry32.
export class Dice {
  #state;
  constructor(seed) {
    this.#state = Math.imul(Number(seed) + 1, 2654435761) >>> 0;
  }
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  chance(share) {
    return this.next() < share;
  }
  below(limit) {
    return Math.floor(this.next() * limit);
  }
  between(from, to) {
    return from + this.below(to - from);
  }
  pick(list) {
    return list[this.below(list.length)];
  }
  // Draws of its own, so that what one does does not change what others get.
  fork() {
    return new Dice(this.below(2 ** 31));
  }
}
