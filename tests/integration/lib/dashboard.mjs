// The stream of a statistics service, as the dashboard reads it.
import { request } from './undici.mjs';
import { StreamParser } from './stream.mjs';
import { until } from './time.mjs';

export class Dashboard {
  events = [];

  async connect(system, headers = {}) {
    this.stop = new AbortController();
    const { statusCode, headers: got, body } = await request(`${system.statistics}/events`, { headers, signal: this.stop.signal });
    Object.assign(this, { status: statusCode, headers: got });
    const parser = new StreamParser({ onEvent: (event) => this.events.push(event), onComment: () => {} });
    this.done = (async () => {
      for await (const bytes of body) parser.feed(bytes);
    })().catch((error) => (this.failure = error));
    return this;
  }

  of(type) {
    return this.events.filter((event) => event.type === type).map(({ json }) => json);
  }
  get sample() {
    return this.of('sample').at(-1);
  }

  // Waits for an event of a type that fits; returns its JSON.
  until(type, fits, what, ms) {
    return until(() => this.of(type).find(fits), () => `${what}; the last of ${type}: ${JSON.stringify(this.of(type).at(-1))}`, ms);
  }

  async close() {
    this.stop.abort();
    await this.done;
  }
}

export async function watchDashboard(t, system, headers) {
  const dashboard = await new Dashboard().connect(system, headers);
  t.after(() => dashboard.close());
  return dashboard;
}
