// A Redis Cluster on bad days: what takes long.
// Set-ups: cluster.
// CI: no. redis/cluster has the short form.
// Long: 100.
import assert from 'node:assert/strict';
import { post } from '../lib/api.mjs';
import { RedisCluster, slotOf } from '../lib/cluster.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['cluster'];
const flags = { 'log-entries': 100_000 };
const SECOND = 1_000;

scenario('kill -9 of a primary: comments within a second of the promotion; what is lost is announced; other videos go on', { setups, ms: 90_000 }, async (t) => {
  const system = await t.system({ flags, redis: new RedisCluster({ replicas: 1 }) });
  const { redis } = system;
  const load = await startLoad(t, system, { everyMs: 10 });
  const primary = await redis.ownerOf(slotOf('video:one'));
  await primary.kill9();
  const at = await redis.promoted(primary);
  const first = await load.until(async () => post(system, 'one', 'after').then(() => performance.now(), () => undefined), 'a comment');
  assert.ok(first - at < SECOND, `the first comment was acknowledged ${first - at} ms after the promotion`);
  await load.more(20);
  await load.prove({ gaps: ['epoch'], lossy: true });
});

scenario('100 slots move under load, with those of the watched videos among them: no video is silent for a second', { setups, ms: 140_000 }, async (t) => {
  const system = await t.system({ flags, redis: new RedisCluster({ timeoutMs: 5_000 }) });
  const { redis } = system;
  const load = await startLoad(t, system, { everyMs: 10 });
  const hot = load.videos.map((video) => slotOf(`video:${video}`));
  let longest = 0, moving = true;
  const watching = (async () => {
    while (moving) longest = Math.max(longest, await load.more(1, 30_000));
  })();
  for (let i = 0; i < 100; i++) {
    const slot = i % 3 ? (i * 163) % 16_384 : hot[(i / 3) % 3];
    const owner = await redis.ownerOf(slot);
    await redis.move(slot, owner, redis.primaries[(redis.primaries.indexOf(owner) + 1) % 3]);
  }
  moving = false;
  await watching;
  assert.ok(longest < SECOND, `a video was silent for ${longest} ms`);
  await load.prove();
});

scenario('a primary dies, comes back as a replica, and is promoted again, three times under load', { setups, ms: 140_000 }, async (t) => {
  const system = await t.system({ flags, redis: new RedisCluster({ replicas: 1 }) });
  const { redis } = system;
  const load = await startLoad(t, system, { everyMs: 10 });
  for (let round = 0; round < 3; round++) {
    const primary = await redis.ownerOf(slotOf('video:one'));
    await primary.kill9();
    await redis.promoted(primary);
    await load.more(5, 30_000);
    await primary.start();
    await redis.follows(primary);
  }
  await load.prove({ gaps: ['epoch'], lossy: true });
});
