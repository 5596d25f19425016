#!/usr/bin/env node
// Makes docs/replay.png: the viewer page while it replays a video that is over, in both themes. By hand, after the page has changed:
//   CHORUS_BIN=build/chorus node tests/browser/replay-picture.mjs
import { moderate, post } from '../integration/lib/api.mjs';
import { startSystem } from '../integration/lib/system.mjs';
import { pause } from '../integration/lib/time.mjs';
import { launchChromium } from './chromium.mjs';
import { shotOf, writeCollage } from './collage.mjs';

const SAID = [
  ['Ann Smith', 'Hello from Lisbon!'], ['Tariq A.', 'The sound is so much better than last week.'], ['Dana K.', 'there it is!!'], ['Bob', 'did you see that?'],
  ['Inês', 'which camera is this?'], ['Oluwaseun', 'the one on the crane, I think'], ['haruka', 'I saw it!'], ['Sam', 'can somebody turn the lights up?'], ['Bob', 'they just did'],
];
const WIDE = { viewport: { width: 1100, height: 640 }, colorScheme: 'light' };
const PHONE = { viewport: { width: 360, height: 640 }, colorScheme: 'dark', isMobile: true, hasTouch: true };

const system = await startSystem();
const browser = await launchChromium();
try {
  await moderate(system, 'launch', 'POST', 'start');
  for (const [name, text] of SAID) {
    await post(system, 'launch', text, { user: name.replace(/\W/g, ''), name });
    await pause(1_500);
  }
  await moderate(system, 'launch', 'POST', 'end');
  const shots = [];
  for (const options of [WIDE, PHONE]) {
    const page = await (await browser.newContext({ deviceScaleFactor: 2, ...options })).newPage();
    await page.goto(`${system.comment}/watch/launch?replay`);
    await page.locator('live-comments .row').nth(6).waitFor({ timeout: 60_000 });
    shots.push(await shotOf(page));
  }
  await writeCollage(browser, 'replay.png', { wide: shots[0], phone: shots[1], height: 640, wideWidth: 930 });
} finally {
  await browser.close();
  await system.release();
}
