// The wall clock of the process is set while it runs, by hours and by weeks: this ages nothing that is kept, neither
// comments nor Idempotency-Keys.
// Set-ups: embedded, up-redis.
import assert from 'node:assert/strict';
import { call, post } from '../lib/api.mjs';
import { Clock, withoutOwnFaketime } from '../lib/faketime.mjs';
import { scenario } from '../lib/scenario.mjs';

const HOUR_S = 3_600;
const keyed = (system, comment) => call('POST', `${system.comment}/comment`, {
  json: { userid: 'u', videoid: 'v', comment }, headers: { 'idempotency-key': 'k' },
});

scenario('setting the wall clock ages no comment and no Idempotency-Key', {
  setups: ['embedded', 'up-redis'], ms: 60_000, skip: withoutOwnFaketime,
}, async (t) => {
  const clock = new Clock(t.folder());
  const system = await t.system({ env: clock.env });
  const viewer = await t.watch(system.readers[0], { video: 'v' });
  const first = await keyed(system, 'once');
  assert.equal(first.status, 201);
  let count = 1;
  for (const hours of [-1, 1, -3, 3, 0, -1_000, 1_000, 0]) {
    clock.set(hours * HOUR_S);
    assert.equal((await keyed(system, 'once')).text, first.text, `a repeat at ${hours} hours`);
    assert.equal((await keyed(system, 'other')).status, 422);
    const { id } = await post(system, 'v', `at ${hours} hours`);
    count++;
    const late = await t.watch(system.readers[1], { video: 'v', from: viewer.connected.id });
    await Promise.all([viewer.reaches(id), late.reaches(id)]);
    assert.equal(late.comments.length, count, `all comments at ${hours} hours`);
    assert.deepEqual([...viewer.gaps, ...late.gaps], []);
    late.close();
  }
});
