// What one address may have and do, and that others have theirs. 127.0.0.2 stands for an attacker's address.
// Set-ups: embedded, processes.
import assert from 'node:assert/strict';
import { call, post, register } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { RawClient, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { watch } from '../lib/viewer.mjs';

const attacker = { localAddress: '127.0.0.2' };
const comment = (fields = {}) => jsonBytes('POST', '/comment', { userid: 'a', videoid: 'v', comment: 'hi', ...fields });
const streamed = requestBytes('GET', '/connect?userid=a&videoid=v');

async function answerTo(url, bytes, options = attacker) {
  const client = await RawClient.connect(url, options);
  await client.send(bytes);
  const answer = await client.answer();
  client.destroy();
  return answer;
}

scenario('posts beyond --limit-posts are 429 too_many_posts, and another address posts on', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-posts': 5, 'limit-user-posts': 0 } });
  const client = await RawClient.connect(system.comment, attacker);
  t.after(() => client.destroy());
  const statuses = [];
  for (let i = 0; i < 12; i++) {
    await client.send(comment());
    const answer = await client.answer();
    statuses.push(answer.status);
    if (answer.status !== 429) continue;
    assert.equal(answer.headers['retry-after'], '1');
    assert.equal(JSON.parse(answer.body).code, 'too_many_posts');
  }
  assert.ok(statuses.slice(0, 5).every((status) => status === 201), statuses.join());
  assert.ok(statuses.includes(429), statuses.join());
  await post(system, 'v', 'from another address');
});

scenario('a user at an address with limits is slowed down by --limit-user-posts, which local clients are not', async (t) => {
  const system = await t.system({ flags: { 'trusted-proxies': '127.0.0.1' } });
  const send = (headers) => call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'hi' }, headers });
  const answers = [];
  for (let i = 0; i < 30; i++) answers.push(await send({ 'x-forwarded-for': '203.0.113.7' }));
  assert.equal(answers[0].status, 201);
  const refused = answers.find(({ status }) => status !== 201);
  checkError(refused, 429);
  assert.equal(refused.json.code, 'too_fast');
  for (let i = 0; i < 30; i++) assert.equal((await send({})).status, 201);
});

scenario('a stream beyond --limit-streams gets 200 and the time to come back, and is cut; one that ends makes room', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-streams': 2 } });
  const { readerUrl } = await register(system, 'v');
  const open = async () => {
    const client = await RawClient.connect(readerUrl, attacker);
    t.after(() => client.destroy());
    await client.send(streamed);
    return client;
  };
  const text = (client) => client.received.toString();
  const first = [await open(), await open()];
  await until(() => first.every((client) => text(client).includes('"connected"')), 'two streams');
  const third = await open();
  await until(() => third.finished || third.closed, 'the third to be cut');
  assert.match(text(third), /^HTTP\/1.1 200 OK\r\n/);
  assert.match(text(third), /\r\nretry: [23]\d{4}\n: too many streams/);
  assert.doesNotMatch(text(third), /\r\n0\r\n/); // an end after which no client would come back
  const other = await watch(readerUrl, { video: 'v' });
  t.after(() => other.close());
  first[0].destroy();
  await until(async () => {
    const again = await open();
    await until(() => text(again).includes('"connected"') || again.finished || again.closed, 'an answer');
    return text(again).includes('"connected"');
  }, 'room for another stream');
});

scenario('connections beyond --limit-connects are 429 too_many_connects and closed, or reset; another address connects', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-connects': 5 } });
  const answers = await Promise.all(Array.from({ length: 60 }, () => answerTo(system.comment, requestBytes('GET', '/health')).catch(() => undefined)));
  const refused = answers.filter((answer) => answer?.status === 429);
  assert.ok(refused.length > 0, 'one is refused');
  assert.equal(JSON.parse(refused[0].body).code, 'too_many_connects');
  assert.equal(refused[0].headers['retry-after'], '1');
  assert.equal(refused[0].headers.connection, 'close');
  assert.ok(answers.some((answer) => answer === undefined), 'one is reset');
  assert.equal((await call('GET', `${system.comment}/health`)).status, 200);
});

scenario('a limited address that sends headers of a proxy is logged once, with the remedy', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-posts': 1 } });
  const send = () => call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'hi' }, headers: { via: '1.1 nginx' } });
  await until(async () => (await send()).status === 429, 'a refusal');
  await send();
  await system.program.says(/event=limited_proxy address=127.0.0.1 code=too_many_posts .*--trusted-proxies/);
  await until(async () => (await send()).status === 429, 'another');
  assert.equal(system.stderr.match(/limited_proxy/g).length, 1);
});
