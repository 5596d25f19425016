// Long: 30.
// The page at /api, on which the HTTP interface is tried.
import assert from 'node:assert/strict';
import { post } from '../integration/lib/api.mjs';
import { Description } from '../integration/lib/openapi.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { findings } from './axe.mjs';
import { openBrowser } from './page.mjs';

async function open(t, system, { browser, ...options } = {}) {
  const page = await (browser ?? await openBrowser(t)).newPage(options);
  page.problems = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && page.problems.push(message.text()));
  page.on('pageerror', (error) => page.problems.push(error.message));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => console.error('refused', violatedDirective, blockedURI)));
  await page.goto(`${system.comment}/api`);
  await page.locator('#groups article').first().waitFor();
  for (const [name, url] of [['Statistics', system.statistics], ['Manager', system.manager]]) await page.locator('#servers').getByLabel(name, { exact: true }).fill(url);
  return page;
}

// Runs an operation; returns its status line.
async function run(page, id) {
  await page.locator(`#${id} .answer`).evaluate((answer) => answer.replaceChildren());
  await page.locator(`#${id} .run`).click();
  await page.locator(`#${id} .status`).waitFor();
  return page.locator(`#${id} .status`).textContent();
}
const bodyOf = async (page, id) => JSON.parse(await page.locator(`#${id} .body`).textContent());

scenario('it lists every operation, and runs them as they are filled in', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const page = await open(t, system);
  const description = await Description.of(system.comment);
  const all = [...new Set(description.operations().map(({ operation }) => operation.operationId))];
  assert.deepEqual((await page.locator('article').evaluateAll((articles) => articles.map(({ id }) => id))).sort(), all.sort());
  for (const role of ['Comment API', 'Readers', 'Statistics', 'Manager', 'Every part']) assert.ok(await page.locator('#contents h2', { hasText: role }).count(), role);
  assert.match(await run(page, 'registerVideo'), /^200 OK/);
  assert.match(await run(page, 'resolveVideo'), /^200 OK/);
  assert.match(await run(page, 'postComment'), /^201 Created/);
  assert.equal((await bodyOf(page, 'postComment')).comment.comment, 'Great video!');
  assert.match(await run(page, 'listComments'), /^200/);
  assert.equal((await bodyOf(page, 'listComments')).comments.length, 1);
  assert.match(await run(page, 'getStatistics'), /^200/);
  assert.match(await run(page, 'reportClient'), /^403/, 'a browser sends an Origin');
  assert.match(await page.locator('#reportClient .line').textContent(), /^curl -H 'Content-Type: application\/json' -d '\{[^]*\}' 'http:\/\/\S+\/client-statistics'$/);
  await page.locator('#resolveVideo select').selectOption('manager');
  assert.match(await run(page, 'resolveVideo'), /^200/);
  for (const id of ['getHealth', 'getRoot']) {
    for (const role of ['comment', 'reader', 'statistics', 'manager']) {
      await page.locator(`#${id} select`).selectOption(role);
      assert.match(await run(page, id), /^200/, `${id} at ${role}`);
    }
  }
  assert.deepEqual(page.problems.filter((text) => !/ 403 /.test(text)), []);
});

scenario('a stream shows its events as they come, at the reader that has the video, until it is stopped', async (t) => {
  const system = await t.system();
  const page = await open(t, system);
  const { readerUrl } = (await run(page, 'registerVideo')) && (await bodyOf(page, 'registerVideo'));
  assert.equal(await page.locator('#servers').getByLabel('Readers', { exact: true }).inputValue(), readerUrl);
  const other = system.others(readerUrl)[0];
  for (const [address, id] of [[readerUrl, 'watchVideo'], [other, 'watchVideo'], [readerUrl, 'watchVideoByPost']]) {
    await page.locator('#servers').getByLabel('Readers', { exact: true }).fill(address);
    assert.match(await run(page, id), /^200, events as they come/);
    const { comment, id: number } = await post(system, 'video1', `hello ${id} <b>"é"</b>`);
    const event = page.locator(`#${id} .events li`, { hasText: number });
    await event.waitFor();
    assert.equal(JSON.parse(await event.locator('code').textContent()).comment, comment);
    assert.match(await page.locator(`#${id} .events li`).first().textContent(), /"connected"/);
    assert.equal(await page.locator(`#${id} .run`).textContent(), 'Stop');
    await page.locator(`#${id} .run`).click();
    await until(async () => /^200, stopped after \d+ events/.test(await page.locator(`#${id} .status`).textContent()), 'the stream to stop');
    assert.equal(await page.locator(`#${id} .run`).textContent(), 'Run');
  }
  assert.deepEqual(page.problems, []);
});

scenario('what is refused, and what does not answer, is said', async (t) => {
  const system = await t.system();
  const page = await open(t, system);
  await page.locator('#postComment textarea').fill('{"userid":');
  assert.match(await run(page, 'postComment'), /^400/);
  assert.equal((await bodyOf(page, 'postComment')).code, 'invalid_json');
  await page.locator('#servers').getByLabel('Statistics', { exact: true }).fill('http://127.0.0.1:1');
  await page.locator('#getStatistics select').selectOption('statistics');
  assert.match(await run(page, 'getStatistics'), /^No answer\./);
  await page.locator('#servers').getByLabel('Manager', { exact: true }).fill('http://127.0.0.1:6000');
  await page.locator('#resolveVideo select').selectOption('manager');
  assert.match(await run(page, 'resolveVideo'), /refuse port 6000/);
  await page.locator('#resolveVideo [name=videoid]').fill('');
  await page.locator('#resolveVideo .run').click();
  assert.ok(await page.locator('#resolveVideo [name=videoid]').evaluate((input) => input.matches(':focus')), 'a required field that is empty');
});

scenario('the keyboard is enough', async (t) => {
  const system = await t.system();
  const page = await open(t, system);
  await page.reload();
  await page.locator('#groups article').first().waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the operations');
  await page.keyboard.press('Enter');
  const focused = () => page.evaluate(() => document.activeElement.closest('article')?.id + ' ' + document.activeElement.textContent);
  for (let i = 0; i < 100 && (await focused()) !== 'registerVideo Run'; i++) await page.keyboard.press('Tab');
  assert.equal(await focused(), 'registerVideo Run');
  await page.keyboard.press('Enter');
  await page.locator('#registerVideo .status').waitFor();
  assert.match(await page.locator('#registerVideo .status').textContent(), /^200/);
});

scenario('axe finds nothing, in light and dark, on a wide screen and on a phone', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  const browser = await openBrowser(t);
  for (const [colorScheme, width] of [['light', 1280], ['dark', 390]]) {
    const page = await open(t, system, { browser, colorScheme, viewport: { width, height: 900 } });
    await run(page, 'registerVideo');
    await run(page, 'postComment');
    await run(page, 'watchVideo');
    await page.locator('#watchVideo .events li').first().waitFor();
    await page.locator('details').evaluateAll((all) => all.forEach((each) => (each.open = true)));
    assert.deepEqual(await findings(page), [], colorScheme);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} pixels on a screen of ${width}`);
    assert.deepEqual(page.problems, []);
    await page.close();
  }
});
