// What one address may have and do, and that others have theirs. 127.0.0.2 stands for an attacker's address.
// Set-ups: embedded, processes.
import assert from 'node:assert/strict';
import { call, post, register } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { run } from '../lib/process.mjs';
import { RawClient, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { watch } from '../lib/viewer.mjs';

const attacker = { localAddress: '127.0.0.2' };
const comment = (fields = {}) => jsonBytes('POST', '/comment', { userid: 'a', videoid: 'v', comment: 'hi', ...fields });
const streamed = requestBytes('GET', '/connect?userid=a&videoid=v');

// How many requests a process has refused for a limit.
const limited = async (url, reason) => Number((await call('GET', `${url}/metrics`)).text
  .match(new RegExp(`^chorus_limits_refused_requests_total\\{reason="${reason}"\\} (\\d+)$`, 'm'))[1]);

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
  await client.send(Buffer.concat(Array(40).fill(comment())));
  for (let i = 0; i < 40; i++) {
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
  const answers = await Promise.all(Array.from({ length: 40 }, () => send({ 'x-forwarded-for': '203.0.113.7' })));
  assert.ok(answers.some(({ status }) => status === 201));
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
  const answers = [];
  const isRefused = (answer) => answer?.status === 429;
  await until(async () => {
    answers.push(...(await Promise.all(Array.from({ length: 60 }, () => answerTo(system.comment, requestBytes('GET', '/health')).catch(() => undefined)))));
    return answers.some(isRefused) && answers.some((answer) => !answer);
  }, 'one to be refused, and one to be reset');
  const refused = answers.filter(isRefused);
  assert.equal(JSON.parse(refused[0].body).code, 'too_many_connects');
  assert.equal(refused[0].headers['retry-after'], '1');
  assert.equal(refused[0].headers.connection, 'close');
  assert.equal((await call('GET', `${system.comment}/health`)).status, 200);
});

scenario('strangers whose addresses a trusted proxy does not tell are limited together, and not exempt as it is', async (t) => {
  const system = await t.system({ flags: { 'trusted-proxies': '127.0.0.1', 'limit-posts': 3, 'limit-user-posts': 0 } });
  const send = (headers) => call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'hi' }, headers });
  const unnamed = [{ 'x-forwarded-for': 'unknown' }, { 'x-forwarded-for': '203.0.113.7, unix:' }, { 'x-forwarded-for': '' }, { forwarded: 'for=_hidden;proto=https' },
    { forwarded: 'for=203.0.113.7, proto=https' }];
  await until(async () => {
    const answers = await Promise.all([...unnamed, ...unnamed].map(send));
    return answers.some(({ json }) => json.code === 'too_many_posts');
  }, 'one of them to be refused');
  await system.program.says(/event=limited_unnamed address=127.0.0.1 code=too_many_posts .*X-Forwarded-For/);
  assert.equal((await send({ 'x-forwarded-for': 'unknown, 203.0.113.8' })).status, 201, 'one whose address is told has its own');
  for (let i = 0; i < 10; i++) assert.equal((await send({})).status, 201, 'and the proxy itself is exempt');
});

scenario('connections beyond --limit-connections are reset, idle and half-sent ones alike; streams are not among them', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-connections': 20 } }); // the services of the system have some too
  const { readerUrl } = await register(system, 'v');
  const open = async (url, bytes) => {
    const client = await RawClient.connect(url, attacker).catch(() => undefined);
    t.after(() => client?.destroy());
    if (client && bytes) await client.send(bytes).catch(() => {}); // it may have been reset
    return client;
  };
  const stays = async (client) => {
    await client?.send(requestBytes('GET', '/health')).catch(() => {});
    const answer = await client?.answer().catch(() => undefined);
    return answer?.status === 200;
  };
  for (let i = 0; i < 22; i++) {
    const stream = await open(readerUrl, streamed);
    await until(() => stream.received.includes('"connected"'), 'a stream');
  }
  const idle = [];
  for (let i = 0; i < 18; i++) idle.push(await open(readerUrl));
  const asking = await open(readerUrl);
  assert.ok(await stays(asking), 'streams leave room');
  const half = await open(readerUrl, requestBytes('GET', '/health').subarray(0, 20));
  assert.ok(!(await stays(await open(readerUrl))), 'one more is reset');
  assert.ok(!(await stays(await open(readerUrl, streamed))), 'so is a stream before it is read');
  assert.ok(await limited(readerUrl, 'too_many_connections') > 0, 'which is counted');
  assert.ok(!idle.some((client) => client.closed) && !half.closed, 'those before remain');
  assert.equal((await call('GET', `${readerUrl}/health`)).status, 200, 'another address connects');
  idle[0].destroy();
  await until(async () => stays(await open(readerUrl)), 'room for another');
});

const refusedPosts = async (system) => (await call('GET', `${system.comment}/metrics`)).text
  .match(/^chorus_comment_posts_total\{[^}]*result="video_too_fast"\} (\d+)$/m)[1];

scenario('--limit-video-posts slows a video down, whoever posts there, and no other video', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-video-posts': 2 } });
  const answers = [];
  for (let i = 0; i < 10; i++) answers.push(await call('POST', `${system.comment}/comment`, { json: { userid: `u${i}`, videoid: 'v', comment: 'hi' } }));
  assert.ok(answers.slice(0, 4).every(({ status }) => status === 201), 'twice as many at once');
  const refused = answers.filter(({ status }) => status !== 201);
  assert.ok(refused.length > 0, 'one is refused');
  for (const answer of refused) {
    checkError(answer, 429);
    assert.equal(answer.json.code, 'video_too_fast');
    assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
  }
  await post(system, 'another', 'calm');
  assert.equal(Number(await refusedPosts(system)), refused.length);
});

