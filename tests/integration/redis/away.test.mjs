// Redis goes away and comes back under load, in every way that a process can.
// Set-ups: up-redis, processes.
// CI also: processes. Each process notices for itself.
// Long: 42.
import assert from 'node:assert/strict';
import { call, register, resolve } from '../lib/api.mjs';
import { checkError, everyPort } from '../lib/checks.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];
const flags = { 'log-entries': 100_000 }; // nothing expires while something is away
const always = { flags, redis: { fsync: 'always' } };

// Every client posts and sees comments again, and each process, which connects by itself, has its Redis back.
async function checkRecovers(system, load) {
  await load.more(1);
  for (const [role, url] of everyPort(system)) {
    await load.until(async () => (await call('GET', `${url}/ready`)).status === 200, `${role} to be ready`);
  }
}

// While Redis is away posts are refused, resolved videos are known, new ones are refused, and each response says why.
async function checkAway(system, load) {
  const before = load.refused;
  await load.until(() => load.refused > before + 5, 'posts to be refused');
  for (const video of load.videos) {
    const { readerUrl } = await resolve(system, video);
    assert.ok(system.readers.includes(readerUrl), `${video} at ${readerUrl}, from memory`);
  }
  checkError(await call('POST', `${system.manager}/register`, { json: { videoid: 'never-seen' } }), 503);
  for (const [role, url] of everyPort(system)) {
    await load.until(async () => (await call('GET', `${url}/ready`)).status === 503, `${role} to be not ready`);
    const health = await call('GET', `${url}/health`);
    assert.deepEqual([health.status, health.json.status], [200, 'degraded'], `${role}: ${health.text}`);
  }
  assert.equal(load.cuts, 0, 'streams stay open');
}

// After a loss, leases are written again within a second, and managers see them soon after.
const checkPlaced = (system, load) => load.until(async () => {
  for (const video of load.videos) assert.ok(system.readers.includes((await register(system, video)).readerUrl));
  return true;
}, 'every video to have a reader', 3_000);

scenario('kill -9 and restart of Redis under load, twice: nothing is lost', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system(always);
  const load = await startLoad(t, system);
  for (let round = 0; round < 2; round++) {
    const owners = await Promise.all(load.videos.map((video) => resolve(system, video)));
    await system.redis.kill9();
    await checkAway(system, load);
    await system.redis.start();
    await checkRecovers(system, load);
    assert.deepEqual(await Promise.all(load.videos.map((video) => resolve(system, video))), owners);
    await register(system, `new-${round}`);
  }
  await load.prove();
  assert.equal(load.cuts, 0, 'streams stay open');
});

scenario('kill -9 and immediate restart of Redis, ten times', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system(always);
  const load = await startLoad(t, system);
  for (let round = 0; round < 10; round++) {
    await system.redis.kill9();
    await system.redis.start();
    await checkRecovers(system, load);
  }
  await load.prove();
  assert.equal(load.cuts, 0, 'streams stay open');
});

// Redis has lost data `times` times, and every viewer has a gap for each.
async function proveAnnounced(system, load, losses) {
  await load.prove({ gaps: ['epoch'], lossy: true });
  for (const { viewer } of load.followers) {
    assert.ok(viewer.gaps.length >= losses, `each loss is announced: ${JSON.stringify(viewer.gaps)}`);
  }
  await checkPlaced(system, load);
}

scenario('Redis comes back empty: `epoch` gaps, never silence', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const load = await startLoad(t, system);
  for (let round = 0; round < 3; round++) {
    await system.redis.kill9();
    system.redis.forget();
    await system.redis.start();
    await checkRecovers(system, load);
    await load.more(20);
  }
  await proveAnnounced(system, load, 3);
});

scenario('Redis comes back with an older state: `epoch` gaps for what it lost', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const load = await startLoad(t, system);
  for (let round = 0; round < 3; round++) {
    const forget = system.redis.remember();
    await load.more(20);
    await system.redis.kill9();
    forget();
    await system.redis.start();
    await checkRecovers(system, load);
    await load.more(20);
  }
  await proveAnnounced(system, load, 3);
});

scenario('FLUSHALL under load: `epoch` gaps at most, and leases and mappings come back', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const load = await startLoad(t, system);
  for (let round = 0; round < 3; round++) {
    await system.redis.command('FLUSHALL');
    await checkRecovers(system, load);
    await load.more(20);
  }
  await load.prove({ gaps: ['epoch'], lossy: true });
  assert.equal(load.cuts, 0, 'streams stay open');
  await load.until(async () => (await system.redis.command('HLEN', 'readers')) === system.readers.length, 'all leases');
  await checkPlaced(system, load);
});

scenario('SIGSTOP and SIGCONT of Redis: nothing is lost', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const load = await startLoad(t, system);
  for (const ms of [1_000, 4_000, 8_000]) {
    system.redis.suspend();
    await pause(ms); // the length of the outage: shorter and longer than the time-out
    system.redis.resume();
    await checkRecovers(system, load);
  }
  await load.prove();
  assert.equal(load.cuts, 0, 'streams stay open');
});

scenario('CLIENT PAUSE: nothing is lost', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const load = await startLoad(t, system);
  for (const ms of [500, 2_000, 5_000]) {
    await system.redis.command('CLIENT', 'PAUSE', ms, 'ALL');
    await pause(ms); // the length of the outage
    await checkRecovers(system, load);
    await system.redis.command('CLIENT', 'PAUSE', ms, 'WRITE');
    await pause(ms);
    await checkRecovers(system, load);
  }
  await load.prove();
  assert.equal(load.cuts, 0, 'streams stay open');
});

scenario('a Redis out of memory refuses comments under load, and recovers when there is some', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const load = await startLoad(t, system);
  await system.redis.command('CONFIG', 'SET', 'maxmemory', '1');
  const before = load.refused;
  await load.until(() => load.refused > before + 5, 'posts to be refused');
  assert.equal((await call('GET', `${system.comment}/ready`)).status, 200);
  await system.redis.command('CONFIG', 'SET', 'maxmemory', '0');
  await checkRecovers(system, load);
  await load.prove();
  assert.equal(load.cuts, 0, 'streams stay open');
});
