// Set-ups: processes.
// CI: no. It waits for three drains, each of which placement/drain tries.
// Long: 25.
// A rolling upgrade: readers are restarted one after the other, and give their viewers away before.
import assert from 'node:assert/strict';
import { health, videosOf } from '../lib/api.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('readers are restarted one after the other under load: no viewer loses, doubles or misses a comment', { setups: ['processes'], ms: 120_000 }, async (t) => {
  const system = await t.system({ flags: { 'connect-rate': 40 } }); // a pace of 24 a second
  const videos = (await Promise.all(system.readers.map((reader) => videosOf(system, reader, 1)))).flat();
  const load = await startLoad(t, system, { videos, posters: 1, viewers: 25, everyMs: 50 });
  for (const [i, name] of ['reader-1', 'reader-2', 'reader-3'].entries()) {
    const before = load.cuts, ends = system.program.end1(name);
    await until(() => system.program.stderr.split('role=chorus event=draining ').length === i + 2, `${name} to drain`);
    assert.equal((await ends).code, 0);
    assert.ok(load.cuts - before >= 25, `${load.cuts - before} have left ${name}`);
    await system.program.again(name);
    await until(async () => (await health(system.manager)).availableReaderApis === 3, `${name} again`);
  }
  assert.doesNotMatch(system.program.stderr, /drain_cut_short/);
  await load.prove();
});
