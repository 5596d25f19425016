// `chorus clients` against a system, and what it prints.
import { Program } from './process.mjs';
import { until, within } from './time.mjs';

export class Clients {
  constructor(system, flags = {}) {
    const addresses = { 'manager-url': system.manager, 'comment-url': system.comment, 'statistics-url': system.statistics };
    const words = Object.entries({ ...addresses, ...flags }).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.program = new Program(['clients', ...words]);
  }

  // The figures of the last line printed so far: {viewers: 19, ...}; those of the end after the end.
  get figures() {
    const line = this.program.stdout.trim().split('\n').at(-1);
    return Object.fromEntries([...line.matchAll(/(\w+)=([\d.]+)/g)].map(([, name, value]) => [name, Number(value)]));
  }

  // Waits until it exits by itself: {code, ...}, with the figures.
  async ends(ms = 30_000) {
    const end = await within(this.program.ended, ms, () => `the end of the clients; so far:\n${this.program.stdout}${this.program.stderr}`);
    return { ...end, figures: this.figures };
  }

  async stop(signal = 'SIGINT') {
    this.program.child.kill(signal);
    return this.ends(5_000);
  }

  until(probe, what, ms) {
    return until(() => {
      if (this.program.end) throw Object.assign(new Error(`the clients ended:\n${this.program.stdout}${this.program.stderr}`), { final: true });
      return probe();
    }, what, ms);
  }

  release() {
    return this.program.end ?? this.program.kill('SIGKILL');
  }
}

export function startClients(t, system, flags) {
  const clients = new Clients(system, flags);
  t.after(() => clients.release());
  return clients;
}
