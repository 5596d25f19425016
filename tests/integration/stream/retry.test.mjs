import assert from 'node:assert/strict';
import { owner } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('`retry` is random per connection, between 0.5 and 2.5 s', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewers = await Promise.all(Array.from({ length: 60 }, () => t.watch(reader, { video: 'v' })));
  const delays = viewers.map(({ connected }) => connected.retry);
  assert.ok(delays.every((ms) => ms >= 500 && ms <= 2500), `${delays}`);
  // 60 uniform draws leave neither half of the range empty (chance below 1e-17), and hardly repeat.
  assert.ok(delays.some((ms) => ms < 1500) && delays.some((ms) => ms > 1500), `${delays}`);
  assert.ok(new Set(delays).size > 30, `${delays}`);
});
