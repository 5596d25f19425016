// A subscription that falls silent while nothing is closed. Only messages to oneself through it reveal that.
// Set-ups: up-redis.
import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { startProxy } from '../lib/proxy.mjs';
import { RedisServer } from '../lib/redis.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('a connection that no longer delivers is noticed, and what was missed arrives', { setups: ['up-redis'], ms: 60_000 }, async (t) => {
  const redis = new RedisServer();
  t.after(() => redis.release());
  await redis.start();
  const proxy = await startProxy(redis.port);
  t.after(() => proxy.close());
  const system = await t.system({ args: ['--redis', `redis://127.0.0.1:${proxy.port}`] });
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'heard')).id);

  for (let round = 0; round < 2; round++) {
    assert.equal(proxy.mute('chorus-subscriber'), 1);
    await post(system, 'v', 'into the void');
    const { id } = await post(system, 'v', 'and one more');
    await viewer.reaches(id);
  }
  assert.match(system.stderr, /redis_subscriber_lost why="[^"]*does not deliver what is published/);
  assert.equal(viewer.comments.length, 5);
  assert.deepEqual(viewer.gaps, []);
  assert.equal(viewer.ended, false);
});
