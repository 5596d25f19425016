// A reader that dies just as the store loses its lease (emptied, or reverted): it is known to have had one, so that what
// was mapped to it moves.
// Set-ups: processes.
import assert from 'node:assert/strict';
import { health, owner } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('a video moves when its reader has died and the lease is lost', { setups: ['processes'], ms: 60_000 }, async (t) => {
  const system = await t.system({ readers: 2 });
  const [dead, alive] = system.readers;
  await system.program.end1('reader-1', 'SIGKILL');
  await system.redis.command('FLUSHALL');
  await system.redis.command('SET', 'video:v:reader', dead); // it still counts as live, and gets videos
  await until(async () => (await health(system.manager)).availableReaderApis === 1, 'the manager to know it gone');
  await until(async () => (await owner(system, 'v')) === alive, 'the video to move');
  assert.equal(await system.redis.command('GET', 'video:v:reader'), alive);
});
