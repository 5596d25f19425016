// axe-core on the moderators' page, in both themes, wide and on a small phone.
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { post } from '../integration/lib/api.mjs';
import { ban, patchRoom, tryPost, waits } from '../integration/lib/room.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { findings } from './axe.mjs';
import { FAILED_REQUEST, openWatch } from './watch.mjs';

scenario('axe-core finds nothing, and nothing is wider than a small phone', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  for (let i = 0; i < 12; i++) await post(system, 'v', i % 3 ? `comment ${i}` : 'long '.repeat(60), { user: `u${i % 5}` });
  await ban(system, 'v', 'eve', {});
  await patchRoom(system, 'v', { hold: true });
  await waits(tryPost(system.comment, 'v', 'ann', 'let me in'), 'moderator');
  for (const [colorScheme, viewport] of [['light', { width: 1280, height: 800 }], ['dark', { width: 360, height: 740 }]]) {
    const desk = await openWatch(t, system, { path: '/moderate/v', colorScheme, viewport, expect: [FAILED_REQUEST] });
    await desk.sees('comment 11');
    await desk.page.keyboard.press('1');
    for (const part of ['1', '2', '3', '4', '?']) {
      await desk.page.keyboard.press(part);
      assert.deepEqual(await findings(desk.page), [], `${colorScheme}, ${part}`);
    }
    assert.equal(await desk.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  }
});
