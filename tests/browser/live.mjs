// Tabs of one Chromium whose pages use chorus.js, from an origin of their own.
import http from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { until } from '../integration/lib/time.mjs';
import { launchChromium } from './chromium.mjs';

const HTML = `<!doctype html><meta charset="utf-8"><title>tab</title><script type="module">
  import { LiveComments } from '/chorus.js';
  window.seen = { comments: [], gaps: [], states: [], viewers: [] };
  window.start = (options) => {
    window.live = new LiveComments({
      ...options,
      onComment: (comment, info) => seen.comments.push({ ...comment, info }),
      onGap: (gap) => seen.gaps.push(gap),
      onState: (state) => seen.states.push(state),
      onViewers: (viewers) => seen.viewers.push(viewers),
    });
  };
</script>`;
const CLIENT = new URL('../../web/chorus.js', import.meta.url);
// A name that makes no secure context, so that there are no Web Locks.
const INSECURE = 'insecure.test';

export class Browser {
  errors = []; // of all pages

  static async start(t) {
    const self = new Browser();
    const server = http.createServer(({ url }, response) => {
      const script = url === '/chorus.js';
      response.setHeader('content-type', script ? 'text/javascript' : 'text/html').end(script ? readFileSync(CLIENT) : HTML);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    self.port = server.address().port;
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const browser = await launchChromium([`--host-resolver-rules=MAP ${INSECURE} 127.0.0.1`]);
    t.after(() => browser.close());
    self.context = await browser.newContext();
    return self;
  }

  async open(options, { secure = true } = {}) {
    const page = await this.context.newPage();
    page.on('pageerror', (error) => this.errors.push(error));
    await page.goto(`http://${secure ? 'localhost' : INSECURE}:${this.port}/`);
    await page.waitForFunction(() => window.start);
    const tab = new Tab(page, options);
    await tab.start();
    return tab;
  }
}

class Tab {
  constructor(page, options) {
    Object.assign(this, { page, options });
  }
  start() {
    return this.page.evaluate((options) => start(options), this.options);
  }
  seen() {
    return this.page.evaluate(() => ({ ...seen, state: live.state, position: live.position }));
  }
  leads() {
    return this.page.evaluate(() => Boolean(live._tabs?.leading));
  }
  post(text) {
    return this.page.evaluate((comment) => live.post(comment), text);
  }
  wait(probe, what, ms) {
    let last;
    return until(async () => probe((last = await this.seen())), () => `${what}; the tab has ${JSON.stringify(last).slice(0, 1_500)}`, ms);
  }
  live() {
    return this.wait(({ state }) => state.name === 'live', 'a live stream');
  }
  // Until it has shown these comments: all of them, in order, and nothing else.
  async shows(stored, ms) {
    const last = stored.at(-1).id;
    await this.wait((seen) => seen.comments.at(-1)?.id === last, `the comment ${last}`, ms);
    return (await this.seen()).comments.map(({ info, ...comment }) => comment);
  }
}
