#!/usr/bin/env node
// Makes docs/page.png: the viewer page of a demo, wide and on a phone. By hand, after the page has changed:
//   CHORUS_BIN=build/chorus node tests/browser/pictures.mjs
// Emoji need a font that has them (Debian: fonts-noto-color-emoji).
import { startSystem } from '../integration/lib/system.mjs';
import { until } from '../integration/lib/time.mjs';
import { launchChromium } from './chromium.mjs';
import { shotOf, writeCollage } from './collage.mjs';

const VIDEO = 'video3';
const WIDE = { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' };
const PHONE = { viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, hasTouch: true };
const SAID = ['Hello from the front row!', 'my cat agrees'];

const system = await startSystem({ args: ['--demo'] });
const browser = await launchChromium();
try {
  const shots = [];
  for (const options of [WIDE, PHONE]) {
    const page = await (await browser.newContext({ deviceScaleFactor: 2, ...options })).newPage();
    await page.goto(`${system.comment}/watch/${VIDEO}`);
    await page.locator('#badge.live').waitFor();
    const rows = () => page.locator('live-comments .row').count();
    await until(async () => (await rows()) >= 14, 'a conversation', 60_000);
    await page.locator('live-comments textarea').fill(SAID[shots.length]);
    await page.locator('live-comments textarea').press('Enter');
    const before = await rows();
    await until(async () => (await rows()) >= before + 3, 'more of it', 60_000);
    shots.push(await shotOf(page));
  }
  await writeCollage(browser, 'page.png', { wide: shots[0], phone: shots[1], height: 720, wideWidth: 976 });
} finally {
  await browser.close();
  await system.release();
}
