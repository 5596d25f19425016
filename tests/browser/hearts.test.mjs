// Set-ups: embedded.
import assert from 'node:assert/strict';
import { call } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { pause, until } from '../integration/lib/time.mjs';
import { embed } from './embedding.mjs';

const seen = (page) => page.evaluate(() => [...document.querySelector('live-comments').shadowRoot.querySelector('.hearts').children].map((heart) => ({
  text: heart.textContent, still: heart.className === 'still', animations: heart.getAnimations().length })));

async function hearts(system, page, wanted) {
  let last;
  for (let i = 0; i < 20; i++)
    assert.equal((await call('POST', `${system.comment}/videos/v/reactions`, { json: { userid: `u${i}`, kind: i ? 'heart' : 'unknown' } })).status, 202);
  await until(async () => wanted(last = await seen(page)), () => `hearts: ${JSON.stringify(last)}`);
  await until(async () => (await seen(page)).length === 0, 'them to be gone');
}

scenario('the heart sends one; refused, it rests, and without the right it stays so', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const { page } = await embed(t, system, { expect: [/status of 4(29|03)/] });
  await until(() => page.evaluate(() => document.querySelector('live-comments').state.name === 'live'), 'the stream');
  const heart = page.locator('live-comments .react'), rests = () => heart.getAttribute('aria-disabled');
  const click = async () => {
    await until(async () => (await rests()) !== 'true', 'the heart to be awake');
    await heart.click();
  };
  await click();
  await until(async () => (await seen(page)).some(({ text }) => text === '♥'), 'its own heart over the column');
  let status = 429;
  await page.route('**/reactions', (route) => route.fulfill({ status, headers: { 'retry-after': '1', 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' },
    contentType: 'application/json', body: JSON.stringify({ error: 'No.', code: 'no' }) }));
  await click();
  await pause(500);
  assert.equal(await rests(), 'true');
  status = 403;
  await click();
  await until(async () => (await heart.getAttribute('title')) === 'No.', 'the reason');
  await pause(500);
  assert.equal(await rests(), 'true');
});

scenario('hearts rise over the column, a few of many; without motion a number stands there for a moment', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const column = await embed(t, system);
  const { page } = column;
  await column.wait(() => true, 'the column');
  await until(() => page.evaluate(() => document.querySelector('live-comments').shadowRoot.textContent.includes('1')), 'the stream');
  await hearts(system, page, (now) => now.length > 0 && now.length <= 12 && now.every(({ text, animations }) => text === '♥' && animations === 1));
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await hearts(system, page, (now) => now.length === 1 && /^♥ \d+$/.test(now[0].text) && now[0].still && !now[0].animations);
});
