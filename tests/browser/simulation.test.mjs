// The page that `chorus simulate --html` writes.
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from '../integration/lib/process.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { findings } from './axe.mjs';
import { openBrowser } from './page.mjs';

const names = ['round-robin', 'least-loaded', 'hash'];
const count = (n) => n.toLocaleString('en-US');

// The page, and the document that the same run has printed.
async function simulate(t, ...flags) {
  const file = join(t.folder(), 'page.html');
  const { code, stdout, stderr } = await run(['simulate', '--json', '--html', file, ...flags]);
  assert.equal(code, 0, stderr);
  return { file, url: pathToFileURL(file).href, document: JSON.parse(stdout) };
}

// Opens the file. `problems`: what the browser complained of; `requests`: what it asked for.
async function open(t, url, { browser, ...options } = {}) {
  const page = await (browser ?? await openBrowser(t)).newPage(options);
  const [problems, requests] = [[], []];
  page.on('console', (message) => problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  return { page, problems, requests };
}

// A table of the page as rows of texts.
const rowsOf = (page, caption) => page.locator('table', { has: page.locator('caption', { hasText: caption }) }).first()
  .locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));

scenario('the page stands by itself, and draws all policies and the busiest reader failing', async (t) => {
  const { url, document } = await simulate(t);
  const { page, problems, requests } = await open(t, url);
  assert.deepEqual(document.policies.map(({ policy }) => policy), names);
  assert.deepEqual(await page.locator('#placed h3').allTextContents(), ['Round-robin', 'Least-loaded', 'Hash']);
  for (const id of ['placed', 'celebrity', 'evened-before', 'evened-after', 'lost', 'herd']) assert.ok(await page.locator(`#${id} svg[role=img]`).count(), id);
  const roundRobin = document.policies[0];
  assert.match(await page.locator('#verdict').textContent(), new RegExp(`balances videos, not viewers: .* 20 videos, yet reader-5 holds ${roundRobin.viewers.max} viewers`));
  for (const { readers, viewers, readerLost } of document.policies) {
    const busiest = readers.find((reader) => reader.viewers === viewers.max);
    assert.equal(readerLost.reader, busiest.reader);
  }
  assert.deepEqual(problems, []);
  assert.deepEqual(requests, [url], 'nothing else is loaded');
});

scenario('its figures are those of --json', async (t) => {
  const { url, document } = await simulate(t, '--videos', '3000', '--viewers', '77777', '--readers', '7', '--distribution', 'zipf:1.1', '--lose-reader', '2');
  const { page } = await open(t, url);
  assert.deepEqual(await page.evaluate(() => JSON.parse(document.getElementById('figures').textContent)), document);
  const share = (part) => `${part.toFixed(2)} %`;
  assert.deepEqual((await rowsOf(page, 'Each policy, over its readers')).map((row) => row.map((text) => text.replaceAll(',', ''))),
    document.policies.map(({ policy, subscriptions: s, viewers: v }) => [policy, s.max, s.min, share(s.balanceFactor), v.max, v.min, v.standardDeviation.toFixed(2), share(v.balanceFactor)].map(String)));
  assert.deepEqual(await rowsOf(page, 'Viewers of each reader'),
    document.policies[0].readers.map(({ reader }, i) => [reader, ...document.policies.flatMap(({ readers }) => [count(readers[i].subscriptions), count(readers[i].viewers)])]));
  const moved = await rowsOf(page, 'What moves');
  assert.deepEqual(moved.map((row) => row.slice(0, 4)), document.policies.map(({ policy, readerLost: l }) => [policy, 'reader-2', count(l.videosMoved), count(l.viewersMoved)]));
  const steps = await rowsOf(page, 'What sets and rebalancing do');
  assert.deepEqual(steps.map((row) => row.slice(0, 4)), document.policies.flatMap(({ policy, evenedOut: { sets, placed, withSets, rebalanced } }) => [['one reader each', placed, 0], ['with sets', withSets, sets], ['rebalanced', rebalanced, sets]]
    .map(([when, step, n]) => [`${policy}, ${when}`, String(n), step.maxOfMean.toFixed(2), step.hottestReaderCores.toFixed(2)])));
  // As long as a bar is, so many viewers it has.
  const bars = await page.locator('#placed figure').first().locator('rect').evaluateAll((all) => all.map((rect) => [rect.getAttribute('class'), Number(rect.getAttribute('width'))]));
  const { viewers } = document.policies[0];
  const widest = Math.max(...document.policies.map((each) => each.viewers.max));
  const sum = bars.reduce((all, [, width]) => all + width, 0);
  assert.ok(Math.abs(sum / 150 - viewers.total / widest) < 0.02 * bars.length, `${sum} for ${viewers.total}`);
  assert.deepEqual(bars.filter(([name]) => name === 'celebrity').length, 1);
});

