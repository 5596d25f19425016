import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause, scaled, slow } from '../lib/time.mjs';

const BEAT = 400;

scenario('a comment line as heartbeat after a time without a byte, for every viewer', async (t) => {
  const system = await t.system({ flags: { 'heartbeat-ms': BEAT } });
  const reader = await owner(system, 'v');
  const viewers = await Promise.all(Array.from({ length: 20 }, () => t.watch(reader, { video: 'v' })));
  for (const viewer of viewers) {
    await viewer.wait(() => viewer.heartbeats.length >= 4, 'four heartbeats');
    const times = [viewer.connected.at, ...viewer.heartbeats];
    const pauses = times.slice(1).map((at, i) => at - times[i]);
    assert.ok(Math.min(...pauses) > BEAT * 0.3, `too often: ${pauses}`);
    if (!slow) assert.ok(Math.max(...pauses) < BEAT * 3, `too late: ${pauses}`);
    assert.equal(viewer.events.length, 1, 'a heartbeat is no event');
  }
  const { id } = await post(system, 'v', 'after the silence');
  for (const viewer of viewers) await viewer.reaches(id);
});

scenario('who gets comments needs no heartbeat', async (t) => {
  const system = await t.system({ flags: { 'heartbeat-ms': 1_500 } });
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  const end = Date.now() + scaled(3_500);
  while (Date.now() < end) {
    await viewer.reaches((await post(system, 'v', 'x')).id);
    await pause(100); // the load of this test, not a wait for anything
  }
  assert.equal(viewer.heartbeats.length, 0);
});
