#!/usr/bin/env node
// Makes docs/moderate.png: the moderators' page of a demo. By hand, after the page has changed:
//   CHORUS_BIN=build/chorus node tests/browser/moderate-picture.mjs
import { writeFileSync } from 'node:fs';
import { tryPost } from '../integration/lib/room.mjs';
import { startSystem } from '../integration/lib/system.mjs';
import { until } from '../integration/lib/time.mjs';
import { launchChromium } from './chromium.mjs';

const WAIT = [['newcomer', 'First time here. Is there a recording of the second act?'], ['dan', 'look at www.example.test/followers, the best price']];

const system = await startSystem({ args: ['--demo'] });
const browser = await launchChromium();
try {
  const page = await browser.newPage({ viewport: { width: 1100, height: 620 }, colorScheme: 'light' });
  await page.goto(`${system.comment}/moderate/video3`);
  await until(async () => (await page.locator('live-comments .row').count()) >= 12, 'a conversation', 60_000);
  await page.getByRole('button', { name: 'Room' }).click();
  await page.getByLabel('Hold comments').check();
  for (const [user, text] of WAIT) await tryPost(system.comment, 'video3', user, text);
  await page.getByRole('button', { name: 'Waiting' }).click();
  await page.locator('#held').getByText('followers').waitFor();
  await page.getByLabel('Close this message').click();
  for (const key of ['1', 'k', 'k']) await page.keyboard.press(key);
  writeFileSync(new URL('../../docs/moderate.png', import.meta.url), await page.screenshot());
} finally {
  await browser.close();
  await system.release();
}