scenario('without --limit-video-posts a video has no limit of its own', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-posts': 0 } });
  const send = (i) => call('POST', `${system.comment}/comment`, { json: { userid: `u${i}`, videoid: 'v', comment: 'hi' } });
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => send(i)));
  assert.ok(answers.every(({ status }) => status === 201));
});

// The body of a comment may have 16 KB.
const halfBody = Buffer.concat([
  requestBytes('POST', '/comment', { headers: { 'Content-Type': 'application/json', 'Content-Length': '16000' } }), Buffer.alloc(15_000, ' ')]);

scenario('unfinished requests beyond --limit-bytes are 429 too_many_bytes and closed, the oldest first; another address may send its own', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-bytes': '200k' } });
  const send = async (options) => {
    const client = await RawClient.connect(system.comment, options);
    t.after(() => client.destroy());
    await client.send(halfBody);
    return client;
  };
  const other = await send({});
  const clients = [];
  while (!clients.some((client) => client.received.length) && clients.length < 100) clients.push(await send(attacker));
  const [first] = clients;
  const answer = await first.answer();
  checkError(answer, 429);
  assert.equal(answer.json.code, 'too_many_bytes');
  assert.equal(answer.headers['retry-after'], '1');
  assert.equal(answer.headers.connection, 'close');
  await first.ends();
  assert.ok(!clients.at(-1).closed, 'the newest goes on');
  assert.ok(!other.closed && !other.received.length, 'and that of another address');
  assert.ok(await limited(system.comment, 'too_many_bytes') > 0, 'it is counted');
});

scenario('unread responses beyond --limit-bytes are dropped, and another address reads its own', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-bytes': '300k', 'limit-connects': 0 } });
  const clients = await Promise.all(Array.from({ length: 60 }, () => RawClient.connect(system.comment, attacker)));
  t.after(() => clients.forEach((client) => client.destroy()));
  for (const client of clients) {
    client.socket.pause();
    client.send(Buffer.concat(Array(2_000).fill(requestBytes('GET', '/health'))));
  }
  await until(async () => await limited(system.comment, 'too_many_bytes') > 0, 'one to be dropped');
  assert.equal((await call('GET', `${system.comment}/health`)).status, 200);
});

scenario('streams beyond --limit-connects are never answered 429: 200 and the time to come back, or a reset', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-connects': 5 } });
  const { readerUrl } = await register(system, 'v');
  const watchOnce = async (bytes) => {
    const client = await RawClient.connect(readerUrl, attacker).catch(() => undefined);
    if (!client) return '';
    t.after(() => client.destroy());
    await client.send(bytes);
    await until(() => client.closed || client.finished || client.received.includes('\n\n'), 'an answer or an end');
    return client.received.toString();
  };
  const posted = jsonBytes('POST', '/connect', { userid: 'a', videoid: 'v' });
  const answers = [];
  const isServed = (answer) => answer.includes('"connected"');
  const isTurnedAway = (answer) => /\nretry: [23]\d{4}\n: too many/.test(answer); // told when to come back
  await until(async () => {
    answers.push(...(await Promise.all(Array.from({ length: 60 }, (_, i) => watchOnce(i % 2 ? posted : streamed)))));
    return answers.some(isServed) && answers.some(isTurnedAway);
  }, 'one to be served, and one to be turned away');
  for (const answer of answers.filter(Boolean)) assert.match(answer, /^HTTP\/1.1 200 OK\r\n/);
  assert.ok(await limited(readerUrl, 'too_many_connects') > 0, 'they are counted');
});

scenario('POST /connect is no post: --limit-posts does not refuse a stream', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true, 'limit-posts': 1 } });
  const { readerUrl } = await register(system, 'v');
  await until(async () => (await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'hi' } })).status === 429, 'a refusal');
  for (let i = 0; i < 5; i++) await t.watch(readerUrl, { video: 'v', method: 'POST' });
  assert.ok(await limited(system.comment, 'too_many_posts') > 0, 'the post is counted');
});

scenario('limits are on by default, as documented', { setups: ['embedded'] }, async () => {
  const { stdout } = await run(['config', 'print']);
  const defaults = { streams: '2000', connections: '2000', connects: '200', posts: '50', bytes: '8m', 'user-posts': '5', 'video-posts': '0' };
  for (const [name, value] of Object.entries(defaults)) assert.match(stdout, new RegExp(`^#?limit-${name} = ${value} +# default$`, 'm'));
});

scenario('/metrics says how many addresses have streams, and local ones are not among them', async (t) => {
  const system = await t.system({ flags: { 'limit-local': true } });
  const { readerUrl } = await register(system, 'v');
  const addresses = async () => Number((await call('GET', `${readerUrl}/metrics`)).text.match(/^chorus_limits_streaming_addresses (\d+)$/m)[1]);
  const clients = [];
  for (const last of [2, 2, 3, 4]) {
    const client = await RawClient.connect(readerUrl, { localAddress: `127.0.0.${last}` });
    t.after(() => client.destroy());
    await client.send(streamed);
    clients.push(client);
  }
  await until(async () => await addresses() === 3, 'three addresses');
  clients[3].destroy();
  await until(async () => await addresses() === 2, 'two addresses');
  const exempt = await t.system();
  await t.watch((await register(exempt, 'v')).readerUrl, { video: 'v' });
  assert.match((await call('GET', `${exempt.readers[0]}/metrics`)).text, /^chorus_limits_streaming_addresses 0$/m);
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
