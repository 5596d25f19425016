// axe-core on the viewer page, in both themes, wide and on a phone, and in the states that look different.
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { moderate, post } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { findings } from './axe.mjs';
import { FAILED_REQUEST, openBrowser, openWatch } from './watch.mjs';

const SCREENS = { wide: { viewport: { width: 1280, height: 800 } }, phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } };

async function finds(watch, what) {
  assert.deepEqual(await findings(watch.page), [], what);
}

scenario('axe-core finds nothing on the page, in any theme, size and state', { ms: 120_000 }, async (t) => {
  const system = await t.system({ stable: true });
  await post(system, 'another', 'about something else');
  const pages = [];
  for (const colorScheme of ['light', 'dark']) {
    for (const [screen, options] of Object.entries(SCREENS)) {
      // Colours are looked at when nothing moves.
      const context = await openBrowser(t, { colorScheme, reducedMotion: 'reduce', ...options });
      const watch = await openWatch(t, system, { context, expect: [FAILED_REQUEST, /ERR_/] });
      pages.push([`${colorScheme}, ${screen}`, watch]);
    }
  }
  for (let i = 0; i < 18; i++) await post(system, 'v', i % 3 ? `comment ${i}` : `a long comment, which goes on ${'and on '.repeat(60)}`, { user: `u${i % 5}`, name: `Name ${i % 5}` });
  for (const [what, watch] of pages) {
    await watch.sees('comment 17');
    await watch.column.say('one of my own');
    await watch.sees('one of my own');
    await finds(watch, `${what}, live`);
    await watch.column.list.evaluate((list) => (list.scrollTop = 0));
    await watch.column.jump.waitFor();
    await finds(watch, `${what}, frozen`);
    await watch.column.find('.rename').click();
    await finds(watch, `${what}, choosing a name`);
    await watch.column.input.fill('x'.repeat(2_100));
    await finds(watch, `${what}, too long`);
    await watch.page.locator('#help-button').click();
    await finds(watch, `${what}, help`);
    await watch.page.keyboard.press('Escape');
  }
  await moderate(system, 'v', 'POST', 'end');
  for (const [what, watch] of pages) {
    await watch.page.getByRole('button', { name: 'Replay the comments' }).waitFor();
    await finds(watch, `${what}, ended`);
    await watch.page.getByRole('button', { name: 'Replay the comments' }).click();
    await watch.sees('comment 17');
    await finds(watch, `${what}, replay`);
    assert.equal(await watch.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${what}, its width`);
  }
  await moderate(system, 'v', 'POST', 'start');
  for (const [, watch] of pages) {
    await watch.page.getByRole('button', { name: 'Leave the replay' }).click();
    await watch.page.locator('#badge.live').waitFor();
  }
  await system.stop('SIGKILL');
  for (const [what, watch] of pages) {
    await watch.page.locator('#badge.reconnecting').waitFor();
    await watch.problem.getByText('does not answer').waitFor();
    await finds(watch, `${what}, reconnecting`);
  }
});
