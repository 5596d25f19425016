// What a person can read: lets `perSecond` comments through, evenly, and as many at once after a quiet moment. Measures
// both what came and what was shown, over the last seconds.
const WINDOW_S = 3;

export class ReadableRate {
  #perSecond;
  #tokens;
  #at = 0;
  #seconds = []; // {second, all, shown}, newest last

  constructor(perSecond = 20) {
    this.#perSecond = this.#tokens = perSecond;
  }

  // Whether to show a comment that came at `now` (ms); `always` shows it whatever the rate is.
  take(now, always = false) {
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (Math.max(0, now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    const shown = always || this.#tokens >= 1;
    if (shown) this.#tokens = Math.max(0, this.#tokens - 1);
    this.#count(now, 1, shown);
    return shown;
  }

  // The server has left some out already (`more` of a comment).
  leftOut(now, more) {
    this.#count(now, more, 0);
  }

  #count(now, all, shown) {
    const second = Math.floor(now / 1000);
    let last = this.#seconds.at(-1);
    if (last?.second !== second) this.#seconds.push((last = { second, all: 0, shown: 0 }));
    if (this.#seconds.length > WINDOW_S + 1) this.#seconds.shift();
    last.all += all;
    last.shown += shown;
  }

  // {shown, all} per second, of the last whole seconds; undefined while everything is shown.
  sample(now) {
    const second = Math.floor(now / 1000);
    const recent = this.#seconds.filter((each) => each.second < second && each.second >= second - WINDOW_S);
    const sum = (what) => recent.reduce((total, each) => total + each[what], 0);
    if (sum('shown') === sum('all')) return undefined;
    const length = second - recent[0].second;
    return { shown: Math.round(sum('shown') / length), all: Math.round(sum('all') / length) };
  }
}
