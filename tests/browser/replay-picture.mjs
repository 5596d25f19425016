#!/usr/bin/env node
// Makes docs/replay.png: the viewer page while it replays a video that is over, in both themes. By hand, after the page has changed:
//   CHORUS_BIN=build/chorus node tests/browser/replay-picture.mjs
import { writeFileSync } from 'node:fs';
import { moderate, post } from '../integration/lib/api.mjs';
import { startSystem } from '../integration/lib/system.mjs';
import { launchChromium } from './chromium.mjs';

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
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  }
  await moderate(system, 'launch', 'POST', 'end');
  const shots = [];
  for (const options of [WIDE, PHONE]) {
    const page = await (await browser.newContext({ deviceScaleFactor: 2, ...options })).newPage();
    await page.goto(`${system.comment}/watch/launch?replay`);
    await page.locator('live-comments .row').nth(6).waitFor({ timeout: 60_000 });
    shots.push(`data:image/png;base64,${(await page.screenshot()).toString('base64')}`);
  }
  const page = await browser.newPage({ viewport: { width: 1280, height: 640 } });
  await page.setContent(`<style>
      body { margin: 0; height: 640px; background: #e4e8ee; position: relative; overflow: hidden }
      img { position: absolute; border-radius: 12px; box-shadow: 0 2px 4px #0003, 0 12px 40px #0004 }
      .wide { left: 28px; top: 48px; width: 930px } .phone { right: 28px; top: 66px; width: 272px; border-radius: 26px; border: 5px solid #14171d }
    </style><img class="wide" src="${shots[0]}"><img class="phone" src="${shots[1]}">`);
  writeFileSync(new URL('../../docs/replay.png', import.meta.url), await page.screenshot());
} finally {
  await browser.close();
  await system.release();
}
