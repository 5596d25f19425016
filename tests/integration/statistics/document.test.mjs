// Also on: sentinel, cluster. Processes find their Redis in another way.
// CI also: up-redis, processes. Totals come from the engine, figures from other processes.
import assert from 'node:assert/strict';
import { call, owner, post, postMany, statistics } from '../lib/api.mjs';
import { checkCors } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const shape = (value) => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);
function checkShape(object, expected, where) {
  for (const [name, type] of Object.entries(expected)) {
    if (type === 'time') assert.match(object[name] ?? '', ISO, `${where}.${name}`);
    else assert.equal(shape(object[name]), type, `${where}.${name} of ${JSON.stringify(object).slice(0, 300)}`);
  }
}

const parts = {
  commentApi: { totalComments: 'number', commentsByVideo: 'object', activeTopics: 'array', topicSubscribers: 'object', lastUpdated: 'time' },
  readerApis: {
    totalReaders: 'number', totalActiveConnections: 'number', totalMessagesSent: 'number', allSubscribedTopics: 'array', readers: 'array',
  },
  clients: { totalClients: 'number', totalCommentsGenerated: 'number', totalCommentsConsumed: 'number', clients: 'array' },
  storedComments: { total: 'number', comments: 'array' },
  readerApiManager: {
    service: 'string', registeredVideos: 'number', availableReaderApis: 'number', registrationCount: 'number', videoMappings: 'object',
    lastUpdated: 'time',
  },
};
const reader = { instanceId: 'string', activeConnections: 'number', subscribedTopics: 'array', messagesSent: 'number', lastUpdated: 'time' };

function checkDocument(document) {
  checkShape(document, { timestamp: 'time' }, 'document');
  for (const [name, expected] of Object.entries(parts)) checkShape(document[name], expected, name);
  for (const one of document.readerApis.readers) checkShape(one, reader, 'reader');
}

scenario('the statistics document reports what really happened, on both ports', async (t) => {
  const system = await t.system({ flags: { 'statistics-interval-ms': 100 } });
  const [a, b] = [await owner(system, 'a'), await owner(system, 'b')];
  const viewers = [await t.watch(a, { video: 'a' }), await t.watch(a, { video: 'a' }), await t.watch(b, { video: 'b' })];
  await postMany(system, 'a', 7);
  const newest = (await postMany(system, 'b', 5, { atOnce: 1 })).reverse();
  for (const [i, viewer] of viewers.entries()) await viewer.sees([7, 7, 5][i]);

  const document = await until(async () => {
    const found = await statistics(system);
    assert.deepEqual([found.commentApi.totalComments, found.readerApis.totalMessagesSent, found.storedComments.total], [12, 19, 12]);
    assert.equal(found.readerApiManager.registeredVideos, 2);
    return found;
  }, 'all parts to report');
  checkDocument(document);
  assert.deepEqual(document.commentApi.commentsByVideo, { a: 7, b: 5 });
  assert.equal(document.commentApi.activeTopics.length, 2);
  assert.equal(document.readerApis.totalReaders, 3);
  assert.equal(document.readerApis.totalActiveConnections, 3);
  assert.equal(document.readerApis.totalMessagesSent, 19);
  assert.equal(document.readerApis.allSubscribedTopics.length, 2);
  const readers = document.readerApis.readers;
  assert.deepEqual(readers.map(({ instanceId }) => instanceId).sort(), ['reader-1', 'reader-2', 'reader-3']);
  const atA = readers.find(({ instanceId }) => instanceId === `reader-${system.readers.indexOf(a) + 1}`);
  assert.deepEqual([atA.activeConnections, atA.messagesSent, atA.subscribedTopics.length], [2, 14, 1]);
  assert.equal(document.storedComments.total, 12);
  assert.equal(document.storedComments.comments.length, 10);
  assert.deepEqual(document.storedComments.comments.slice(0, 5), newest, 'newest first');
  assert.equal(document.readerApiManager.registeredVideos, 2);
  assert.equal(document.readerApiManager.availableReaderApis, 3);
  assert.deepEqual(document.readerApiManager.videoMappings, { a, b });
  assert.ok(document.readerApiManager.registrationCount >= 2);
  assert.ok(Math.abs(Date.parse(document.timestamp) - Date.now()) < 60_000);

  const proxied = await call('GET', `${system.comment}/statistics`);
  assert.equal(proxied.status, 200);
  checkCors(proxied);
  checkDocument(proxied.json);
  assert.deepEqual(proxied.json.commentApi.commentsByVideo, { a: 7, b: 5 });

  viewers[0].close();
  await until(async () => (await statistics(system)).readerApis.totalActiveConnections === 2, 'the viewer that left to be noticed');
});

scenario('the document is complete before anything has happened', async (t) => {
  const system = await t.system();
  const document = await until(async () => {
    const found = await statistics(system);
    return found.readerApis.totalReaders === 3 && found.readerApiManager.lastUpdated && found.commentApi.lastUpdated && found;
  }, 'the first reports');
  checkDocument(document);
  assert.deepEqual([document.storedComments.total, document.storedComments.comments], [0, []]);
});

scenario('the count of all comments ever logged exceeds what is kept, and survives kill -9', { disk: true }, async (t) => {
  const system = await t.system({ stable: true, flags: { 'log-entries': 10, 'log-min-age-ms': 0 } });
  await postMany(system, 'v', 300);
  const stored = (total) => until(async () => {
    const { storedComments } = await statistics(system);
    assert.equal(storedComments.total, total);
    return storedComments;
  }, `${total} comments`, 3_000);
  await stored(300);
  await system.restart('SIGKILL');
  const last = await post(system, 'v', 'end');
  assert.equal((await stored(301)).comments[0].id, last.id);
});
