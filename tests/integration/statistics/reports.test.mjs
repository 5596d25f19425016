// CI also: processes. Reports come from other processes.
import assert from 'node:assert/strict';
import { call, statistics } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const kinds = { 'comment-api': 'instanceId', 'reader-api': 'instanceId', 'reader-api-manager': 'instanceId', client: 'clientId' };
const report = (system, kind, json, headers) => call('POST', `${system.statistics}/${kind}-statistics`, { json, headers });

async function reported(system, kind, json) {
  const answer = await report(system, kind, json);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.json, { success: true });
}

scenario('the four reports need their id and nothing else', async (t) => {
  const system = await t.system();
  for (const [kind, id] of Object.entries(kinds)) {
    await reported(system, kind, { [id]: 'x-1' });
    // In the document only readers and clients have an id; the other two may omit it, as the original's do.
    const missing = ['reader-api', 'client'].includes(kind) ? [{}, { [id]: null }, { [id]: '' }] : [];
    for (const wrong of [...missing, { [id]: 7 }, { [id]: 'a b' }, { [id]: 'x'.repeat(1_000) }]) {
      checkError(await report(system, kind, wrong), 400, `${kind} ${JSON.stringify(wrong).slice(0, 40)}`);
    }
  }
});

scenario('a report with any Origin header is 403', async (t) => {
  const system = await t.system();
  for (const [kind, id] of Object.entries(kinds)) {
    for (const origin of ['https://page.example', 'null', system.statistics]) {
      checkError(await report(system, kind, { [id]: 'x' }, { origin }), 403, `${kind} from ${origin}`);
    }
  }
  assert.equal((await statistics(system)).clients.totalClients, 0);
});

scenario('fields of a wrong type are 400 or ignored, and the document stays intact', async (t) => {
  const system = await t.system();
  const wrong = [-1, 1e308, '7', null, [], {}, true, 'x'.repeat(5_000)];
  const fields = {
    'comment-api': ['totalComments', 'commentsByVideo', 'activeTopics', 'topicSubscribers', 'lastUpdated'],
    'reader-api': ['activeConnections', 'subscribedTopics', 'messagesSent', 'lastUpdated'],
    'reader-api-manager': ['registeredVideos', 'availableReaderApis', 'registrationCount', 'videoMappings'],
    client: ['userId', 'videoId', 'commentsGenerated', 'commentsConsumed', 'subscribedTopics', 'connectedReader'],
  };
  for (const [kind, names] of Object.entries(fields)) {
    for (const name of names) {
      for (const value of wrong) {
        const answer = await report(system, kind, { [kinds[kind]]: 'odd', [name]: value });
        if (answer.status !== 200) checkError(answer, 400, `${kind} ${name}`);
      }
    }
  }
  const document = await statistics(system);
  for (const number of [document.commentApi.totalComments, document.readerApis.totalMessagesSent, document.clients.totalCommentsConsumed]) {
    assert.equal(typeof number, 'number');
  }
});

scenario('several instances are summed, and a later report replaces an earlier one', async (t) => {
  const system = await t.system();
  const before = await statistics(system);
  await reported(system, 'comment-api', { instanceId: 'far-1', totalComments: 5, commentsByVideo: { x: 5 }, activeTopics: ['video:x'] });
  await reported(system, 'comment-api', { instanceId: 'far-2', totalComments: 7, commentsByVideo: { x: 4, y: 3 } });
  await reported(system, 'comment-api', { instanceId: 'far-1', totalComments: 6, commentsByVideo: { x: 6 }, activeTopics: ['video:x'] });
  await reported(system, 'reader-api', { instanceId: 'far-reader', activeConnections: 3, messagesSent: 30, subscribedTopics: ['video:x'] });
  for (let i = 0; i < 2; i++) {
    await reported(system, 'client', {
      clientId: `c${i}`, userId: `u${i}`, videoId: 'x', commentsGenerated: 2, commentsConsumed: 10, subscribedTopics: ['video:x'],
      connectedReader: 'http://far:4001',
    });
  }
  const { commentApi, readerApis, clients } = await statistics(system);
  assert.equal(commentApi.totalComments, before.commentApi.totalComments + 13);
  assert.deepEqual([commentApi.commentsByVideo.x, commentApi.commentsByVideo.y], [10, 3]);
  assert.ok(commentApi.activeTopics.includes('video:x'));
  const far = readerApis.readers.find(({ instanceId }) => instanceId === 'far-reader');
  assert.deepEqual([far.activeConnections, far.messagesSent, far.subscribedTopics], [3, 30, ['video:x']]);
  assert.ok(readerApis.totalActiveConnections >= 3);
  assert.deepEqual([clients.totalClients, clients.totalCommentsGenerated, clients.totalCommentsConsumed], [2, 4, 20]);
  const client = clients.clients.find(({ clientId }) => clientId === 'c1');
  assert.deepEqual([client.userId, client.videoId, client.connectedReader], ['u1', 'x', 'http://far:4001']);
});

scenario('reports are for services only: --internal-from, or a token', async (t) => {
  const closed = await t.system({ flags: { 'internal-from': '10.0.0.0/8', 'internal-token': 'secret-1' } });
  checkError(await report(closed, 'client', { clientId: 'c' }), 403);
  for (const authorization of ['Bearer wrong', 'Bearer ', 'Bearer secret-12', 'Bearer secret-', 'Basic secret-1', 'secret-1']) {
    checkError(await report(closed, 'client', { clientId: 'c' }, { authorization }), [401, 403], authorization);
  }
  assert.equal((await report(closed, 'client', { clientId: 'c' }, { authorization: 'Bearer secret-1' })).status, 200);
  checkError(await report(closed, 'client', { clientId: 'c' }, { authorization: 'Bearer secret-1', origin: 'null' }), 403);
  const byName = await t.system({ flags: { 'internal-from': '10.0.0.0/8' }, env: { INTERNAL_TOKEN: 'secret-2' } });
  assert.equal((await report(byName, 'client', { clientId: 'c' }, { authorization: 'Bearer secret-2' })).status, 200);
  // Its own parts report all the same, whatever the list.
  await until(async () => (await statistics(closed)).readerApis.totalReaders === 3, 'its own readers in the document');
  const open = await t.system({ flags: { 'internal-from': '10.0.0.0/8,127.0.0.0/8' } });
  await reported(open, 'client', { clientId: 'c' });
});
