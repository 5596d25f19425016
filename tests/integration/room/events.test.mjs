// The event `room`: on joining and on a change, for who asks.
// CI also: up-redis, processes.
import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { commentApis, getRoom, patchRoom, tryPost, refused } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { scaled } from '../lib/time.mjs';

const query = { events: 'room', redirect: 'never' };
const last = (viewer) => viewer.moments.at(-1);
const hasRoom = (viewer, revision) => viewer.wait(() => last(viewer)?.revision === revision, `the room of revision ${revision}`);
const shown = (viewer) => {
  const { at, type, after, ...room } = last(viewer);
  return room;
};
const asked = async (system) => {
  const { videoid, ...room } = await getRoom(system, 'v');
  return room;
};

scenario('who asks gets the room on joining, and each change within a second at every reader', async (t) => {
  const system = await t.system({ comments: 3 });
  const viewers = [];
  for (const reader of system.readers) for (let i = 0; i < 3; i++) viewers.push(await t.watch(reader, { video: 'v', query }));
  const plain = await t.watch(await owner(system, 'v'), { video: 'v' });
  for (const viewer of viewers) await hasRoom(viewer, 0);
  assert.deepEqual(shown(viewers[0]), await asked(system));
  for (const [i, api] of commentApis(system).entries()) {
    await patchRoom({ comment: api }, 'v', { slow_ms: 1000 * (i + 1), frozen: i % 2 === 0 });
    const changed = performance.now();
    for (const viewer of viewers) await hasRoom(viewer, i + 1);
    const late = Math.max(...viewers.map((viewer) => last(viewer).at)) - changed;
    assert.ok(late < scaled(1_000), `the last viewer has it ${late} ms after the answer`);
  }
  for (const viewer of viewers) assert.deepEqual(shown(viewer), await asked(system));
  const newcomer = await t.watch(system.readers[0], { video: 'v', query });
  await hasRoom(newcomer, commentApis(system).length);
  await patchRoom(system, 'v', { frozen: false });
  await plain.reaches((await post(system, 'v', 'hi')).id);
  assert.equal(plain.moments.length, 0);
});

scenario('a reader that comes while the room changes shows what it is in the end', async (t) => {
  const system = await t.system();
  const changes = (async () => {
    for (let i = 1; i <= 30; i++) await patchRoom(system, 'v', { slow_ms: i });
  })();
  const viewers = [];
  for (let i = 0; i < 20; i++) viewers.push(await t.watch(system.readers[i % system.readers.length], { video: 'v', query }));
  await changes;
  for (const viewer of viewers) {
    await hasRoom(viewer, 30);
    const revisions = viewer.moments.map(({ revision }) => revision);
    assert.deepEqual(revisions, revisions.slice().sort((a, b) => a - b), 'never an older one after a newer one');
    assert.equal(last(viewer).slow_ms, 30);
  }
});

scenario('a change whose message is lost is seen within seconds', { setups: ['up-redis', 'processes'], ms: 60_000 }, async (t) => {
  const system = await t.system();
  const viewer = await t.watch(system.readers[0], { video: 'v', query });
  await hasRoom(viewer, 0);
  await system.redis.command('SET', '{video:v}:room', '7 5000 0 0 0 1 0 0 0 *'); // as another process that was killed before it could tell
  await hasRoom(viewer, 7);
  assert.ok(last(viewer).frozen);
  await refused(tryPost(system.comment, 'v', 'ann'), 403, 'frozen');
});
