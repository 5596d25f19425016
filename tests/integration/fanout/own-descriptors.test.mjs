// --own-descriptors: each fan-out worker has a table of descriptors of its own, so that what one process may have open
// does not limit its viewers.
// CI also: up-redis, asan. A video moves to another reader only on Redis; closing is delicate.
import assert from 'node:assert/strict';
import { call, health, owner, post, postMany, readerFigures } from '../lib/api.mjs';
import { everyPort } from '../lib/checks.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { RawClient } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';
import { until } from '../lib/time.mjs';
import { Agent } from '../lib/undici.mjs';

const NOFILE = 256; // in `processes`, each reader has as many
const CROWD = setup === 'processes' ? 1_500 : 600;
const VIDEOS = ['one', 'two', 'three', 'four', 'five'];
// The thread sanitizer takes a number for the same descriptor in every table: it reports false races, and writes its
// reports into viewers' sockets.
const skip = process.env.TSAN_OPTIONS !== undefined && 'the thread sanitizer knows one table only';
const limited = { limits: { nofile: NOFILE }, flags: { 'own-descriptors': true, workers: 2 } };

async function postToAll(crowd, count) {
  const stored = [];
  for (const video of VIDEOS) stored.push(...(await postMany(crowd.system, video, count)));
  return stored;
}

// The readers' figures may be a moment late.
const hold = (system, viewers) => until(async () => (await readerFigures(system)).activeConnections === viewers, `${viewers} viewers to be there`);

// Requests on new connections are answered while `work` runs; returns what that returns.
async function answeringThroughout(system, work) {
  let going = true;
  let asked = 0;
  const asking = (async () => {
    for (; going; asked++) {
      const [role, url] = everyPort(system)[asked % everyPort(system).length];
      const client = await RawClient.connect(url);
      await client.send('GET /health HTTP/1.1\r\nHost: test\r\n\r\n');
      assert.equal((await client.answer())?.status, 200, `/health of ${role}`);
      client.destroy();
    }
  })();
  asking.catch(() => {});
  try {
    return await Promise.race([work(), asking.then(() => new Promise(() => {}))]);
  } finally {
    going = false;
    await asking;
    assert.ok(asked > 0);
  }
}

scenario('with more viewers than descriptors all get everything in order, while some leave and others join', { skip }, async (t) => {
  const system = await t.system(limited);
  const crowd = startCrowd(t, system);
  const before = system.program.descriptorsByThread().reduce((sum, count) => sum + count, 0);
  await answeringThroughout(system, async () => {
    await crowd.enter(CROWD, VIDEOS);
    await crowd.reach(await postToAll(crowd, 20));
    for (let round = 0; round < 3; round++) {
      crowd.leave(crowd.members.filter((_, i) => i % 3 === round));
      const stored = await postToAll(crowd, 5);
      await crowd.enter(CROWD - crowd.members.length, VIDEOS);
      await crowd.reach([...stored, ...(await postToAll(crowd, 5))]);
    }
  });
  await hold(system, CROWD);
  assert.ok(crowd.members.every(({ gaps, ended }) => gaps.length === 0 && !ended));
  const sizes = system.program.descriptorsByThread();
  assert.ok(Math.max(...sizes) <= NOFILE, `a table holds ${Math.max(...sizes)}`);

  // The descriptors of viewers that have left are free: as many again find room, twice.
  for (let wave = 0; wave < 2; wave++) {
    crowd.leave(crowd.members);
    await hold(system, 0);
    await until(() => {
      const open = system.program.descriptorsByThread();
      // What is not a viewer's: each thread's own, and connections of services that are kept.
      return open.reduce((sum, count) => sum + count, 0) < before + 20 * open.length;
    }, () => `descriptors to be closed; the tables hold ${system.program.descriptorsByThread()}`);
    await crowd.enter(CROWD, VIDEOS);
    await crowd.reach(await postToAll(crowd, 3));
  }
});

scenario('a crowd that connects all at once gets in, at the latest when it reconnects', { skip }, async (t) => {
  const system = await t.system(limited);
  const crowd = startCrowd(t, system);
  await crowd.insist(CROWD, VIDEOS, { atOnce: CROWD });
  await crowd.reach(await postToAll(crowd, 10));
  await hold(system, CROWD);
});

