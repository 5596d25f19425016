// A Redis that accepts no writes: viewers stay connected, and it is not flooded with retries.
// Set-ups: up-redis, processes.
// Long: 11.
import assert from 'node:assert/strict';
import { call, owner, post, postMany } from '../lib/api.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];
const VIDEOS = 300;

// Waits until the probes, one a second for each process, show that so many seconds have passed.
async function probes(system, seconds) {
  const count = async () => (await system.redis.calls()).publish ?? 0;
  const each = system.program.names?.length ?? 1;
  const enough = (await count()) + seconds * each;
  await until(async () => (await count()) >= enough, 'probes', 20_000);
}

async function watchedBy(system, count) {
  const channels = (await system.redis.command('PUBSUB', 'CHANNELS', 'video:*')).length;
  assert.ok(channels >= count, `${channels} channels`);
  return true;
}

scenario(`${VIDEOS} videos, a store that accepts no writes, and subscriptions that are cut`, { setups, ms: 60_000 }, async (t) => {
  const system = await t.system();
  const crowd = startCrowd(t, system);
  const videos = Array.from({ length: VIDEOS }, (_, i) => `v${i}`);
  await crowd.enter(VIDEOS, videos);
  const { id } = await post(system, 'v0', 'before');
  const viewer = await t.watch(await owner(system, 'v0'), { video: 'v0' });
  await system.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
  await system.redis.command('CONFIG', 'RESETSTAT');
  await system.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until(() => watchedBy(system, VIDEOS), 'subscriptions to come back');
  await probes(system, 4);
  const { evalsha = 0 } = await system.redis.calls();
  assert.ok(evalsha < 4 * VIDEOS, `${evalsha} scripts`); // the owner and the set of each, and leases
  const back = await t.watch(viewer.url.origin, { video: 'v0', from: id });
  assert.equal((await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v0', comment: 'refused' } })).status, 503);
  await system.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
  const after = await until(() => post(system, 'v0', 'after'), 'a post');
  await viewer.reaches(after.id);
  await back.reaches(after.id);
  const stored = await postMany(system, 'v1', 3);
  await crowd.reach([after, ...stored]);
});

scenario('viewers can join a video that was never watched while Redis accepts no writes', { setups }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 5);
  await system.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
  const live = await t.watch(reader, { video: 'v' });
  const late = await t.watch(system.others(reader)[0], { video: 'v', from: stored[1].id, query: { redirect: 'never' } });
  await late.reaches(stored.at(-1).id);
  const moved = await t.watch(system.others(reader)[0], { video: 'v' });
  assert.equal(new URL(moved.url).origin, reader);
  await system.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
  const after = await until(() => post(system, 'v', 'after'), 'a post');
  for (const viewer of [live, late, moved]) await viewer.reaches(after.id);
});

scenario(`${VIDEOS} videos, and a store that refuses reads too`, { setups, ms: 60_000 }, async (t) => {
  const system = await t.system();
  const crowd = startCrowd(t, system);
  const videos = Array.from({ length: VIDEOS }, (_, i) => `v${i}`);
  await crowd.enter(VIDEOS, videos);
  await post(system, 'v0', 'before');
  await system.redis.command('ACL', 'SETUSER', 'default', '-get', '-getex');
  await system.redis.command('CONFIG', 'RESETSTAT');
  await system.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until(() => watchedBy(system, VIDEOS), 'subscriptions to come back');
  await probes(system, 4);
  const { evalsha = 0 } = await system.redis.calls();
  assert.ok(evalsha < 4 * VIDEOS, `${evalsha} scripts`);
  await system.redis.command('ACL', 'SETUSER', 'default', '+get', '+getex');
  const after = await until(() => post(system, 'v0', 'after'), 'a post');
  await crowd.reach([after], undefined, 20_000);
});
