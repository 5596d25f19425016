// Redis comes back with less data and a slow clock: every viewer goes on receiving comments.
// Set-ups: up-redis, processes.
// Long: 12.
import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { Clock, withoutFaketime } from '../lib/faketime.mjs';
import { compareIds, parseId } from '../lib/journal.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];
const flags = { 'log-entries': 100_000 };
const lossy = { gaps: ['epoch'], lossy: true };
const insist = (system, video, text) => until(() => post(system, video, text), `a post to ${video}`);

const losses = {
  'empty': () => (redis) => redis.forget(),
  'with an older copy of its data': (redis) => {
    const restore = redis.remember();
    return () => restore();
  },
};

for (const [how, prepare] of Object.entries(losses)) {
  scenario(`Redis comes back ${how}, with its clock an hour behind`, { setups, ms: 60_000, skip: withoutFaketime }, async (t) => {
    const clock = new Clock(t.folder());
    const system = await t.system({ flags, redis: { env: clock.env } });
    const { redis } = system;
    const load = await startLoad(t, system);
    for (let round = 1; round < 3; round++) {
      const lose = prepare(redis);
      await load.more(20);
      await redis.kill9();
      lose(redis);
      clock.set(-3_600 * round);
      await redis.start();
      await load.more(20);
      const viewer = await t.watch(await owner(system, 'one'), { video: 'one' }); // a new one receives it as well
      const { id } = await post(system, 'one', `to all ${round}`);
      await viewer.wait(() => compareIds(viewer.position, id) >= 0, 'what is posted');
    }
    await load.prove(lossy);
    for (const { viewer } of load.followers) assert.ok(viewer.gaps.length >= 2, JSON.stringify(viewer.gaps));
  });
}

scenario('Redis comes back empty with its clock behind, after the comment API has been restarted too', { setups: ['processes'], skip: withoutFaketime }, async (t) => {
  const clock = new Clock(t.folder());
  const system = await t.system({ flags, stable: true, redis: { env: clock.env } });
  const { redis, program } = system;
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'before')).id);
  for (let round = 1; round < 4; round++) {
    await program.end1('comment', 'SIGKILL');
    await redis.kill9();
    redis.forget();
    clock.set(-3_600 * round);
    await redis.start();
    await program.again('comment');
    for (let i = 0; i < 3; i++) {
      const { id } = await insist(system, 'v', `after ${round} ${i}`);
      const covered = ({ from, to }) => compareIds(from, id) <= 0 && compareIds(id, to) <= 0;
      await viewer.wait(() => viewer.comments.some((one) => one.id === id) || viewer.gaps.some(covered), `${id} or a gap`);
    }
    const { id, comment } = await insist(system, 'v', `and then ${round}`);
    await viewer.wait(() => viewer.comments.at(-1).comment === comment, `${id}`);
    assert.ok(viewer.gaps.length >= round);
  }
});

scenario('the clock is stepped back under load, and nothing is lost', { setups, ms: 60_000, skip: withoutFaketime }, async (t) => {
  const clock = new Clock(t.folder());
  const system = await t.system({ flags, redis: { fsync: 'always', env: clock.env } });
  const { redis } = system;
  const load = await startLoad(t, system);
  const before = (await post(system, 'one', 'before')).id;
  for (const hours of [-1, -2, -1.5]) {
    await redis.kill9();
    clock.set(hours * 3_600);
    await redis.start();
    await load.more(10);
  }
  assert.ok(parseId((await post(system, 'one', 'after')).id).epoch > parseId(before).epoch);
  await load.prove();
});
