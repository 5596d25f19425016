// CI also: up-redis, processes, asan, tsan. Publishing is the engine's; all kinds of viewers together.
import assert from 'node:assert/strict';
import { owner, postMany } from '../lib/api.mjs';
import { EventSourceViewer } from '../lib/eventsource.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('every viewer, of whatever kind, sees all comments in the order of their numbers', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const kinds = [{}, { transport: 'undici' }, { method: 'POST' }, { method: 'POST', transport: 'undici' }, { query: { redirect: 'never' } }];
  const viewers = [];
  for (let i = 0; i < 50; i++) viewers.push(await t.watch(reader, { video: 'v', user: `u${i}`, ...kinds[i % kinds.length] }));
  for (const other of system.others(reader)) viewers.push(await t.watch(other, { video: 'v', query: { redirect: 'never' } }));
  const sources = system.readers.map((url) => new EventSourceViewer(url, { video: 'v' }));
  for (const source of sources) {
    t.after(() => source.close());
    await source.opened();
  }
  const stored = await postMany(system, 'v', 1_000, { atOnce: 32, name: 'Zoë' });
  assert.deepEqual(stored.map(({ id }) => Number(id.split('-')[1])), Array.from({ length: 1_000 }, (_, i) => i + 1));
  for (const viewer of viewers) {
    await viewer.sees(1_000);
    assert.deepEqual(viewer.comments, stored);
    assert.equal(viewer.gaps.length, 0);
  }
  for (const source of sources) {
    await source.sees(1_000);
    assert.deepEqual(source.comments, stored);
  }
});

scenario('viewers of one video see no comments of another', async (t) => {
  const system = await t.system();
  const videos = ['a', 'b', 'aa', 'A'];
  const viewers = [];
  for (const video of videos) viewers.push(await t.watch(await owner(system, video), { video }));
  const stored = [];
  for (const video of videos) stored.push(await postMany(system, video, 50));
  for (const [i, viewer] of viewers.entries()) {
    await viewer.sees(50);
    assert.deepEqual(viewer.comments, stored[i]);
  }
});
