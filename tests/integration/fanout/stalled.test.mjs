// Viewers that do not read among viewers that do.
// Set-ups: embedded, up-redis.
// CI also: asan, tsan. Viewers that lag and fall off, on the workers.
// Long: 10.
import assert from 'node:assert/strict';
import { postMany, readerFigures } from '../lib/api.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause, until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis']; // workers are the same in a process of their own

const BIG = 'x'.repeat(1_900);

// More than the kernel buffers for a viewer that does not read. Continues once the fast ones have it, so that none of them lags
// because the test itself is slow.
async function flood(crowd, quick, rounds = 25) {
  const stored = [];
  for (let round = 0; round < rounds; round++) {
    stored.push(...(await postMany(crowd.system, 'v', 20, { text: (i) => `${round} ${i} ${BIG}` })));
    await crowd.reach(stored, quick);
  }
  return stored;
}

// Every fifth viewer stops reading.
async function gather(crowd, count) {
  await crowd.enter(count, ['v']);
  const stalled = crowd.members.filter((_, i) => i % 5 === 0);
  for (const member of stalled) member.pause();
  return { stalled, quick: crowd.members.filter((member) => !stalled.includes(member)) };
}

scenario('a hundred viewers that never read are closed and counted; the other four hundred get everything', { setups }, async (t) => {
  const system = await t.system({ flags: { 'stall-timeout-ms': 1_500 } });
  const crowd = startCrowd(t, system);
  const { stalled, quick } = await gather(crowd, 500);
  const stored = await flood(crowd, quick);
  const figures = () => readerFigures(system);
  let now;
  await until(async () => {
    now = await figures();
    return now.stalled === 100 && now.activeConnections === 400;
  }, () => `a hundred to be closed: ${JSON.stringify(now)}`, 15_000);
  for (const member of stalled) member.resume(); // a socket notices its end only when it is read
  await until(() => stalled.every(({ ended }) => ended), 'the stalled to see that they were closed');
  assert.ok(stalled.every(({ seen }) => seen < stored.length));
  await crowd.reach(await postMany(system, 'v', 5), quick);
  assert.ok(quick.every(({ seen, gaps }) => seen === stored.length + 5 && gaps.length === 0));
  assert.equal((await figures()).slowGaps, 0, 'there was memory enough for them until they were closed');
  // They resume where they stopped, and get the rest.
  await crowd.comeBack();
  await crowd.reach(await postMany(system, 'v', 1));
  assert.ok(crowd.members.every(({ seen, gaps }) => seen === stored.length + 6 && gaps.length === 0));
});

scenario('stalled viewers that read again in time get a gap for what could not be kept, and continue with the newest', { setups }, async (t) => {
  const system = await t.system({ flags: { memory: '1M', 'stall-timeout-ms': 60_000 } });
  const crowd = startCrowd(t, system);
  const { stalled, quick } = await gather(crowd, 100);
  const stored = await flood(crowd, quick, 60);
  for (const member of stalled) member.resume();
  await crowd.reach(stored);
  for (const { seen, missed, gaps } of stalled) {
    assert.ok(gaps.length > 0 && gaps.every(({ reason }) => reason === 'slow'), JSON.stringify(gaps));
    assert.equal(seen + missed, stored.length);
  }
  assert.ok(quick.every(({ seen, gaps }) => seen === stored.length && gaps.length === 0));
  const figures = await until(async () => {
    const now = await readerFigures(system);
    return now.slowGaps >= 20 && now;
  }, 'the gaps to be counted');
  assert.equal(figures.slowGaps, stalled.reduce((sum, { gaps }) => sum + gaps.length, 0));
  assert.deepEqual([figures.stalled, figures.activeConnections], [0, 100]);
});

scenario('a viewer that reads slowly does not count as stalled', { setups }, async (t) => {
  const system = await t.system({ flags: { 'stall-timeout-ms': 800 } });
  const crowd = startCrowd(t, system);
  const slow = await crowd.enter(10, ['v']);
  const quick = await crowd.enter(1, ['v']);
  // Reads what has arrived, pauses, reads again. The pauses are what makes it slow: all of it must take longer than the stall
  // timeout, as asserted below, while no single one comes near it.
  for (const member of slow) {
    member.socket.on('data', async () => {
      member.pause();
      await pause(60);
      member.resume();
    });
  }
  const started = performance.now();
  const stored = await flood(crowd, quick, 60);
  await crowd.reach(stored, slow, 20_000);
  assert.ok(performance.now() - started > 800, 'long enough that the timeout would have struck');
  assert.ok(slow.every(({ seen, gaps, ended }) => seen === stored.length && gaps.length === 0 && !ended));
  assert.equal((await readerFigures(system)).stalled, 0);
});
