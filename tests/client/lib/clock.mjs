// A clock that only moves when nothing else can happen, so that hours pass in seconds, always in the same way.
export class Clock {
  #timers = new Map(); // number => {at, run}
  #last = 0;
  ms = 0;

  now = () => this.ms;
  setTimeout = (run, ms = 0) => {
    this.#timers.set(++this.#last, { at: this.ms + Math.max(ms, 0), run });
    return this.#last;
  };
  clearTimeout = (number) => this.#timers.delete(number);

  // Lets `ms` pass.
  async pass(ms) {
    const end = this.ms + ms;
    for (;;) {
      await settled();
      let first;
      for (const [number, { at }] of this.#timers) if (at <= end && !(this.#timers.get(first)?.at <= at)) first = number;
      if (!first) break;
      const { at, run } = this.#timers.get(first);
      this.#timers.delete(first);
      this.ms = Math.max(this.ms, at);
      run();
    }
    this.ms = end;
  }
}

// All promises that can settle have settled: their jobs run before the next turn of the event loop.
const settled = () => new Promise((resolve) => setImmediate(resolve));
