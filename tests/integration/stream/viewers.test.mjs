// How many viewers a video has, for those that ask. A Viewer that has not asked fails if it is sent a count.
// CI also: up-redis, asan. Readers send each other messages through Redis, or within the process.
// Long: 40.
import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { Crowd } from '../lib/crowd.mjs';
import { scenario } from '../lib/scenario.mjs';
import { scrambled } from '../lib/scrambled.mjs';
import { until } from '../lib/time.mjs';

const EVERY_MS = 2_000;
const ask = { events: 'viewers' };
const here = { redirect: 'never' };

// The owner first.
async function byOwner(system, video) {
  const first = await owner(system, video);
  return [first, ...system.others(first)];
}

// Without what the clock of the test adds: an event may be late, and the next one in time.
function assertRare(viewer) {
  viewer.counts.slice(1).forEach(({ at }, i) => assert.ok(at - viewer.counts[i].at > EVERY_MS - 700, `${at - viewer.counts[i].at} ms between two counts`));
}

scenario('a viewer that asks is sent the count after the first event, and its changes; others are not', async (t) => {
  const system = await t.system({ readers: 1 });
  const [reader] = system.readers;
  const silent = await t.watch(reader, { video: 'v', query: { events: 'move,later' } });
  const first = await t.watch(reader, { video: 'v', query: { events: 'later,viewers' } });
  await first.isOneOf(2);
  assert.equal(first.events[1].type, 'viewers', 'right after the first event');
  const second = await t.watch(reader, { video: 'v', query: ask });
  await second.isOneOf(3);
  await first.isOneOf(3);
  const comment = await post(system, 'v', 'the count moves no position');
  await Promise.all([silent, first, second].map((viewer) => viewer.reaches(comment.id)));
  second.close();
  await first.isOneOf(2);
  assertRare(first);
});

scenario('viewers at two readers see each other, and at three', { setups: ['embedded', 'up-redis', 'processes'] }, async (t) => {
  const system = await t.system();
  const readers = await byOwner(system, 'v');
  const viewers = [];
  for (const [i, reader] of readers.entries()) {
    viewers.push(await t.watch(reader, { video: 'v', query: { ...ask, ...here } }));
    await Promise.all(viewers.map((viewer) => viewer.isOneOf(i + 1)));
  }
  await t.watch(readers[1], { video: 'v', query: here });
  await Promise.all(viewers.map((viewer) => viewer.isOneOf(4)));
  viewers[2].close();
  await Promise.all(viewers.slice(0, 2).map((viewer) => viewer.isOneOf(3)));
  viewers.forEach(assertRare);
});

scenario('the owner of a video has no viewer of it, and the others see the sum', async (t) => {
  const system = await t.system();
  const [, second, third] = await byOwner(system, 'v');
  const one = await t.watch(second, { video: 'v', query: { ...ask, ...here } });
  const two = await t.watch(third, { video: 'v', query: { ...ask, ...here } });
  await Promise.all([one, two].map((viewer) => viewer.isOneOf(2)));
});

if (!scrambled) // a crowd reads as it is sent
scenario('while hundreds come and go there is one count in two seconds, and in the end the true one', { ms: 60_000 }, async (t) => {
  const system = await t.system({ readers: 1 });
  const viewer = await t.watch(system.readers[0], { video: 'v', query: ask });
  const crowd = new Crowd(system);
  t.after(() => crowd.leave(crowd.members));
  for (let round = 0; round < 5; round++) {
    await crowd.enter(100, ['v']);
    crowd.leave(crowd.members.slice(0, 20));
  }
  await viewer.isOneOf(401);
  crowd.leave(crowd.members.slice(0, 397));
  await viewer.isOneOf(4);
  crowd.leave(crowd.members);
  await viewer.isOneOf(1);
  assertRare(viewer);
  assert.ok(viewer.counts.every(({ viewers }) => viewers >= 1 && viewers <= 501));
});

scenario('a reader that is killed counts no longer than its lease', { setups: ['processes'], ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true });
  const readers = await byOwner(system, 'v');
  const names = readers.map((reader) => `reader-${system.readers.indexOf(reader) + 1}`);
  const viewers = [];
  for (const reader of readers) viewers.push(await t.watch(reader, { video: 'v', query: { ...ask, ...here } }));
  await Promise.all(viewers.map((viewer) => viewer.isOneOf(3)));

  await system.program.end1(names[1], 'SIGKILL');
  const killed = performance.now();
  await Promise.all([viewers[0], viewers[2]].map((viewer) => viewer.isOneOf(2, 20_000)));
  const took = performance.now() - killed;
  await system.program.again(names[1]);
  const back = await t.watch(readers[1], { video: 'v', query: { ...ask, ...here } });
  await Promise.all([viewers[0], viewers[2], back].map((viewer) => viewer.isOneOf(3, 20_000)));
  assert.ok(took < 15_000, `${took} ms`);

  await system.program.end1(names[0], 'SIGKILL'); // the owner
  await Promise.all([viewers[2], back].map((viewer) => viewer.isOneOf(2, 20_000)));
  const next = await until(async () => {
    const url = await owner(system, 'v');
    return url !== readers[0] && url;
  }, 'another owner');
  await t.watch(next, { video: 'v', query: here });
  await Promise.all([viewers[2], back].map((viewer) => viewer.isOneOf(3, 20_000)));
});
