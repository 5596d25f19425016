import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause, scaled } from '../lib/time.mjs';

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

scenario('a first event, and a first comment after a quiet moment, leave at once', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const connecting = [];
  const viewers = [];
  for (let i = 0; i < 20; i++) {
    const started = performance.now();
    viewers.push(await t.watch(reader, { video: 'v' }));
    connecting.push(viewers.at(-1).connected.at - started);
  }
  assert.ok(median(connecting) < scaled(60), `connected after ${median(connecting)} ms (median)`);
  const delays = [];
  for (let i = 0; i < 15; i++) {
    await pause(40); // the quiet moment
    const started = performance.now();
    const { id } = await post(system, 'v', 'quick');
    for (const viewer of viewers) await viewer.reaches(id);
    delays.push(Math.max(...viewers.map(({ events }) => events.at(-1).at - started)));
  }
  // Other tests run beside this one; waiting for an interval of 250 ms, or for a timer, would show all the same.
  assert.ok(median(delays) < scaled(60), `the last viewer had it after ${median(delays)} ms (median)`);
});
