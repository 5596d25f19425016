// One worker, a video that keeps it busy, and a quiet one: both lose nothing. That the quiet one does not wait until all
// of the first have been served is shown where time plays no part, in test_worker.c.
// Set-ups: embedded, up-redis.
// CI also: tsan. Workers under load.
import assert from 'node:assert/strict';
import { owner, post, readerFigures } from '../lib/api.mjs';
import { at, bench } from '../lib/bench.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow, until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis']; // workers are the same in a process of their own

const HOT = 'bench-1'; // as the bench names its first
const VIEWERS = slow ? 800 : 2_500;
const QUIET = 3;

// A video at the same reader, so that in every set-up both are on the same worker.
async function neighbour(system, video) {
  const reader = await owner(system, video);
  for (let i = 0; ; i++) if ((await owner(system, `quiet-${i}`)) === reader) return `quiet-${i}`;
}

scenario('a hot video and a quiet one on the same worker both lose nothing', { ms: 60_000, setups }, async (t) => {
  const system = await t.system({ flags: { workers: 1 } });
  const quiet = await neighbour(system, HOT);
  const crowd = startCrowd(t, system);
  await crowd.enter(QUIET, [quiet]);
  let posted = 0;
  const sent = async () => (await readerFigures(system)).messagesSent;
  const during = async (program) => {
    await until(async () => program.end || (await sent()) > VIEWERS, 'the hot video to be hot', 20_000);
    for (; !program.end && posted < 60; posted++) {
      const before = await sent();
      await crowd.reach(await post(system, quiet, 'quiet'));
      await until(async () => program.end || (await sent()) > before + QUIET, 'the hot video to go on');
    }
  };
  const flags = { ...at(system), viewers: VIEWERS, videos: 1, rate: slow ? 20 : 100, duration: 3 };
  const { code, figures, stdout, stderr } = await bench(t, flags, { during });
  assert.equal(code, 0, stdout + stderr);
  const { counts } = figures;
  assert.deepEqual([counts.connects, counts.lost, counts.duplicated, counts.out_of_order, counts.gaps, counts.cuts], [VIEWERS, 0, 0, 0, 0, 0]);
  assert.equal(counts.deliveries, counts.comments * VIEWERS);
  assert.ok(crowd.members.every(({ seen, gaps }) => seen === posted && gaps.length === 0), 'each quiet comment arrived');
  assert.ok(posted >= 10, `${posted} comments on the quiet video while the other was hot`);
});
