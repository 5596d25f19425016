// A gap that all viewers of a video get is shown on the dashboard. With the embedded engine a reader follows the log in its
// own process, and none can arise while it runs; with other processes the dashboard may subscribe again after the reader has
// sent its notice, which is best effort.
// Set-ups: up-redis.
import assert from 'node:assert/strict';
import { owner, post, postMany } from '../lib/api.mjs';
import { watchDashboard } from '../lib/dashboard.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['up-redis'];

// Until the returned function is called, comments are stored but no reader can subscribe to any.
async function withoutSubscriptions(redis) {
  await redis.command('ACL', 'SETUSER', 'default', '-subscribe', '-ssubscribe');
  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  return () => redis.command('ACL', 'SETUSER', 'default', '+subscribe', '+ssubscribe');
}

async function watched(t, system) {
  const dashboard = await watchDashboard(t, system);
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'before')).id);
  return { dashboard, viewer, gapNotice: () => dashboard.until('notice', (n) => n.kind === 'gap', 'the gap', 20_000) };
}

scenario('comments that expire before their reader has read them are a gap in the list of events', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { 'log-entries': 10, 'log-min-age-ms': 0 } });
  const { viewer, gapNotice } = await watched(t, system);
  const subscribe = await withoutSubscriptions(system.redis);
  const missed = await postMany(system, 'v', 500);
  await subscribe();
  await viewer.reaches(missed.at(-1).id);
  const { video, missed: count, reason } = await gapNotice();
  assert.equal(viewer.gaps.length, 1);
  assert.deepEqual([video, count, reason], ['v', viewer.gaps[0].missed, 'expired']);
  assert.ok(count > 1 && count < missed.length, `${count} missed`);
});

scenario('comments that the store has lost are a gap in the list of events', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system();
  const { viewer, gapNotice } = await watched(t, system);
  const { redis } = system;
  await redis.kill9();
  redis.forget();
  await redis.start();
  const { id } = await until(() => post(system, 'v', 'after'), 'a post', 20_000);
  await viewer.reaches(id);
  const { video, missed, reason } = await gapNotice();
  assert.deepEqual([video, missed, reason], ['v', null, 'epoch']);
  assert.ok(viewer.gaps.some((gap) => gap.reason === 'epoch'));
});
