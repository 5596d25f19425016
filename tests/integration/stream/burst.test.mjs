// The log keeps recent comments, however many, within a bound on bytes.
// CI also: up-redis. Each engine bounds its log in its own way.
import assert from 'node:assert/strict';
import { owner, post, postMany } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('1,100 comments within seconds do not prevent a viewer from resuming', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const first = await post(system, 'v', 'first');
  const viewer = await t.watch(reader, { video: 'v' });
  await viewer.wait(() => viewer.position === first.id, 'to stand at the first');
  viewer.close();
  const missed = await postMany(system, 'v', 1_100);
  const again = viewer.again();
  t.after(() => again.close());
  await again.connect(reader);
  await again.reaches(missed.at(-1).id);
  assert.deepEqual(again.comments.map(({ id }) => id), missed.map(({ id }) => id));
  assert.deepEqual(again.gaps, []);
});

scenario('recent comments are kept within --log-video-bytes; beyond it the newest stay', { ms: 60_000 }, async (t) => {
  const flags = { 'log-entries': 20, 'log-video-bytes': 100_000 };
  const system = await t.system({ flags });
  const reader = await owner(system, 'v');
  const first = await post(system, 'v', 'first');
  await postMany(system, 'v', 400, { text: () => 'x'.repeat(2_000) });
  const last = await post(system, 'v', 'last');
  const viewer = await t.watch(reader, { video: 'v', from: first.id });
  await viewer.reaches(last.id);
  assert.equal(viewer.gaps.length, 1);
  assert.equal(viewer.gaps[0].reason, 'expired');
  assert.ok(viewer.comments.length >= 20 && viewer.comments.length < 150, `${viewer.comments.length} kept`);
});

scenario('without --log-min-age-ms only the number counts', { ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { 'log-entries': 20, 'log-min-age-ms': 0 } });
  const reader = await owner(system, 'v');
  const first = await post(system, 'v', 'first');
  const last = (await postMany(system, 'v', 100)).at(-1);
  const viewer = await t.watch(reader, { video: 'v', from: first.id });
  await viewer.reaches(last.id);
  assert.equal(viewer.comments.length, 20);
});
