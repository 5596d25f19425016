// Set-ups: processes.
// Readers that give their viewers to others, at the pace that these can take them on.
import assert from 'node:assert/strict';
import { videosOf } from '../lib/api.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause, within } from '../lib/time.mjs';

const setups = ['processes'];

// How many streams have been cut in all, every 50 ms until `end`.
async function cutsUntil(end, load) {
  const samples = [];
  const ended = end.then(() => true);
  do samples.push({ at: performance.now(), cuts: load.cuts });
  while (!(await Promise.race([ended, pause(50)])));
  return samples;
}

// The most in any second.
const peakOf = (samples) => Math.max(...samples.map(({ at, cuts }) => cuts - samples.filter((s) => s.at <= at - 1000).reduce((sum, s) => Math.max(sum, s.cuts), 0)));

scenario('a reader that is told to end gives its viewers away at a pace: none loses, doubles or misses anything', { setups }, async (t) => {
  const rate = 40, pace = 0.3 * 2 * rate; // 30 % of what two readers say they can take on
  const system = await t.system({ flags: { 'connect-rate': rate } });
  const load = await startLoad(t, system, { videos: await videosOf(system, system.readers[0], 2), posters: 1, viewers: 24, everyMs: 50 });
  const begun = performance.now();
  const end = system.program.end1('reader-1');
  const samples = await cutsUntil(end, load);
  const took = performance.now() - begun;
  assert.equal((await end).code, 0);
  assert.equal(load.cuts, 48, 'each is cut once');
  assert.ok(took >= (1000 * 48) / pace, `all were gone after ${took} ms`);
  const peak = peakOf(samples);
  assert.ok(peak >= pace / 2 && peak <= 1.25 * pace, `${peak} in a second`);
  await load.prove();
});

scenario('a second signal ends a reader at once, and its viewers resume elsewhere', { setups }, async (t) => {
  const system = await t.system({ readers: 2, flags: { 'connect-rate': 4 } });
  const load = await startLoad(t, system, { videos: await videosOf(system, system.readers[0], 1), posters: 1, viewers: 9, everyMs: 50 });
  const end = system.program.end1('reader-1');
  await system.program.says(/event=draining viewers=9/);
  await load.more(3);
  assert.ok(load.cuts < 9);
  system.program.part('reader-1').kill('SIGTERM');
  assert.equal((await within(end, 2_000, 'its end')).code, 0);
  await load.prove();
});

scenario('viewers of a video that another reader has by now leave at a pace, too', { setups }, async (t) => {
  const rate = 40, pace = 0.3 * 2 * rate;
  const system = await t.system({ flags: { 'connect-rate': rate } });
  const [mine, other] = system.readers;
  const [video] = await videosOf(system, mine, 1);
  const load = await startLoad(t, system, { videos: [video], posters: 1, viewers: 30, everyMs: 50 });
  await system.redis.command('SET', `video:${video}:reader`, other);
  await system.redis.command('HDEL', 'readers', mine); // it is there again within a second, and checks what it still has
  await load.until(() => load.cuts, 'the first to leave');
  const begun = performance.now();
  await load.until(() => load.cuts >= 30, 'all to leave');
  const took = performance.now() - begun;
  assert.ok(took >= (1000 * (30 - 5)) / pace, `all were gone after ${took} ms`);
  await load.prove();
});
