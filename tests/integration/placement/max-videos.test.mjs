// --max-videos bounds all that is kept of videos, in the same way on each engine: a video that is watched, or had a comment a
// while ago, is in use and stays; all others make room, those without any comment first.
// CI also: up-redis. Each engine evicts videos in its own way.
import assert from 'node:assert/strict';
import { call, health, post, register, resolve, statistics } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const flags = { 'max-videos': 5 };
const tryComment = (system, video) => call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: video, comment: 'x' } });
const tryRegister = (system, video) => call('POST', `${system.comment}/register`, { json: { videoid: video } });
const isMapped = async (system, video) => (await call('GET', `${system.manager}/resolve/${video}`)).status === 200;

// Keys that a Redis has of videos; a log and a position count once.
async function videosInRedis(system) {
  if (!system.redis) return undefined;
  const keys = await system.redis.command('KEYS', '*video:*');
  return new Set(keys.map((key) => key.match(/video:([^:}]+)/)[1]).filter((id) => !id.includes('/'))).size; // no id has a slash
}

scenario('videos with comments fill --max-videos: new ones are refused, existing ones continue', async (t) => {
  const system = await t.system({ flags: { ...flags, 'statistics-interval-ms': 100 } });
  for (let i = 0; i < 5; i++) await post(system, `v${i}`, 'in time');
  await until(async () => (await Promise.all([0, 1, 2, 3, 4].map((i) => isMapped(system, `v${i}`)))).every(Boolean), 'five mappings');
  for (let i = 5; i < 20; i++) {
    checkError(await tryComment(system, `v${i}`), [503], 'comment');
    checkError(await tryRegister(system, `v${i}`), [503], 'register');
  }
  await system.program.says(/level=warn role=comment event=too_many_videos video=v\d+ action=".*--max-videos/);
  await until(async () => (await statistics(system)).readerApiManager.registeredVideos === 5, 'five mappings');
  for (let i = 0; i < 5; i++) await post(system, `v${i}`, 'still here');
  assert.ok([5, undefined].includes(await videosInRedis(system)));
});

scenario('thousands of invented videos, by every route, leave five and delay no other request', { ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  await post(system, 'real', 'hello');
  const viewer = await t.watch(system.readers[0], { video: 'real' });
  let next = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next < 1_000) {
      const video = `invented-${next++}`;
      const way = next % 4;
      if (way === 0) await tryRegister(system, video);
      if (way === 1) await call('GET', `${system.manager}/resolve/${video}`);
      if (way === 2) await call('HEAD', `${system.readers[0]}/connect?userid=u&videoid=${video}`);
      if (way === 3) await call('POST', `${system.manager}/register`, { json: { videoid: video } });
    }
  }));
  assert.ok(((await videosInRedis(system)) ?? 5) <= 5);
  assert.ok(await isMapped(system, 'real'));
  await viewer.reaches((await post(system, 'real', 'still here')).id);
  for (let i = 0; i < 4; i++) await post(system, `new-${i}`, 'has room');
  checkError(await tryComment(system, 'too-many'), [503]);
});

scenario('invented videos whose viewers have left make room for a comment', async (t) => {
  const system = await t.system({ flags });
  for (let i = 0; i < 5; i++) {
    const viewer = await t.watch(system.readers[i % 3], { video: `invented-${i}` });
    viewer.close();
  }
  await until(async () => (await tryComment(system, 'real')).status === 201, 'a comment to be taken', 5_000);
});

scenario('videos that are watched stay, even without comments', async (t) => {
  const system = await t.system({ flags });
  const viewers = [];
  for (let i = 0; i < 5; i++) viewers.push(await t.watch(system.readers[0], { video: `watched-${i}` }));
  for (let i = 0; i < 20; i++) checkError(await tryRegister(system, `invented-${i}`), [503]);
  checkError(await tryComment(system, 'new'), [503]);
  for (const [i, viewer] of viewers.entries()) {
    assert.ok(await isMapped(system, `watched-${i}`));
    await viewer.reaches((await post(system, `watched-${i}`, 'hello')).id);
  }
});

scenario('GET /resolve and HEAD /connect create nothing', async (t) => {
  const system = await t.system({ flags: { ...flags, 'statistics-interval-ms': 100 } });
  for (let i = 0; i < 20; i++) {
    assert.equal((await call('GET', `${system.comment}/resolve/v${i}`)).status, 404);
    await call('HEAD', `${system.readers[0]}/connect?userid=u&videoid=v${i}`);
    await call('HEAD', `${system.readers[1]}/connect?userid=u&videoid=v${i}&redirect=never`);
  }
  assert.ok([0, undefined].includes(await videosInRedis(system)));
  for (let i = 0; i < 20; i++) assert.equal((await call('GET', `${system.manager}/resolve/v${i}`)).status, 404);
});

scenario('a video whose comments have expired makes room, but videos without comments go first', async (t) => {
  const system = await t.system({ flags: { ...flags, 'log-age-ms': 1_000 } });
  for (let i = 0; i < 3; i++) await post(system, `real-${i}`, 'hello');
  await until(async () => (await tryRegister(system, 'x-0')).status === 200 && (await tryRegister(system, 'x-1')).status === 200, 'room');
  for (let i = 0; i < 3; i++) {
    await until(async () => {
      const viewer = await t.watch(system.readers[0], { video: `real-${i}`, query: { history: 1 } });
      viewer.close();
      return isMapped(system, `real-${i}`);
    }, 'the mappings');
  }
  for (let i = 0; i < 30; i++) await register(system, `invented-${i}`);
  for (let i = 0; i < 3; i++) await resolve(system, `real-${i}`);
  await until(async () => {
    for (let i = 0; i < 5; i++) if ((await tryComment(system, `later-${i}`)).status !== 201) return false;
    return true;
  }, 'room for five others, once what was said has expired');
});

scenario('an evicted video is registered again by its next comment', async (t) => {
  const system = await t.system({ flags: { 'max-videos': 3, 'log-age-ms': 500 } });
  await post(system, 'real', 'hello');
  await until(() => isMapped(system, 'real'), 'its mapping');
  let next = 0;
  await until(async () => {
    await tryComment(system, `other-${next++}`); // only videos with comments evict it
    return !(await isMapped(system, 'real'));
  }, 'it to be forgotten');
  await until(async () => (await tryComment(system, 'real')).status === 201 && isMapped(system, 'real'), 'its mapping again');
});

scenario('a video served by two readers stays while one of them has viewers', async (t) => {
  const system = await t.system({ flags: { 'max-videos': 3 } });
  const query = { redirect: 'never' };
  const first = await t.watch(system.readers[0], { video: 'shown', query });
  const second = await t.watch(system.readers[1], { video: 'shown', query });
  first.close();
  await until(async () => (await health(system.readers[0])).activeConnections === 0, 'the first to have left');
  for (let i = 0; i < 20; i++) await register(system, `invented-${i}`);
  assert.ok(await isMapped(system, 'shown'));
  await second.reaches((await post(system, 'shown', 'hello')).id);
});
