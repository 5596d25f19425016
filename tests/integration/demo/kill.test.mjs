// CI also: up-redis, asan, tsan. What the engine and the workers still do for a dead reader.
import assert from 'node:assert/strict';
import { call, health, owner, post, postMany, resolve } from '../lib/api.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { demoToken, isBack, isDown, killReader, nameOf, refusal, tryToKill } from '../lib/demo.mjs';
import { startLoad } from '../lib/load.mjs';
import { RawClient } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis']; // all readers in one process
const LEASE_MS = 3_000;
// A killed reader needs its port again: one that no connection of another test is given meanwhile.
const demo = (flags, options) => ({ flags: { demo: true, 'log-level': 'warn', ...flags }, stable: true, ...options });

scenario('a killed reader leaves what kill -9 leaves: a closed port, resets, and a lease that lapses', { setups }, async (t) => {
  const system = await t.system(demo({ 'demo-restart-ms': 600_000 }));
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const idle = await RawClient.connect(reader);
  const half = await RawClient.connect(reader);
  await half.send('GET /connect?userid=u&videoid=v HTTP/1.1\r\nHo');
  const ends = new Map([['a stream', viewer.body.socket], ['an idle connection', idle.socket], ['half a request', half.socket]]
    .map(([what, socket]) => [what, new Promise((resolve) => socket.once('error', ({ code }) => resolve(code)).once('close', () => resolve('in order')))]));

  const killed = performance.now();
  await killReader(system, reader);
  for (const [what, end] of ends) assert.equal(await end, 'ECONNRESET', what);
  assert.equal(await refusal(reader), 'ECONNREFUSED');
  viewer.fault = undefined; // a reset is no end in order

  const again = await until(async () => {
    const { readerUrl } = await resolve(system, 'v');
    return readerUrl !== reader ? readerUrl : (await owner(system, 'v')) !== reader && owner(system, 'v');
  }, 'another reader to get the video', LEASE_MS + 3_000);
  assert.ok(performance.now() - killed > LEASE_MS / 2, 'which is not before the lease has lapsed');
  assert.ok(system.others(reader).includes(again));
  const state = await until(async () => {
    const { json } = await call('GET', `${system.statistics}/dashboard`);
    return json.readers.find(({ url, state: now }) => url === reader && now !== 'live')?.state;
  }, 'the dashboard to miss the reader');
  assert.equal(state, 'lost', 'one that gives its lease up is \'stopped\'');
});

scenario('200 viewers resume elsewhere: nothing lost, nothing twice; and the reader comes back, empty', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system(demo({ 'demo-restart-ms': 6_000 }));
  const reader = await owner(system, 'v');
  const before = await health(reader);
  const crowd = startCrowd(t, system);
  await crowd.enter(200, ['v']);
  const seen = await postMany(system, 'v', 20);
  await crowd.reach(seen.at(-1));
  await killReader(system, reader);
  await until(() => crowd.members.every(({ ended }) => ended), 'all streams to end');
  const missed = await postMany(system, 'v', 20);
  const other = await until(async () => {
    const url = await owner(system, 'v');
    return url !== reader && url;
  }, 'another reader to get the video');
  await crowd.comeBack();
  const live = await post(system, 'v', 'live');
  await crowd.reach(live);
  for (const member of crowd.members) {
    assert.deepEqual(member.journal.comments.map(({ id }) => id), [...seen, ...missed, live].map(({ id }) => id));
    assert.equal(member.gaps.length, 0);
  }

  await isBack(reader);
  const after = await health(reader);
  assert.equal(after.instanceId, before.instanceId);
  assert.equal(after.activeConnections, 0);
  assert.equal((await resolve(system, 'v')).readerUrl, other, 'what has moved stays');
  await until(async () => {
    const video = `new-${Math.random()}`;
    return (await owner(system, video)) === reader;
  }, 'the reader to get new videos');
});

scenario('killed under load, one after the other and while another is down: every comment arrives once', { setups, ms: 100_000 }, async (t) => {
  const system = await t.system(demo({ 'demo-restart-ms': 1_000, workers: 2 }));
  const load = await startLoad(t, system, { videos: ['a', 'b', 'c', 'd'], posters: 1, viewers: 4, everyMs: 10 });
  const token = await demoToken(system);
  for (const reader of [...system.readers, ...system.readers]) {
    await killReader(system, reader, token);
    await load.more(5, 30_000);
    await isBack(reader);
  }
  const [first, second, third] = system.readers;
  for (const reader of [first, second, third]) await killReader(system, reader, token);
  await load.until(async () => (await Promise.all(system.readers.map(refusal))).every((code) => code === 'ECONNREFUSED'), 'all to be down');
  for (const reader of system.readers) await isBack(reader);
  await load.more(5, 30_000);
  await load.prove();
});

scenario('killed again as soon as it is back, 30 times, with joins on their way', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system(demo({ 'demo-restart-ms': 0, 'log-level': 'debug' }, { readers: 2 }));
  const [reader] = system.readers;
  const token = await demoToken(system);
  const name = nameOf(system, reader);
  let kills = 0;
  for (let round = 0; kills < 30; round++) {
    const joins = await Promise.all(Array.from({ length: 8 }, async (_, i) => {
      const client = await RawClient.connect(reader).catch(() => undefined);
      await client?.send(`GET /connect?userid=u&videoid=v-${round}-${i}&redirect=never&events=viewers HTTP/1.1\r\nHost: x\r\n\r\n`).catch(() => {});
      return client;
    }));
    const { status } = await tryToKill(system, name, { token });
    if (status === 202) kills++;
    else assert.equal(status, 409);
    for (const client of joins) client?.socket.destroy();
  }
  await isBack(reader);
  const freed = () => system.stderr.match(/dead_reader_freed/g)?.length ?? 0;
  await until(() => freed() > 20, 'dead readers to be freed while it runs');
  const viewer = await t.watch(reader, { video: 'v', query: { redirect: 'never' } });
  await viewer.reaches((await post(system, 'v', 'still here')).id);
});

scenario('a reader that is down is not killed again, an unknown one not at all', { setups }, async (t) => {
  const system = await t.system(demo({ 'demo-restart-ms': 600_000 }));
  const token = await demoToken(system);
  const [reader] = system.readers;
  assert.deepEqual(await killReader(system, reader, token), { success: true, instanceId: nameOf(system, reader), restartMs: 600_000 });
  await isDown(reader);
  const again = await tryToKill(system, nameOf(system, reader), { token });
  assert.deepEqual([again.status, again.json.code], [409, 'already_down']);
  for (const name of ['reader-9', 'manager-1', 'statistics', '%00', '%ff']) {
    const { status, json } = await tryToKill(system, name, { token });
    assert.deepEqual([status, json.code], [404, 'unknown_reader'], name);
  }
});
