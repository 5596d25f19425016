import assert from 'node:assert/strict';
import { post, readerFigures } from '../lib/api.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { scenario } from '../lib/scenario.mjs';

const names = (count) => Array.from({ length: count }, (_, i) => `v${i}`);

scenario('a comment on a quiet video wakes one worker, however many there are', async (t) => {
  const system = await t.system({ flags: { workers: 4 } });
  const crowd = startCrowd(t, system);
  const videos = names(200);
  await crowd.enter(600, videos);
  const before = await readerFigures(system);
  const stored = await Promise.all(videos.map((video) => post(system, video, 'hello')));
  await crowd.reach(stored);
  const after = await readerFigures(system);
  assert.equal(after.wakeups - before.wakeups, 200);
});

scenario('a comment on a busy video wakes each worker once, and without viewers none', async (t) => {
  const system = await t.system({ flags: { workers: 4 } });
  const crowd = startCrowd(t, system);
  await crowd.enter(400, ['busy']);
  const before = await readerFigures(system);
  for (let i = 0; i < 10; i++) await crowd.reach(await post(system, 'busy', `${i}`));
  const during = await readerFigures(system);
  const each = (during.wakeups - before.wakeups) / 10;
  assert.equal(each, 4);
  await Promise.all(names(20).map((video) => post(system, video, 'without viewers')));
  assert.equal((await readerFigures(system)).wakeups, during.wakeups);
});
