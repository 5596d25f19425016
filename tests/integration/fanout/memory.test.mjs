// --memory bounds what a process keeps for viewers: comments in flight, the backlogs of slow viewers, what viewers that
// reconnect may ask for, and the viewers themselves.
// Set-ups: embedded, up-redis.
// CI also: asan, tsan. Backlogs are dropped under pressure, by the workers.
import assert from 'node:assert/strict';
import { call, health, owner, postMany, readerFigures } from '../lib/api.mjs';
import { everyPort } from '../lib/checks.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';
import { slow, until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis']; // workers are the same in a process of their own

const BIG = 'x'.repeat(1_900);
const MB = 2 ** 20;
const holders = setup === 'processes' ? 3 : 1; // processes that are bounded
const videos = Array.from({ length: 32 }, (_, i) => `v${i}`);

// `count` comments on each video, in rounds, each once `quick` have the one before. Returns them by video.
async function flood(crowd, quick, count, during = () => {}) {
  const stored = new Map(videos.map((video) => [video, []]));
  for (let done = 0; done < count; done += 10) {
    const round = await Promise.all(videos.map((video) => postMany(crowd.system, video, 10, { atOnce: 1, text: (i) => `${done + i} ${BIG}` })));
    for (const comments of round) stored.get(comments[0].videoid).push(...comments);
    await crowd.reach(round.map((comments) => comments.at(-1)), quick);
    await during();
  }
  return stored;
}

const usedBy = async (system) => Math.max(...(await Promise.all(system.readers.map(health))).map(({ memory }) => memory.used));

scenario('stalled viewers of many videos share one limit: they get gaps, the others everything', { ms: 40_000, setups }, async (t) => {
  const system = await t.system({ flags: { memory: '2M', 'stall-timeout-ms': 60_000, 'log-entries': 50, 'log-min-age-ms': 0 } });
  const crowd = startCrowd(t, system);
  const quick = await crowd.enter(32, videos);
  const stalled = await crowd.enter(64, videos);
  await flood(crowd, crowd.members, 30); // so that the memory of the store and the requests is already in use
  for (const member of stalled) member.pause();
  const before = system.program.memory('VmHWM');
  let most = 0;
  const stored = await flood(crowd, quick, 350, async () => (most = Math.max(most, await usedBy(system))));
  const grown = (system.program.memory('VmHWM') - before) / MB;
  if (!slow) assert.ok(grown < holders * 2 + 6, `grown by ${grown} MB; kept for each, it would have been more than 10`);
  const { memory } = await health(system.readers[0]);
  assert.equal(memory.max, 2 * MB);
  assert.ok(most <= 2.1 * MB, `${most} bytes in use`);
  assert.ok(most > 0.5 * MB, `${most} bytes: the bound is there to be used`);

  for (const member of stalled) member.resume();
  await crowd.reach([...stored.values()].map((comments) => comments.at(-1)));
  for (const { video, seen, missed, gaps } of stalled) {
    assert.ok(gaps.every(({ reason }) => reason === 'slow'), `${video}: ${JSON.stringify(gaps)}`);
    assert.equal(seen + missed, 380, video);
  }
  // Some videos may have lost nothing, but not most of them.
  const missing = stalled.filter(({ gaps }) => gaps.length > 0);
  assert.ok(missing.length >= 40, `${missing.length} of 64 missed something`);
  assert.ok(quick.every(({ seen, gaps }) => seen === 380 && gaps.length === 0), 'the quick ones missed nothing');
  await until(async () => (await readerFigures(system)).slowGaps >= missing.length, 'the gaps to be counted');
  const last = await flood(crowd, crowd.members, 10);
  assert.equal(last.size, 32);
  assert.equal((await readerFigures(system)).activeConnections, 96, 'no viewer was disconnected');
});

// As many as fit, one after the other, so that it is known which was refused first.
async function fill(crowd, video, most) {
  const entered = await crowd.enter(most, [video], { refusals: true, atOnce: 16 });
  assert.ok(entered.length < most, `one of ${most} is refused`);
  return entered;
}

scenario('without memory for one more viewer it is closed, others are not affected, and freed memory is used again', { setups }, async (t) => {
  const system = await t.system({ flags: { memory: '64K' } });
  const crowd = startCrowd(t, system);
  const [reader, video] = [await owner(system, 'v'), 'v'];
  const entered = await fill(crowd, video, 2_000); // the crowd itself checks that a refusal is not a response
  assert.ok(entered.length >= 100, `${entered.length} viewers in 64 KB`);
  const { shed, memory } = await health(reader);
  assert.equal(shed, 2_000 - entered.length);
  assert.equal(memory.max, 65_536);
  assert.equal(memory.full, true);
  assert.ok(memory.used <= memory.max && memory.used > memory.max / 2, JSON.stringify(memory));
  for (const [role, url] of everyPort(system)) assert.equal((await call('GET', `${url}/ready`)).status, 200, `${role} is ready`);
  const stored = await postMany(system, video, 50);
  await crowd.reach(stored);
  assert.ok(crowd.members.every(({ seen, gaps, ended }) => seen === 50 && gaps.length === 0 && !ended));

  crowd.leave(entered.slice(0, 250));
  await crowd.insist(30, [video]); // the history has used its share meanwhile
  await crowd.reach(await postMany(system, video, 10));
  crowd.leave(crowd.members);
  await until(async () => (await health(reader)).memory.used < memory.used / 2, 'the memory of the viewers that left');
  await crowd.insist(100, [video]);
  await crowd.reach(await postMany(system, video, 10));
});
