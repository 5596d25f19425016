import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

const BEAT = 400;

scenario('every viewer gets a comment line as a heartbeat after a time without a byte', async (t) => {
  const system = await t.system({ flags: { 'heartbeat-ms': BEAT } });
  const reader = await owner(system, 'v');
  const viewers = await Promise.all(Array.from({ length: 20 }, () => t.watch(reader, { video: 'v' })));
  for (const viewer of viewers) {
    await viewer.wait(() => viewer.heartbeats.length >= 4, 'four heartbeats');
    const passed = performance.now() - viewer.connected.at; // longer here than at the server, never shorter
    assert.ok(viewer.heartbeats.length <= passed / (BEAT * 0.5), `${viewer.heartbeats.length} in ${passed} ms`);
    assert.equal(viewer.events.length, 1, 'a heartbeat is no event');
  }
  const { id } = await post(system, 'v', 'after the silence');
  for (const viewer of viewers) await viewer.reaches(id);
});

scenario('a viewer that gets comments gets no heartbeats', async (t) => {
  const system = await t.system({ flags: { 'heartbeat-ms': 1_000 } });
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const quiet = await t.watch(reader, { video: 'quiet', query: { redirect: 'never' } });
  while (quiet.heartbeats.length < 3) await viewer.reaches((await post(system, 'v', 'x')).id);
  assert.equal(viewer.heartbeats.length, 0);
});

scenario('a viewer that expects heartbeats more often than they come is told how often; others, and nonsense, are not', async (t) => {
  const system = await t.system({ flags: { 'heartbeat-ms': 60_000 } });
  const reader = await owner(system, 'v');
  for (const [heartbeat, told] of [['15', 60_000], ['59', 60_000], ['60', undefined], ['99999999999999999999', undefined], ['', undefined], ['-1', undefined], ['15s', undefined]]) {
    const { connected } = await t.watch(reader, { video: 'v', query: { heartbeat } });
    assert.equal(connected.json.heartbeatMs, told, `heartbeat=${heartbeat}`);
  }
});
