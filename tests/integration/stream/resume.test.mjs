// Also on: sentinel, cluster. Processes find their Redis in another way.
// CI also: up-redis, processes, asan, tsan. The log is read by the engine, and joins the live stream.
import assert from 'node:assert/strict';
import { owner, post, postMany } from '../lib/api.mjs';
import { EventSourceViewer } from '../lib/eventsource.mjs';
import { scenario } from '../lib/scenario.mjs';

const ways = [
  { via: 'header' }, { via: 'header', method: 'POST' }, { via: 'query' }, { via: 'query', method: 'POST' }, { via: 'body', method: 'POST' },
];

for (const way of ways) {
  scenario(`resume by ${way.via}, ${way.method ?? 'GET'}: exactly what was missed, then live comments comments`, async (t) => {
    const system = await t.system();
    const reader = await owner(system, 'v');
    const viewer = await t.watch(reader, { video: 'v', ...way });
    const seen = await postMany(system, 'v', 5);
    await viewer.reaches(seen.at(-1).id);
    viewer.close();
    const missed = await postMany(system, 'v', 7);
    const again = viewer.again();
    t.after(() => again.close());
    await again.connect(reader);
    await again.reaches(missed.at(-1).id);
    assert.equal(again.connected.id, seen.at(-1).id);
    const live = await post(system, 'v', 'live');
    await again.reaches(live.id);
    assert.deepEqual(again.comments, [...seen, ...missed, live]);
    assert.equal(again.gaps.length, 0);
  });
}

scenario('a viewer cut before its first comment resumes without a hole', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  viewer.close();
  const missed = await postMany(system, 'v', 3);
  const again = await viewer.again().connect(reader);
  t.after(() => again.close());
  await again.sees(3);
  assert.deepEqual(again.comments, missed);
});

scenario('resume works at another reader', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'one')).id);
  viewer.close();
  await postMany(system, 'v', 20);
  for (const query of [{ redirect: 'never' }, {}]) {
    const again = await viewer.again({ query }).connect(system.others(reader)[0]);
    t.after(() => again.close());
    const { id } = await post(system, 'v', 'more');
    await again.reaches(id);
    again.close();
  }
  assert.equal(viewer.comments.length, 23);
});

scenario('resume at the newest position sends nothing old, at the beginning everything', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const start = (await t.watch(reader, { video: 'v' })).position;
  const stored = await postMany(system, 'v', 900, { atOnce: 32 });
  const all = await t.watch(reader, { video: 'v', from: start });
  await all.sees(900);
  assert.deepEqual(all.comments, stored);
  const newest = await t.watch(reader, { video: 'v', from: stored.at(-1).id });
  const { id } = await post(system, 'v', 'next');
  await newest.reaches(id);
  assert.equal(newest.comments.length, 1);
});

scenario('many resume at once while comments keep coming: no hole where the log meets the live stream', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const start = (await t.watch(reader, { video: 'v' })).position;
  const posting = postMany(system, 'v', 800, { atOnce: 4 });
  const viewers = await Promise.all(Array.from({ length: 80 }, async (_, i) => {
    // The first viewer of a reader makes it subscribe at this very moment.
    const viewer = await t.watch(system.readers[i % 3], { video: 'v', from: start, query: { redirect: 'never' } });
    for (let cuts = 0, current = viewer; cuts < 5; cuts++) {
      await current.sees(Math.min(current.comments.length + 20, 800)).catch(() => {});
      current = await current.again().connect(system.readers[(i + cuts) % 3]);
      t.after(() => current.close());
      viewer.last = current;
    }
    return viewer.last;
  }));
  const stored = await posting;
  for (const viewer of viewers) {
    await viewer.reaches(stored.at(-1).id);
    assert.deepEqual(viewer.comments, stored);
  }
});

scenario('an EventSource that is cut resumes by itself', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  const source = new EventSourceViewer(await owner(system, 'v'), { video: 'v' });
  t.after(() => source.close());
  await source.opened();
  const before = await postMany(system, 'v', 10);
  await source.sees(10);
  await system.restart('SIGKILL');
  const after = await postMany(system, 'v', 10);
  await source.sees(20);
  assert.deepEqual(source.comments, [...before, ...after]);
  // Not of its last request: where the machine is busy, the reader may lose its lease and the stream is cut once more.
  assert.ok(source.requests.some(({ from }) => from === before.at(-1).id), JSON.stringify(source.requests));
  assert.equal(source.gaps.length, 0);
});

scenario('Last-Event-ID is newer than a last_event_id in the address: the header counts', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 10);
  const viewer = await t.watch(reader, { video: 'v', from: stored[7].id, via: 'header', query: { last_event_id: stored[0].id } });
  await viewer.reaches(stored[9].id);
  assert.deepEqual(viewer.comments, stored.slice(8));
});
