import assert from 'node:assert/strict';
import { call, owner, post, statistics } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow, until } from '../lib/time.mjs';

const COUNT = 150;
const names = Array.from({ length: COUNT }, (_, i) => `v${i}`);

scenario('lists and maps hold at most 100 entries beside the true totals', async (t) => {
  const system = await t.system({ readers: 1, flags: { 'statistics-interval-ms': 200 } });
  for (const name of names) {
    await post(system, name, 'hi');
    await t.watch(await owner(system, name), { video: name });
  }
  const document = await until(async () => {
    const found = await statistics(system);
    const { commentApi, readerApis, readerApiManager, storedComments } = found;
    const totals = [commentApi.totalComments, readerApis.totalActiveConnections, readerApiManager.registeredVideos, storedComments.total];
    return totals.every((total) => total === COUNT) && found;
  }, 'all reports');
  const { commentApi, readerApis, readerApiManager, storedComments } = document;
  const sizes = {
    commentsByVideo: Object.keys(commentApi.commentsByVideo).length,
    activeTopics: commentApi.activeTopics.length,
    topicSubscribers: Object.keys(commentApi.topicSubscribers).length,
    allSubscribedTopics: readerApis.allSubscribedTopics.length,
    subscribedTopics: readerApis.readers[0].subscribedTopics.length,
    videoMappings: Object.keys(readerApiManager.videoMappings).length,
  };
  for (const [name, size] of Object.entries(sizes)) assert.ok(size <= 100, `${name}: ${size}`);
  for (const name of ['commentsByVideo', 'activeTopics', 'allSubscribedTopics', 'subscribedTopics', 'videoMappings']) assert.equal(sizes[name], 100, name);
  assert.deepEqual([storedComments.total, storedComments.comments.length], [COUNT, 10]);
});

scenario('reported lists and maps are capped too', async (t) => {
  const system = await t.system();
  const report = async (kind, json) => assert.equal((await call('POST', `${system.statistics}/${kind}-statistics`, { json })).status, 200);
  const map = Object.fromEntries(names.map((name) => [name, 1]));
  await report('comment-api', { instanceId: 'far', totalComments: COUNT, commentsByVideo: map, activeTopics: names, topicSubscribers: map });
  await report('reader-api', { instanceId: 'far', activeConnections: 1, subscribedTopics: names });
  for (const name of names) await report('client', { clientId: name, commentsConsumed: 1, subscribedTopics: names });
  const { commentApi, readerApis, clients } = await statistics(system);
  assert.ok(Object.keys(commentApi.commentsByVideo).length <= 100);
  assert.ok(commentApi.activeTopics.length <= 100);
  assert.ok(Object.keys(commentApi.topicSubscribers).length <= 100);
  assert.ok(readerApis.readers.every(({ subscribedTopics }) => subscribedTopics.length <= 100));
  assert.deepEqual([clients.totalClients, clients.totalCommentsConsumed], [COUNT, COUNT]);
  assert.equal(clients.clients.length, 100);
});

// The document shows a hundred, and only of these are the lists kept: of the others 10 KB each are sent.
scenario('any number of instances takes bounded memory', async (t) => {
  const system = await t.system();
  const topics = names.slice(0, 100).map((name) => name.padEnd(100, 'x'));
  const report = async (from, to) => {
    for (let i = from; i < to; i += 40) {
      await Promise.all(Array.from({ length: 40 }, (_, k) =>
        call('POST', `${system.statistics}/client-statistics`, { json: { clientId: `c${i + k}`, subscribedTopics: topics } })));
    }
  };
  await report(0, 200);
  const before = system.program.memory();
  await report(200, 4_000);
  const grown = (system.program.memory() - before) / 2 ** 20;
  if (!slow) assert.ok(grown < 15, `grown by ${grown} MB of 38 that were sent`);
  assert.equal((await statistics(system)).clients.clients.length, 100);
});
