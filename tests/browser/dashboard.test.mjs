// The dashboard in Chromium: figures move, a reader is killed from the page, the stream resumes, axe-core finds nothing.
import assert from 'node:assert/strict';
import { call } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { findings } from './axe.mjs';
import { launch } from './embedding.mjs';

const note = (page) => {
  const wrong = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(error.message));
  return wrong;
};

const open = async (t, url, options = {}) => {
  const page = await (await (await launch(t)).newContext(options)).newPage();
  const wrong = note(page);
  await page.goto(url);
  return { page, wrong };
};

const text = (page, selector) => page.locator(selector).innerText();
const waitText = (page, selector, pattern, ms = 20_000) =>
  until(async () => pattern.test(await text(page, selector)), async () => `${selector} to be ${pattern}`, ms);
const tile = (page, label) => page.locator('.tile').filter({ has: page.getByText(label, { exact: true }) }).locator('.value').innerText();

scenario('in a demo the tiles move, a reader is killed from the page, is shown as lost, and comes back', { ms: 100_000 }, async (t) => {
  const system = await t.system({ args: ['--demo', '--demo-restart-ms', '5000'] });
  const { page, wrong } = await open(t, system.statistics);
  await waitText(page, '#headline', /All is well/);
  await until(async () => (await tile(page, 'Viewers')) === '19', 'the viewers of the demo', 20_000);
  await until(async () => Number(await tile(page, 'Deliveries')) > 0, 'deliveries', 30_000);
  await until(async () => (await page.locator('#videos li').count()) === 6, 'its videos', 20_000);
  assert.match(await page.locator('.chart canvas').first().getAttribute('aria-label'), /^Viewers, the last \d+ minutes\. Viewers: now 19/);
  assert.equal(await page.locator('#rows tr').count(), 3);

  // Asked in place, and may be called off, by keyboard.
  const row = page.locator('#rows tr', { hasText: 'reader-2' });
  await row.getByRole('button', { name: 'Kill reader-2' }).press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Kill');
  await page.keyboard.press('Enter');
  await row.locator('.sure').press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'note', 'the focus stays in the row');
  await waitText(page, '#headline', /Reader lost: reader-2/);
  assert.equal(await page.locator('#verdict').getAttribute('data-level'), 'bad');
  assert.match(await row.innerText(), /lost/);
  await waitText(page, '#feed', /reader-2 lost/);
  await waitText(page, '#feed', /moved from reader-2 to reader-[13]/);
  await waitText(page, '#feed', /reader-2 is back/, 30_000);
  await waitText(page, '#headline', /All is well/, 30_000);
  await row.getByRole('button', { name: 'Kill reader-2' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Kill');
  assert.deepEqual(wrong, []);
});

scenario('the charts can be read with the keyboard, and are drawn in the size of the screen', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const { page, wrong } = await open(t, system.statistics, { deviceScaleFactor: 2 });
  await until(async () => (await page.locator('#rows tr').count()) === 3, 'three readers', 20_000);
  const canvas = page.locator('.chart canvas').first();
  await canvas.focus();
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.locator('.chart .summary').first().textContent(), /Viewers 0/);
  assert.ok(await page.locator('.chart .tip').first().isVisible());
  await page.keyboard.press('Escape');
  assert.ok(!(await page.locator('.chart .tip').first().isVisible()));
  const sizes = await canvas.evaluate(({ width, clientWidth, height, clientHeight }) => [width - 2 * clientWidth, height - 2 * clientHeight]);
  assert.ok(sizes.every((difference) => Math.abs(difference) <= 2), sizes.join());
  assert.deepEqual(wrong, []);
});

scenario('when the server goes away the figures are marked as old, and the charts go on without a hole when it is back', { ms: 90_000 }, async (t) => {
  const system = await t.system({ stable: true });
  const { page } = await open(t, system.statistics);
  await waitText(page, '#headline', /All is well/);
  await system.stop();
  await waitText(page, '#headline', /No data for \d+ s/);
  assert.ok(await page.locator('body[data-stale]').count());
  await system.restart();
  await waitText(page, '#headline', /All is well/, 30_000);
  assert.equal(await page.locator('body[data-stale]').count(), 0);
});

// Any program on the same Redis can publish one.
scenario('a notice of an unknown kind is shown as text, whatever its name is', async (t) => {
  const system = await t.system();
  const { json } = await call('GET', `${system.statistics}/dashboard`);
  const kinds = ['constructor', '__proto__', 'toString', '<img src=x onerror=alert(1)>'];
  const history = { fields: ['at'], rows: [], notices: kinds.map((kind, i) => ({ kind, at: Date.now() + i })) };
  const event = (type, data) => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  const browser = await launch(t);
  const page = await browser.newPage();
  const wrong = note(page);
  await page.route('**/events', (route) => route.fulfill({
    contentType: 'text/event-stream', body: event('hello', { version: '1' }) + event('history', history) + event('sample', json) + event('notice', { kind: 'last', at: Date.now() + 9 }),
  }));
  await page.goto(system.statistics);
  await waitText(page, '#feed', /last/);
  for (const kind of kinds) assert.ok((await text(page, '#feed')).includes(kind), kind);
  assert.deepEqual(wrong, []);
});

for (const colorScheme of ['light', 'dark']) {
  scenario(`axe-core finds nothing, ${colorScheme}, wide and on a phone, also with a lost reader`, { ms: 90_000 }, async (t) => {
    const system = await t.system({ args: ['--demo', '--demo-restart-ms', '60000'] });
    const { page, wrong } = await open(t, system.statistics, { colorScheme, viewport: { width: 1400, height: 1000 } });
    await until(async () => (await page.locator('#rows tr').count()) === 3, 'three readers', 20_000);
    assert.deepEqual(await findings(page), []);
    await page.getByRole('button', { name: 'Kill reader-1' }).click();
    await page.locator('.sure:visible').click();
    await waitText(page, '#headline', /lost/);
    assert.deepEqual(await findings(page), []);
    await page.setViewportSize({ width: 390, height: 844 });
    assert.deepEqual(await findings(page), []);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(overflow, 0, 'nothing is wider than the screen');
    assert.deepEqual(wrong, []);
  });
}
