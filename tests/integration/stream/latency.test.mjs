import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

// Other tests run beside this one: what would show is a wait for the interval, or for a timer.
const INTERVAL = 2_000;

scenario('a first event, and a single comment, are sent without waiting for an interval', async (t) => {
  const system = await t.system({ flags: { 'max-coalesce-ms': INTERVAL } });
  const reader = await owner(system, 'v');
  const connecting = [];
  const viewers = [];
  for (let i = 0; i < 20; i++) {
    const started = performance.now();
    viewers.push(await t.watch(reader, { video: 'v' }));
    connecting.push(viewers.at(-1).connected.at - started);
  }
  assert.ok(median(connecting) < INTERVAL / 4, `connected after ${median(connecting)} ms (median)`);
  const delays = [];
  for (let i = 0; i < 15; i++) {
    const started = performance.now();
    const { id } = await post(system, 'v', 'quick');
    for (const viewer of viewers) await viewer.reaches(id);
    delays.push(Math.max(...viewers.map(({ events }) => events.at(-1).at - started)));
  }
  assert.ok(median(delays) < INTERVAL / 4, `the last viewer had it after ${median(delays)} ms (median)`);
});
