// A page of another origin in Chromium, which watches streams with the browser's own EventSource.
import http from 'node:http';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { until } from '../integration/lib/time.mjs';
import { launchChromium } from './chromium.mjs';

const HTML = `<!doctype html><meta charset="utf-8"><title>viewer</title><ol id="comments"></ol><script>
  const seen = { connects: [], comments: [], gaps: [], errors: 0 };
  let source;
  function watch(url) {
    source = new EventSource(url);
    source.onerror = () => seen.errors++;
    source.onmessage = ({ data, lastEventId, origin }) => {
      const json = JSON.parse(data);
      if (json.type === 'connected') return void seen.connects.push({ id: lastEventId, instance: json.instance, origin });
      seen.comments.push(json);
      const item = document.createElement('li');
      item.textContent = (json.name ?? json.userid) + ': ' + json.comment;
      document.getElementById('comments').append(item);
    };
    source.addEventListener('gap', ({ data, lastEventId }) => seen.gaps.push({ ...JSON.parse(data), id: lastEventId }));
  }
  async function send(method, url, body, headers = {}) {
    const type = body ? { 'content-type': 'application/json' } : {};
    const answer = await fetch(url, { method, headers: { ...type, ...headers }, body: body && JSON.stringify(body) });
    return { status: answer.status, json: await answer.json() };
  }
</script>`;

// A browser, which is closed when the test ends. more: further arguments.
export async function openBrowser(t, more = []) {
  const browser = await launchChromium(more);
  t.after(() => browser.close());
  return browser;
}

// Opens the page; releases everything when the test ends.
export async function openPage(t) {
  const server = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end(HTML)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const page = await (await openBrowser(t)).newPage();
  await page.goto(`http://localhost:${server.address().port}/`);
  return new WatchingPage(page);
}

class WatchingPage {
  constructor(page) {
    this.page = page;
  }
  seen() {
    return this.page.evaluate(() => seen);
  }
  wait(probe, what, ms) {
    let last;
    return until(async () => probe((last = await this.seen())), () => `${what}; the page has ${JSON.stringify(last).slice(0, 1_000)}`, ms);
  }
  // Watches with an EventSource of the page and waits for the first event.
  async watch(url) {
    await this.page.evaluate((target) => watch(target), url);
    await this.wait(({ connects }) => connects.length, `a stream of ${url}`);
  }
  // The result of the page's own fetch: {status, json}.
  send(method, url, body, headers) {
    return this.page.evaluate((args) => send(...args), [method, url, body, headers]);
  }
}

// A comment typed by hand: returns it as stored.
export async function curl(system, video, comment, more = {}) {
  const json = JSON.stringify({ userid: 'hand', videoid: video, comment, ...more });
  const { stdout } = await promisify(execFile)('curl', [
    '-sS', '--noproxy', '*', '-H', 'Content-Type: application/json', '-d', json, `${system.comment}/comment`,
  ]);
  return JSON.parse(stdout).comment;
}
