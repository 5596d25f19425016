// --confirm-replicas: a comment that is answered 201 is on a replica, so a failover loses none.
// Set-ups: sentinel, up-redis.
// Long: 15.
import assert from 'node:assert/strict';
import { call, post } from '../lib/api.mjs';
import { startLoad } from '../lib/load.mjs';
import { RedisPair } from '../lib/redis.mjs';
import { scenario } from '../lib/scenario.mjs';
import { WatchedRedis } from '../lib/sentinel.mjs';
import { until } from '../lib/time.mjs';

const flags = { 'log-entries': 100_000, 'confirm-replicas': 1, 'confirm-ms': 300 };
const say = (system, comment, key) => call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment }, headers: { 'idempotency-key': key } });

scenario('without a replica that follows it is 503, and a repeat is the same comment', { setups: ['up-redis'] }, async (t) => {
  const system = await t.system({ flags, redis: new RedisPair() });
  const { redis } = system;
  const before = await post(system, 'v', 'before');
  redis.cutLink();
  for (const key of ['a', 'b', 'a', 'a', 'b']) {
    const answer = await say(system, `said with ${key}`, key); // repeats write nothing new, on one connection and the other
    assert.equal(answer.status, 503, answer.text);
    assert.match(answer.headers['retry-after'], /^[1-9]/);
  }
  const ready = await call('GET', `${system.comment}/ready`);
  assert.equal(ready.status, 503);
  assert.match(ready.text, /too few replicas that confirm/);
  redis.link.turnTo(redis.first.port);
  const number = async (key) => {
    const { json } = await until(async () => {
      const answer = await say(system, `said with ${key}`, key);
      return answer.status === 201 && answer;
    }, `a 201 to ${key}`, 20_000);
    return Number(json.comment.id.split('-')[1]);
  };
  const first = Number(before.id.split('-')[1]);
  assert.deepEqual([await number('a'), await number('b')], [first + 1, first + 2]);
  await until(async () => (await call('GET', `${system.comment}/ready`)).status === 200, 'ready', 15_000);
});

scenario('kill -9 of the primary under load: nothing is lost, and nothing has to be announced', { setups: ['sentinel'], ms: 60_000 }, async (t) => {
  const system = await t.system({ flags, redis: new WatchedRedis({ downMs: 500 }) });
  const { redis } = system;
  const load = await startLoad(t, system, { everyMs: 5 });
  await redis.primary.kill9();
  await redis.switched();
  const refused = load.refused;
  // The one that is left has no replica: nothing is acknowledged.
  await load.until(() => load.refused > refused + 20, 'refusals');
  const acknowledged = load.total;
  await redis.replica.start();
  await load.until(() => load.total > acknowledged, 'a replica again', 20_000);
  await load.more(20);
  // What was only published, and not acknowledged, may be gone.
  await load.prove({ gaps: ['epoch'] });
  assert.deepEqual(load.lost(), []);
});
