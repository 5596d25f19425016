// Set-ups: processes.
// Long: 20.
// A reader is killed for good under the page: another takes the video over, and the page follows.
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { owner, post } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { pause } from '../integration/lib/time.mjs';
import { FAILED_REQUEST, openWatch } from './watch.mjs';

scenario('the reader is killed for good: nothing is missed, and the page is back soon', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const watch = await openWatch(t, system, { expect: [FAILED_REQUEST, /ERR_/] });
  const reader = await owner(system, 'v');
  const name = system.program.names.find((part) => part.startsWith('reader-') && system.readers[Number(part.split('-')[1]) - 1] === reader);
  const stored = [];
  let posting = true;
  const poster = (async () => {
    for (let i = 0; posting; i++) {
      stored.push((await post(system, 'v', `comment ${i}`)).comment);
      await pause(50);
    }
  })();
  await watch.sees('comment 3');
  const killed = Date.now();
  await system.program.end1(name, 'SIGKILL');
  const posted = stored.length;
  await watch.column.wait((rows) => rows.some(({ text }) => text === `comment ${posted + 1}`), 'what was posted after the loss', 20_000);
  await watch.column.live();
  const ms = Date.now() - killed;
  posting = false;
  await poster;
  await watch.sees(stored.at(-1));
  assert.deepEqual(await watch.column.texts(), stored.slice(-200), 'every comment, in order, once');
  assert.equal(await watch.column.find('.gap').count(), 0);
  assert.notEqual(await owner(system, 'v'), reader);
  console.log(`# the page was back after ${ms} ms`);
  assert.ok(ms < 15_000, `back after ${ms} ms`);
});
