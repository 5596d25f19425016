// A page of another origin that embeds <live-comments> under a strict Content-Security-Policy, and what it says.
import http from 'node:http';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { after } from 'node:test';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../integration/lib/time.mjs';
import { launchChromium } from './chromium.mjs';

// One browser for all scenarios of a file. Its contexts keep their storage apart, and are closed at the end of their scenario.
let chrome;
after(async () => (await chrome)?.close());

export async function launch(t) {
  chrome ??= launchChromium();
  const browser = await chrome;
  const newContext = async (options) => {
    const context = await browser.newContext(options);
    t.after(() => context.close());
    return context;
  };
  return { newContext, newPage: async (options) => (await newContext(options)).newPage() };
}

// What an operator of a page writes: where the script comes from, and where it may connect to.
export const policyFor = (system) =>
  `default-src 'self'; script-src 'self' ${system.comment}; connect-src ${[system.comment, ...system.readers].join(' ')}; require-trusted-types-for 'script'`;

// Serves files ({path: text}) as a site of its own, until the test ends. Returns its address.
export async function serve(t, files, headers = {}) {
  const types = { js: 'text/javascript', css: 'text/css' };
  const server = http.createServer(({ url }, response) => {
    const text = files[url];
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': types[url.split('.').at(-1)] ?? 'text/html; charset=utf-8', ...headers });
    response.end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return `http://localhost:${server.address().port}/`;
}

export const documentOf = (system, elements) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page of our own</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css">
<script type="module" src="${system.comment}/live-comments.js"></script>
${elements}`;
const STYLE = ':root { color-scheme: light dark } live-comments { width: 380px; height: 600px }';

// Opens a page with those elements; fails the test at its end if the page reported an error that was not expected.
// context: {colorScheme, ...} as in playwright
export async function embed(t, system, { elements = '<live-comments video="v"></live-comments>', ...options } = {}) {
  const policy = policyFor(system).replace("default-src 'self'", "default-src 'self'; img-src data:");
  const url = await serve(t, { '/': documentOf(system, elements), '/page.css': STYLE }, { 'content-security-policy': policy });
  return openColumn(t, url, options);
}

// A column without a server, on a client of which the test is the other side: fake-client.js.
export async function embedFake(t, { elements = '<live-comments video="v" user="me" name="Me"></live-comments>', ...options } = {}) {
  const here = dirname(fileURLToPath(import.meta.url)), web = join(here, '../../web');
  const files = { '/': documentOf({ comment: '' }, elements), '/page.css': STYLE, '/chorus.js': readFileSync(join(here, 'fake-client.js')), '/live-comments.js': readFileSync(join(web, 'live-comments.js')) };
  for (const name of readdirSync(join(web, 'column'))) files[`/column/${name}`] = readFileSync(join(web, 'column', name));
  const url = await serve(t, files, { 'content-security-policy': "default-src 'self'; img-src data:; require-trusted-types-for 'script'" });
  const column = await openColumn(t, url, options);
  if (elements.includes('video=')) await column.live();
  return column;
}

async function openColumn(t, url, { context = {}, route, browser, expect = [] } = {}) {
  const page = await (browser ?? (await launch(t))).newPage({ viewport: { width: 420, height: 660 }, ...context });
  page.setDefaultTimeout(10_000);
  const problems = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.stack || String(error)));
  t.after(() => {
    const left = problems.filter((text) => !expect.some((pattern) => pattern.test(text)));
    if (left.length) throw new Error(`the page reported:\n${left.join('\n')}`);
  });
  await route?.(page);
  await page.goto(url);
  return new Column(page);
}

// The first <live-comments> of a page, or the one that a selector finds.
export class Column {
  constructor(page, selector = 'live-comments') {
    this.page = page;
    this.host = page.locator(selector);
    this.input = this.host.locator('textarea');
    this.send = this.host.locator('.send');
    this.jump = this.host.locator('.jump');
    this.list = this.host.locator('.list');
  }
  find(selector) {
    return this.host.locator(selector);
  }
  // The rows: {text, name, own, state, continued}.
  rows() {
    return this.host.evaluate((host) => Array.from(host.shadowRoot.querySelectorAll('.row'), (row) => ({
      id: row.dataset.id, text: row.querySelector('.text').textContent, name: row.querySelector('.name').textContent,
      own: row.classList.contains('own'), continued: row.classList.contains('continued'),
      state: ['sending', 'sent', 'failed'].find((name) => row.classList.contains(name)),
    })));
  }
  async texts() {
    return (await this.rows()).map(({ text }) => text);
  }
  // Waits until probe(rows) holds, and returns the rows.
  async wait(probe, what, ms) {
    let last;
    await until(async () => probe((last = await this.rows())), () => `${what}; it has ${JSON.stringify(last)?.slice(-1_500)}`, ms);
    return last;
  }
  // Runs with the fake client.
  fake(action, argument) {
    return this.page.evaluate(`(${action})(window.fake, ${JSON.stringify(argument)})`);
  }
  live() {
    return this.find('.state.live').first().waitFor();
  }
  async say(text) {
    await this.input.fill(text);
    await this.input.press('Enter');
  }
  scroll(by) {
    return this.list.evaluate((list, pixels) => (list.scrollTop += pixels), by);
  }
  fromEnd() {
    return this.list.evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);
  }
}
