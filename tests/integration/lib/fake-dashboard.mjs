// A statistics service that has whatever a test wants on its dashboard.
import http from 'node:http';
import { once } from 'node:events';

export const aReader = (n, more) => ({
  instanceId: `reader-${n}`, url: `http://127.0.0.1:${4000 + n}`, state: 'live', generation: 1, viewers: 6, share: 0.5, videos: 2,
  deliveriesPerSecond: 2.1, slowViewers: 0, memoryUsed: 1_234_567, memoryMax: 268_435_456, storeAvailable: true, reportAgeMs: 300, lostForMs: null,
  ...more,
});

export const aDashboard = (more) => ({
  service: 'chorus', version: '9.9.9', instanceId: 'statistics-1', everyMs: 100, at: Date.now(), viewers: 19, videos: 6,
  commentsPerSecond: 1.9, deliveriesPerSecond: 6.2, p50Ms: 0.8, p99Ms: 4.2, slowViewers: 0, slowGaps: 0, droppedViewers: 0, resumedViewers: 3,
  imbalance: 1.58, readersLive: 2, readersLost: 0, storeAvailable: true, readers: [aReader(1), aReader(2)], topVideos: [], notices: [], ...more,
});

export class FakeDashboard {
  dashboard = aDashboard();
  asked = 0;
  others = []; // requests for anything else

  async start(port = 0) {
    this.server = http.createServer((request, response) => {
      const found = request.url === '/dashboard';
      if (found) this.asked++;
      else this.others.push(request.url);
      response.writeHead(found ? (this.status ?? 200) : 404, { 'content-type': 'application/json', connection: 'close' });
      response.end(this.text ?? `${JSON.stringify(this.dashboard)}\n`);
    }).listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export async function startFakeDashboard(t) {
  const fake = await new FakeDashboard().start();
  t.after(() => fake.stop().catch(() => {}));
  return fake;
}
