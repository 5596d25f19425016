import assert from 'node:assert/strict';
import { owner } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { curl, openPage } from './page.mjs';

scenario('an EventSource in Chromium shows comments typed by hand with curl', async (t) => {
  const system = await t.system();
  const page = await openPage(t);
  await page.watch(`${await owner(system, 'v')}/connect?userid=u&videoid=v`);
  const texts = ['Great video!', 'two\nlines\r\nand a half', 'data: forged\n\ndata: x', '<b>bold</b> \u2028 😀'];
  const stored = [];
  for (const text of texts) stored.push(await curl(system, 'v', text, { name: 'Zoë' }));
  await page.wait(({ comments }) => comments.length >= texts.length, 'all comments');
  assert.deepEqual((await page.seen()).comments, stored);
  assert.equal(await page.page.locator('#comments li').first().textContent(), 'Zoë: Great video!');
  assert.equal(await page.page.locator('#comments b').count(), 0);
});
