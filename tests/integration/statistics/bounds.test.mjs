// CI also: up-redis. There other connections are at work while the document is sent.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const long = (i) => `${i}`.padEnd(512, '\u0001');
const COUNT = 100;
const texts = Array.from({ length: COUNT }, (_, i) => long(i));
const counts = Object.fromEntries(texts.map((text) => [text, Number.MAX_SAFE_INTEGER]));
const id = (i) => `${i}`.padEnd(128, '~');

scenario('the document at its maximum size passes through the comment API too', { ms: 150_000 }, async (t) => {
  const system = await t.system({ flags: { 'statistics-interval-ms': 60_000 } });
  const report = async (kind, json) => assert.equal((await call('POST', `${system.statistics}/${kind}-statistics`, { json })).status, 200, kind);
  for (let i = 0; i < 10; i++) {
    const json = { userid: id(i), videoid: id(i), name: '"'.repeat(64), comment: '"'.repeat(2_000) };
    assert.equal((await call('POST', `${system.comment}/comment`, { json })).status, 201);
  }
  await report('comment-api', { instanceId: id(0), commentsByVideo: counts, activeTopics: texts, topicSubscribers: counts });
  await report('reader-api-manager', { instanceId: id(0), service: long(0), videoMappings: Object.fromEntries(texts.map((text) => [text, text])) });
  for (let i = 0; i < COUNT; i++) {
    await report('reader-api', { instanceId: id(i), subscribedTopics: texts });
    await report('client', { clientId: id(i), userId: long(i), videoId: long(i), connectedReader: long(i), subscribedTopics: texts });
  }
  // A busy machine may need longer for so much than a client, or the comment API, waits.
  const whole = (url) => until(async () => {
    const answer = await call('GET', `${url}/statistics`);
    if (answer.status !== 200) throw new Error(answer.text.slice(0, 200));
    return answer;
  }, `the document of ${url}`, 60_000);
  const direct = await whole(system.statistics);
  const through = await whole(system.comment);
  assert.ok(through.text.length > 60e6, `${through.text.length} bytes`);
  for (const answer of [direct, through]) {
    assert.equal(answer.json.readerApis.readers.length, COUNT);
    assert.deepEqual(answer.json.clients.clients[99].subscribedTopics, texts);
    assert.equal(answer.json.storedComments.comments.length, 10);
  }
});
