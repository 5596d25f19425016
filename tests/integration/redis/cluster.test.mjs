// A Redis Cluster: slots move, and primaries die, under load.
// Set-ups: cluster.
// Long: 30.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { call, post } from '../lib/api.mjs';
import { RedisCluster, slotOf } from '../lib/cluster.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['cluster'];
const flags = { 'log-entries': 100_000 };
const BUSY_TIMEOUT_MS = 5_000; // of servers that nobody kills here: on a busy machine one can be silent for a second
const page = readFileSync(new URL('../../../docs/redis.md', import.meta.url), 'utf8');
const [, user, word, rules] = page.match(/^ {4}ACL SETUSER (\S+) on >(\S+) (.+)$/m);

scenario('slots of watched videos move back and forth under load: nothing is lost, doubled or announced', { setups, ms: 90_000 }, async (t) => {
  const system = await t.system({ flags, redis: new RedisCluster({ timeoutMs: BUSY_TIMEOUT_MS }) });
  const { redis } = system;
  const load = await startLoad(t, system, { everyMs: 10 });
  let longest = 0; // until each poster had a comment acknowledged, and each viewer had seen it
  for (let round = 0; round < 4; round++) {
    for (const video of load.videos) {
      const slot = slotOf(`video:${video}`);
      const owner = await redis.ownerOf(slot);
      const next = redis.primaries[(redis.primaries.indexOf(owner) + 1) % redis.primaries.length];
      await redis.move(slot, owner, next);
      longest = Math.max(longest, await load.more(1));
    }
  }
  assert.ok(longest < BUSY_TIMEOUT_MS / 2, `a video was silent for ${longest} ms`);
  await load.prove();
});

scenario('kill -9 of a primary, with --confirm-replicas 1: nothing that was acknowledged is lost', { setups, ms: 90_000 }, async (t) => {
  const system = await t.system({ flags: { ...flags, 'confirm-replicas': 1 }, redis: new RedisCluster({ replicas: 1 }) });
  const { redis } = system;
  const load = await startLoad(t, system, { everyMs: 10 });
  const primary = await redis.ownerOf(slotOf('video:one'));
  await primary.kill9();
  await redis.promoted(primary);
  const posters = load.posters.filter(({ video }) => video === 'one');
  // It has no replica now, so nothing is confirmed there; the first answer shows that it is reached.
  const before = posters.reduce((sum, { refused }) => sum + refused, 0);
  await load.until(() => posters.reduce((sum, { refused }) => sum + refused, 0) > before, 'an answer');
  const others = load.posters.filter((poster) => !posters.includes(poster));
  const counts = others.map(({ acknowledged }) => acknowledged.length);
  await primary.start(); // comes back as a replica
  await load.more(10, 30_000);
  assert.ok(others.some(({ acknowledged }, i) => acknowledged.length > counts[i]));
  await load.prove({ gaps: ['epoch'] });
  assert.deepEqual(load.lost(), []);
});

scenario('the documented user; totals and lists of all slots; /ready names what is not reached', { setups, ms: 60_000 }, async (t) => {
  const redis = new RedisCluster({ timeoutMs: BUSY_TIMEOUT_MS });
  t.after(() => redis.release());
  await redis.start();
  for (const server of redis.servers) await server.command('ACL', 'SETUSER', user, 'on', `>${word}`, ...rules.trim().split(/\s+/));
  Object.defineProperty(redis, 'url', { value: redis.url.replace('://', `://${user}:${word}@`) });
  const system = await t.system({ flags, redis });
  for (let i = 0; i < 30; i++) await post(system, `video-${i}`, `text ${i}`);
  const statistics = await until(async () => {
    const { json } = await call('GET', `${system.statistics}/statistics`);
    return json.storedComments.total === 30 && json.readerApiManager.registeredVideos === 30 && json;
  }, 'the totals');
  // Those of one millisecond are in no particular order.
  assert.deepEqual(statistics.storedComments.comments.map(({ comment }) => comment).sort(), Array.from({ length: 10 }, (_, i) => `text ${20 + i}`));
  assert.equal(Object.keys(statistics.readerApiManager.videoMappings).length, 30);
  const [first] = system.redis.primaries;
  await first.kill9();
  for (let i = 0; i < 30; i++) await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: `video-${i}`, comment: 'again' } });
  await until(async () => {
    const { status, text } = await call('GET', `${system.comment}/ready`);
    return status === 503 && text.includes(`127.0.0.1:${first.port}`);
  }, 'the reason', 10_000);
});
