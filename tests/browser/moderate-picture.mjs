#!/usr/bin/env node
// Makes docs/moderate.png: the moderators' page. By hand, after the page has changed:
//   CHORUS_BIN=build/chorus node tests/browser/moderate-picture.mjs
import { writeFileSync } from 'node:fs';
import { post } from '../integration/lib/api.mjs';
import { tryPost } from '../integration/lib/room.mjs';
import { startSystem } from '../integration/lib/system.mjs';
import { launchChromium } from './chromium.mjs';

const SAID = [
  ['Ann Smith', 'Hello from Lisbon!'], ['Tariq A.', 'The sound is so much better than last week.'], ['Dana K.', 'there it is!!'], ['Bob', 'did you see that?'],
  ['Inês', 'which camera is this?'], ['Oluwaseun', 'the one on the crane, I think'], ['haruka', 'I saw it!'], ['Dana K.', 'no way'],
  ['promo4you', 'BUY FOLLOWERS NOW the best price anywhere'], ['Sam', 'can somebody turn the lights up?'], ['Bob', 'they just did'],
];
const WAIT = [['newcomer', 'First time here. Is there a recording of the second act?'], ['dan', 'look at www.example.test/followers, the best price']];

const system = await startSystem();
const browser = await launchChromium();
try {
  const page = await browser.newPage({ viewport: { width: 1100, height: 620 }, colorScheme: 'light' });
  await page.goto(`${system.comment}/moderate/launch`);
  await page.locator('#badge.live').waitFor();
  for (const [name, text] of SAID) await post(system, 'launch', text, { user: name.replace(/\W/g, ''), name });
  await page.getByRole('button', { name: 'Room' }).click();
  await page.getByLabel('Hold comments').check();
  for (const [user, text] of WAIT) await tryPost(system.comment, 'launch', user, text);
  await page.getByRole('button', { name: 'Waiting' }).click();
  await page.locator('#held').getByText('followers').waitFor();
  await page.getByLabel('Close this message').click();
  for (const key of ['1', 'k', 'k', 'k']) await page.keyboard.press(key);
  writeFileSync(new URL('../../docs/moderate.png', import.meta.url), await page.screenshot());
} finally {
  await browser.close();
  await system.release();
}
