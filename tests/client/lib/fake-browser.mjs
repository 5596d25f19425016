// The tabs of one browser: what they share, and what can happen to them.
export class FakeBrowser {
  #channels = new Map(); // name => ports
  #locks = new Map(); // name => {holder, queue}

  // withLocks: as in a secure context
  constructor(clock, random, withLocks) {
    Object.assign(this, { clock, random, withLocks });
  }

  open() {
    return new Tab(this);
  }

  portsOf(name) {
    if (!this.#channels.has(name)) this.#channels.set(name, new Set());
    return this.#channels.get(name);
  }

  // https://w3c.github.io/web-locks/
  request(tab, name, { signal, steal = false }, callback) {
    if (!this.#locks.has(name)) this.#locks.set(name, { queue: [] });
    const lock = this.#locks.get(name);
    return new Promise((resolve, reject) => {
      const request = { tab, callback, resolve, reject };
      const fail = (reason) => tab.enter(() => reject(reason));
      if (steal) {
        const { holder } = lock;
        holder?.tab.enter(() => holder.reject(new DOMException('stolen', 'AbortError')));
        lock.holder = undefined;
        lock.queue.unshift(request);
      } else {
        lock.queue.push(request);
      }
      signal?.addEventListener('abort', () => {
        if (!lock.queue.includes(request)) return;
        lock.queue.splice(lock.queue.indexOf(request), 1);
        fail(signal.reason);
      });
      this.clock.setTimeout(() => this.#grant(lock), 1);
    });
  }
  #grant(lock) {
    if (lock.holder || !lock.queue.length) return;
    const request = (lock.holder = lock.queue.shift());
    const done = (settle) => (value) => {
      if (lock.holder === request) lock.holder = undefined;
      this.#grant(lock);
      settle(value);
    };
    request.tab.enter(() => new Promise((resolve) => resolve(request.callback())).then(done(request.resolve), done(request.reject)));
  }

  // A tab is gone.
  forget(tab) {
    for (const ports of this.#channels.values()) for (const port of ports) if (port.tab === tab) ports.delete(port);
    for (const lock of this.#locks.values()) {
      lock.queue = lock.queue.filter((request) => request.tab !== tab);
      if (lock.holder?.tab === tab) lock.holder = undefined;
      this.#grant(lock);
    }
  }
}

class Tab {
  page = new EventTarget();
  #waiting = []; // what happens to it while it is frozen

  constructor(browser) {
    const tab = this, { clock, random } = browser;
    this.browser = browser;
    this.env = {
      page: this.page,
      setTimeout: (run, ms) => clock.setTimeout(() => this.enter(run), ms),
      BroadcastChannel: class {
        constructor(name) {
          this.tab = tab;
          this.ports = browser.portsOf(name).add(this);
        }
        postMessage(message) {
          if (!this.ports.has(this)) throw new DOMException('closed', 'InvalidStateError');
          const data = structuredClone(message);
          for (const port of this.ports) {
            if (port === this) continue;
            // In the order in which they were sent.
            port.due = Math.max(port.due ?? 0, clock.ms + random.below(20));
            clock.setTimeout(() => port.tab.enter(() => port.ports.has(port) && port.onmessage({ data })), port.due - clock.ms);
          }
        }
        close() {
          this.ports.delete(this);
        }
      },
      locks: browser.withLocks ? { request: (...args) => browser.request(this, ...args) } : undefined,
    };
  }

  enter = (run) => {
    if (this.gone) return;
    if (this.frozen) this.#waiting.push(run);
    else run();
  };
  freeze() {
    this.frozen = true;
  }
  thaw() {
    this.frozen = false;
    for (const run of this.#waiting.splice(0)) this.enter(run);
  }
  happens(name, fields) {
    this.page.dispatchEvent(Object.assign(new Event(name), fields));
  }
  crash() {
    this.gone = true;
    this.browser.forget(this);
  }
}
