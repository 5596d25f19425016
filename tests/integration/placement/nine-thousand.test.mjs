// CI also: up-redis. Each engine keeps mappings in its own way.
// Long: 9.
import assert from 'node:assert/strict';
import { register, resolve, statistics } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

const COUNT = 9_000;

async function forAll(job) {
  const results = new Array(COUNT);
  let next = 0;
  await Promise.all(Array.from({ length: 48 }, async () => {
    while (next < COUNT) {
      const i = next++;
      results[i] = await job(`video-${i}`);
    }
  }));
  return results;
}

scenario('9,000 videos over 3 readers are 3,000 each, and survive kill -9', { disk: true, ms: 90_000 }, async (t) => {
  const system = await t.system({ stable: true, flags: { 'statistics-interval-ms': 200 } });
  const registered = await forAll((video) => register(system, video));
  const each = system.readers.map((url) => registered.filter(({ readerUrl }) => readerUrl === url).length);
  assert.deepEqual(each, [3_000, 3_000, 3_000]);
  await system.restart('SIGKILL');
  const resolved = await forAll((video) => resolve(system, video));
  assert.deepEqual(resolved.map(({ readerUrl }) => readerUrl), registered.map(({ readerUrl }) => readerUrl));
  assert.equal((await register(system, 'video-0')).action, 'existing');
  assert.equal((await statistics(system)).readerApiManager.registeredVideos, COUNT);
});
