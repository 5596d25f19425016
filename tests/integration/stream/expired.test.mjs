// CI also: up-redis. Each engine trims its log in its own way.
import assert from 'node:assert/strict';
import { health, owner, post, postMany } from '../lib/api.mjs';
import { parseId } from '../lib/journal.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('a viewer that missed more than is kept gets a gap with the number, then what is kept', async (t) => {
  const system = await t.system({ flags: { 'log-entries': 10, 'log-min-age-ms': 0 } });
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const first = await post(system, 'v', 'one');
  await viewer.reaches(first.id);
  viewer.close();
  const missed = await postMany(system, 'v', 5_000, { atOnce: 32 });
  for (const other of system.readers) {
    const again = await t.watch(other, { video: 'v', from: first.id, query: { redirect: 'never' } });
    await again.reaches(missed.at(-1).id);
    assert.equal(again.gaps.length, 1);
    const [{ from, to, missed: count, reason }] = again.gaps;
    const { epoch } = parseId(first.id);
    assert.deepEqual([from, reason], [`${epoch}-2`, 'expired']);
    assert.equal(count, parseId(to).seq - 1);
    assert.ok(parseId(to).seq <= missed.length + 1 - 10, `the newest 10 are kept, yet the gap ends at ${to}`);
    assert.deepEqual(again.comments, missed.slice(count), 'all that is kept follows');
    const live = await post(system, 'v', 'live');
    await again.reaches(live.id);
    missed.push(live);
  }
});

scenario('a viewer that missed less than is kept gets no gap', async (t) => {
  const system = await t.system({ flags: { 'log-entries': 100, 'log-min-age-ms': 0 } });
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 500);
  const viewer = await t.watch(reader, { video: 'v', from: stored[400].id });
  await viewer.sees(99);
  assert.deepEqual(viewer.comments, stored.slice(401));
  assert.equal(viewer.gaps.length, 0);
});

// Resumes from `from` again and again, until the viewer gets a gap that satisfies `wanted`. In between
// the reader unsubscribes from the video: it may show what it still has in memory although the log has dropped it.
const short = { 'log-age-ms': 1_000, 'unsubscribe-ms': 50 };
const gapFrom = (t, reader, from, newest, wanted) => until(async () => {
  await until(async () => (await health(reader)).subscribedTopics === 0, 'the reader to drop the video');
  const viewer = await t.watch(reader, { video: 'v', from });
  await viewer.reaches(await newest());
  viewer.close();
  return viewer.gaps.find(wanted);
}, 'old comments to expire', 15_000);

scenario('comments older than --log-age-ms expire too, and a gap says so', async (t) => {
  const system = await t.system({ flags: short });
  const reader = await owner(system, 'v');
  const [first] = await postMany(system, 'v', 20, { atOnce: 1 });
  const gap = await gapFrom(t, reader, first.id, async () => (await post(system, 'v', 'new')).id, () => true);
  assert.equal(gap.reason, 'expired');
});

scenario('when everything has expired and nothing new was posted, the gap reaches to the newest number', async (t) => {
  const system = await t.system({ flags: short });
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 20, { atOnce: 1 });
  const newest = stored.at(-1).id;
  const gap = await gapFrom(t, reader, stored[0].id, async () => newest, ({ to }) => to === newest);
  assert.equal(gap.missed, 19);
});
