// Set-ups: embedded.
// CI: no. It takes long; tests/integration/address has what it rests on.
// A demo on a single port in Chromium: its dashboard kills a reader, whose viewers go on.
import assert from 'node:assert/strict';
import { postMany, resolve } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { openBrowser, openWatch } from './watch.mjs';

scenario('the dashboard at the single port kills the reader of a page there, which misses nothing', { setups: ['embedded'], ms: 90_000 }, async (t) => {
  const system = await t.system({ flags: { 'single-port': true, demo: true, 'demo-restart-ms': 5_000, 'log-level': 'warn' } });
  const context = await openBrowser(t);
  const watch = await openWatch(t, system, { context, expect: [/^Failed to load resource/] });
  const [, name] = (await resolve(system, 'v')).readerUrl.match(/\/(reader-\d)$/);

  const page = await context.newPage();
  const problems = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(`${system.comment}/dashboard`);
  const row = page.locator('#rows tr', { hasText: name });
  await row.getByRole('button', { name: `Kill ${name}` }).press('Enter');
  await row.locator('.sure').press('Enter');
  await page.locator('#headline', { hasText: `Reader lost: ${name}` }).waitFor();

  await postMany(system, 'v', 5, { text: (i) => `meanwhile ${i}` });
  await watch.sees(...[0, 1, 2, 3, 4].map((i) => `meanwhile ${i}`));
  await page.locator('#feed', { hasText: `${name} is back` }).waitFor();
  await until(async () => /All is well/.test(await page.locator('#headline').innerText()), 'the end of the alarm', 30_000);
  assert.deepEqual(problems, []);
});
