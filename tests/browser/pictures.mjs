#!/usr/bin/env node
// Makes docs/page.png: the viewer page of a demo, wide and on a phone. By hand, after the page has changed:
//   CHORUS_BIN=build/chorus node tests/browser/pictures.mjs
// Emoji need a font that has them (Debian: fonts-noto-color-emoji).
import { readFileSync, writeFileSync } from 'node:fs';
import { startSystem } from '../integration/lib/system.mjs';
import { until } from '../integration/lib/time.mjs';
import { launchChromium } from './chromium.mjs';

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
    shots.push(`data:image/png;base64,${(await page.screenshot()).toString('base64')}`);
  }
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.setContent(`<style>
      body { margin: 0; height: 720px; background: #e4e8ee; position: relative; overflow: hidden }
      img { position: absolute; border-radius: 12px; box-shadow: 0 2px 4px #0003, 0 12px 40px #0004 }
      .wide { left: 28px; top: 48px; width: 976px } .phone { right: 28px; top: 66px; width: 272px; border-radius: 26px; border: 5px solid #14171d }
    </style><img class="wide" src="${shots[0]}"><img class="phone" src="${shots[1]}">`);
  const out = new URL('../../docs/page.png', import.meta.url);
  writeFileSync(out, await page.screenshot());
  console.log(`${out.pathname}: ${(readFileSync(out).length / 1024).toFixed(0)} KB`);
} finally {
  await browser.close();
  await system.release();
}