scenario('a video whose viewers fill several tables keeps its order, and a viewer that left frees its place', { skip }, async (t) => {
  const system = await t.system(limited);
  const crowd = startCrowd(t, system);
  await crowd.enter(600, ['hot']);
  await crowd.reach(await postMany(system, 'hot', 50));
  crowd.leave(crowd.members.slice(0, 500));
  await hold(system, 100);
  await crowd.enter(500, ['hot']);
  await crowd.reach(await postMany(system, 'hot', 50));
  assert.ok(crowd.members.every(({ gaps }) => gaps.length === 0));
});

scenario('no table keeps a copy of a viewer\'s descriptor, neither while it is connected nor after it has left', { skip }, async (t) => {
  const system = await t.system(limited);
  const crowd = startCrowd(t, system);
  const inAllTables = () => system.program.descriptorsByThread().reduce((sum, count) => sum + count);
  const before = inAllTables();
  const OTHERS = 200; // of further workers, and requests of this test; a copy of each in the process's table would be more
  const few = async (viewers) => {
    await hold(system, viewers);
    let now;
    await until(() => (now = inAllTables()) < before + viewers + OTHERS, () => `${now} descriptors in all tables to become ${viewers} more than ${before}`);
  };
  await crowd.enter(500, VIDEOS);
  await few(500);
  crowd.leave(crowd.members.filter((_, i) => i % 2));
  await few(250);
  await crowd.reach(await postToAll(crowd, 2));
});

scenario('the viewers of a video that moves to another reader follow it', { skip, setups: ['up-redis', 'processes'] }, async (t) => {
  const system = await t.system(limited);
  const crowd = startCrowd(t, system);
  await crowd.enter(400, ['film']);
  const stored = await postMany(system, 'film', 10);
  await crowd.reach(stored);
  const [there] = system.others(await owner(system, 'film'));
  await system.redis.command('SET', 'video:film:reader', there);
  await system.redis.command('DEL', 'readers'); // so that the readers recheck video ownership
  await until(() => crowd.members.every(({ ended }) => ended), () => `${crowd.members.filter(({ ended }) => !ended).length} streams to end`);
  const missed = await post(system, 'film', 'while it moves');
  await until(async () => (await owner(system, 'film')) === there, 'the move to be known');
  await crowd.comeBack();
  await crowd.reach(missed);
  assert.equal((await health(there)).activeConnections, 400, 'all at one reader');
});

scenario('kill -9 and a restart: the whole crowd resumes where it was', { disk: true, skip, ms: 40_000 }, async (t) => {
  const system = await t.system({ ...limited, stable: true });
  const crowd = startCrowd(t, system);
  await crowd.enter(CROWD, VIDEOS);
  await crowd.reach(await postToAll(crowd, 10));
  await system.kill9();
  await until(() => crowd.members.every(({ ended }) => ended), 'all streams to end');
  await system.restart();
  await postToAll(crowd, 10);
  await crowd.comeBack();
  await crowd.reach(await postToAll(crowd, 1));
  assert.ok(crowd.members.every(({ seen, gaps }) => seen === 21 && gaps.length === 0));
});

scenario('one table for all, and it is full: new viewers are closed, requests are answered, other viewers are not affected', async (t) => {
  const system = await t.system({ limits: { nofile: 2 * NOFILE } });
  system.dispatcher = new Agent({ connections: 64, pipelining: 0 }); // a server that is full closes connections that are kept, maybe as they are used again
  const crowd = startCrowd(t, system);
  await answeringThroughout(system, async () => {
    const entered = await crowd.enter(CROWD, VIDEOS, { refusals: true, atOnce: 8 });
    assert.ok(entered.length > 64 && entered.length < CROWD, `${entered.length} of ${CROWD} got in`);
    const stored = await postToAll(crowd, 20);
    await crowd.reach(stored);
    assert.ok(crowd.members.every(({ seen }) => seen === 20), 'connected viewers miss nothing');
    await until(async () => (await readerFigures(system)).shed === CROWD - entered.length, 'those that were refused to be counted');
    crowd.leave(entered.slice(0, 60));
    await crowd.insist(60, VIDEOS);
    await crowd.reach(await postToAll(crowd, 2));
  });
  for (const [role, url] of everyPort(system)) await until(async () => (await call('GET', `${url}/ready`)).status === 200, `/ready of ${role}`);
});
