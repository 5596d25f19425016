// Under load each send carries the comments of an interval bounded by --max-coalesce-ms; without load no comment waits.
// CI also: tsan. Workers under load.
import assert from 'node:assert/strict';
import { post, postMany, readerFigures } from '../lib/api.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const VIEWERS = 300;
const FLOOD = 600;
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

// Everything arrives at every viewer, in order; returns how many comments a send carried.
async function flood(system, crowd) {
  const before = await readerFigures(system);
  const stored = await postMany(system, 'v', FLOOD, { atOnce: 48 });
  await crowd.reach(stored);
  const after = await until(async () => {
    const now = await readerFigures(system);
    return now.messagesSent - before.messagesSent >= FLOOD * VIEWERS && now;
  }, 'all to be counted');
  assert.equal(after.messagesSent - before.messagesSent, FLOOD * VIEWERS);
  assert.ok(crowd.members.every(({ gaps }) => gaps.length === 0));
  return (FLOOD * VIEWERS) / (after.sends - before.sends);
}

// Until nothing has been sent between two looks.
const quiet = (system) => until(async () => {
  const sends = async () => (await readerFigures(system)).sends;
  return (await sends()) === (await sends());
}, 'a quiet moment');

// How long a single comment takes to reach the last viewer of an idle system: the median of several.
async function alone(system, crowd) {
  const delays = [];
  for (let i = 0; i < 9; i++) {
    await quiet(system);
    const started = performance.now();
    await crowd.reach(await post(system, 'v', 'alone'));
    delays.push(Math.max(...crowd.members.map(({ at }) => at)) - started);
  }
  return median(delays);
}

for (const [name, flags, least] of [['by default', {}, 2], ['with --max-coalesce-ms 0', { 'max-coalesce-ms': 0 }, 0.9]]) {
  scenario(`a flood ${name}: everything arrives, and a send carries ${least > 1 ? 'several comments' : 'one comment'}`, async (t) => {
    const system = await t.system({ flags: { workers: 2, ...flags } });
    const crowd = startCrowd(t, system);
    await crowd.enter(VIEWERS, ['v']);
    await alone(system, crowd); // the head of each stream has been counted by then
    const carried = await flood(system, crowd);
    assert.ok(carried >= least, `${carried} comments in a send`);
  });
}

scenario('a comment after a quiet moment is sent without waiting, however long the interval may become', async (t) => {
  const LONGEST = 5_000;
  const system = await t.system({ flags: { workers: 2, 'max-coalesce-ms': LONGEST } });
  const crowd = startCrowd(t, system);
  await crowd.enter(VIEWERS, ['v']);
  const fresh = await alone(system, crowd);
  assert.ok(fresh < LONGEST / 2, `${fresh} ms (median)`);
  await flood(system, crowd);
  const after = await alone(system, crowd);
  assert.ok(after < LONGEST / 2, `${after} ms (median) after a flood`);
});
