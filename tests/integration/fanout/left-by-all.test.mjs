// Set-ups: embedded, up-redis.
// CI also: tsan. A crowd leaves all workers together.
import assert from 'node:assert/strict';
import { health, postMany } from '../lib/api.mjs';
import { Crowd } from '../lib/crowd.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow, until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis']; // workers are the same in a process of their own

const MB = 2 ** 20;
const VIDEOS = slow ? 100 : 600;
const COMMENTS = 6;
const COMMENT = 'x'.repeat(1_900);

const healthOfAll = (system) => Promise.all(system.readers.map(health));
const used = async (system) => (await healthOfAll(system)).reduce((sum, { memory }) => sum + memory.used, 0);

// As many new videos get viewers and a history, and lose the viewers again. Returns the peak memory use.
async function wave(system, name) {
  const videos = Array.from({ length: VIDEOS }, (_, i) => `${name}-${i}`);
  const crowd = new Crowd(system);
  try {
    await crowd.enter(2 * VIDEOS, videos);
    const stored = await Promise.all(videos.map((video) => postMany(system, video, COMMENTS, { atOnce: 1, text: () => COMMENT })));
    await crowd.reach(stored.flat());
    return await used(system);
  } finally {
    crowd.release();
    await until(async () => (await healthOfAll(system)).every(({ subscribedTopics, activeConnections }) => subscribedTopics + activeConnections === 0),
      'the readers to unsubscribe from the videos');
  }
}

scenario('videos without viewers give their memory back', { disk: true, ms: 40_000, setups }, async (t) => {
  const system = await t.system({ flags: { 'unsubscribe-ms': 400, 'log-entries': COMMENTS } });
  const [before, resident] = [await used(system), system.program.memory()];
  const height = await wave(system, 'first');
  assert.ok(height - before > (VIDEOS * COMMENTS * COMMENT.length) / 2, `${height - before} bytes used for the history of ${VIDEOS} videos`);
  // The workers free theirs a moment after the readers report it.
  let left;
  await until(async () => (left = await used(system)) <= before + 0.02 * (height - before),
    () => `${left} bytes in use to become as few as before: ${before}, with ${height} meanwhile`);

  // The process reuses what it keeps: one more such crowd needs almost no further memory.
  const first = system.program.memory();
  await wave(system, 'second');
  const more = system.program.memory() - first;
  if (!slow) assert.ok(more < (first - resident) / 4, `grown by ${more / MB} MB after ${(first - resident) / MB} MB for the first`);
});
