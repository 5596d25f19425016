// GET /videos: the videos that people watch now.
// CI also: processes. There every reader reports for itself.
import assert from 'node:assert/strict';
import { call, owner, post } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const list = async (url, query = '') => {
  const answer = await call('GET', `${url}/videos${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
};
const shown = ({ videos }) => videos.map(({ videoid, viewers }) => `${videoid} ${viewers}`).join(', ');
const both = (system) => [system.comment, system.statistics];
const shows = (url, expected, total) =>
  until(async () => {
    const found = await list(url);
    if (shown(found) !== expected || found.total !== total) throw new Error(JSON.stringify(found));
    return found;
  }, `${expected} at ${url}`, 15_000);

const watchMany = async (t, system, video, count) => {
  const reader = await owner(system, video);
  return Promise.all(Array.from({ length: count }, () => t.watch(reader, { video })));
};

scenario('videos are listed by their viewers, of all readers, with their comments per second', async (t) => {
  const system = await t.system();
  for (const url of both(system)) assert.deepEqual(await list(url), { videos: [], total: 0 });
  const [few] = await Promise.all([watchMany(t, system, 'few', 2), watchMany(t, system, 'many', 5), watchMany(t, system, 'one', 1)]);
  const [elsewhere] = system.others(await owner(system, 'few'));
  for (let i = 0; i < 4; i++) few.push(await t.watch(elsewhere, { video: 'few', query: { redirect: 'never' } }));
  await post(system, 'unwatched', 'a video without viewers is not listed');
  for (let i = 0; i < 20; i++) await post(system, 'one', `comment ${i}`);
  for (const url of both(system)) await shows(url, 'few 6, many 5, one 1', 3);
  const rates = await until(async () => {
    const found = Object.fromEntries((await list(system.comment)).videos.map(({ videoid, commentsPerSecond }) => [videoid, commentsPerSecond]));
    return found.one > 0 && found;
  }, 'the rate of `one`');
  assert.ok(rates.one <= 2, `${rates.one}: 20 comments in 10 s or more`);
  assert.deepEqual([rates.few, rates.many], [0, 0]);
  for (const url of both(system)) {
    const first = await list(url, '?limit=1');
    assert.equal(shown(first), 'few 6');
    assert.equal(first.total, 3);
  }
  for (const viewer of few) viewer.close();
  await shows(system.comment, 'many 5, one 1', 2);
});

scenario('the limit is a number from 1 to 100', async (t) => {
  const system = await t.system({ readers: 1 });
  for (const url of both(system)) {
    for (const limit of ['0', '101', '-1', '1.5', 'x', '', '99999999999']) {
      const { status, json } = await call('GET', `${url}/videos?limit=${limit}`);
      assert.deepEqual([status, json.code], [400, 'invalid_field'], limit);
    }
    for (const limit of ['1', '100']) assert.equal((await call('GET', `${url}/videos?limit=${limit}`)).status, 200);
    assert.equal((await call('POST', `${url}/videos`, { json: {} })).status, 405);
  }
});

scenario('more videos than are listed are counted', async (t) => {
  const system = await t.system({ readers: 1 });
  for (let i = 0; i < 130; i++) await t.watch(system.readers[0], { video: `v${i}` });
  for (const url of both(system)) {
    const found = await until(async () => {
      const now = await list(url, '?limit=100');
      return now.total === 130 && now;
    }, 'all of them', 15_000);
    assert.equal(found.videos.length, 100);
    assert.equal((await list(url)).videos.length, 20);
  }
});

scenario('after a restart the list is that of the viewers that came back', { disk: true }, async (t) => {
  const system = await t.system({ stable: true, readers: 2 });
  await watchMany(t, system, 'v', 3);
  await shows(system.comment, 'v 3', 1);
  await system.restart();
  assert.deepEqual(await list(system.statistics), { videos: [], total: 0 });
  await watchMany(t, system, 'v', 2);
  await shows(system.comment, 'v 2', 1);
});