scenario('who reconnects when: all viewers of the reader that failed, after its lease, spread', async (t) => {
  const { document } = await simulate(t);
  for (const { readerLost } of document.policies) {
    const { stepMs, viewers, peakPerSecond } = readerLost.reconnects;
    assert.equal(viewers.reduce((all, n) => all + n), readerLost.viewersMoved);
    assert.deepEqual(viewers.slice(0, 3000 / stepMs), Array(3000 / stepMs).fill(0));
    assert.ok(Math.max(...viewers) < readerLost.viewersMoved / 4, 'spread');
    const inASecond = viewers.map((_, i) => viewers.slice(i, i + 1000 / stepMs).reduce((all, n) => all + n));
    assert.equal(peakPerSecond, Math.max(...inASecond));
  }
});

scenario('axe finds nothing, in light and dark, with few readers and many', { ms: 90_000 }, async (t) => {
  const browser = await openBrowser(t);
  for (const flags of [[], ['--readers', '40', '--viewers', '90000', '--comment-rate', '9000', '--cores', '1', '--distribution', 'zipf:1'], ['--readers', '1', '--videos', '1']]) {
    const { url } = await simulate(t, ...flags);
    for (const colorScheme of ['light', 'dark']) {
      const where = `${colorScheme}, ${flags.join(' ')}`;
      const { page, problems } = await open(t, url, { browser, colorScheme, viewport: { width: 390, height: 800 } });
      await page.locator('details').evaluateAll((all) => all.forEach((each) => (each.open = true)));
      assert.deepEqual(await findings(page), [], where);
      assert.deepEqual(problems, [], where);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 390, `${width} pixels wide on a phone, ${where}`);
      await page.close();
    }
  }
});

scenario('a file that cannot be written is an error, and nothing is printed', async (t) => {
  const folder = t.folder();
  for (const [path, why] of [[join(folder, 'none', 'page.html'), 'No such file or directory'], [folder, 'Is a directory'], ['/dev/full', 'No space left on device']]) {
    const { code, stdout, stderr } = await run(['simulate', '--html', path]);
    assert.equal(code, 1, path);
    assert.equal(stderr, `chorus simulate: ${path} cannot be written: ${why}.\n`);
    assert.equal(stdout, '');
  }
  assert.deepEqual(readdirSync(folder), []);
});

scenario('with --policy and --lose-reader the page shows what was asked for', async (t) => {
  const { file, url, document } = await simulate(t, '--policy', 'hash', '--lose-reader', '0');
  const { page, problems } = await open(t, url);
  assert.deepEqual(document.policies.map(({ policy, readerLost }) => [policy, readerLost]), [['hash', undefined]]);
  assert.deepEqual(await page.locator('#placed h3').allTextContents(), ['Hash']);
  assert.equal(await page.locator('#lost-section').isVisible(), false);
  assert.deepEqual(problems, []);
  assert.match(readFileSync(file, 'utf8'), /^<!doctype html>[^]*<\/html>\n$/);
  assert.ok(statSync(file).size < 100_000);
});
