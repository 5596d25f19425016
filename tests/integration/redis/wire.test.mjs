// What other programs see of us in a shared Redis, and how we treat what they write.
// Set-ups: up-redis, processes.
// CI also: asan. What others publish is parsed here.
import assert from 'node:assert/strict';
import { call, owner, post, postMany, register, resolve } from '../lib/api.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { Viewer } from '../lib/viewer.mjs';

const setups = ['up-redis', 'processes'];

scenario('1,000 comments are 1,000 calls of one script, and nothing else in proportion', { setups }, async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  const first = await post(system, 'v', 'the script is known now');
  await viewer.reaches(first.id);
  const before = await system.redis.calls();
  const stored = await postMany(system, 'v', 1_000);
  await viewer.reaches(stored.at(-1).id);
  const after = await system.redis.calls();
  const spent = Object.fromEntries(Object.entries(after).map(([name, calls]) => [name, calls - (before[name] ?? 0)]).filter(([, calls]) => calls));
  // Commands inside a script are counted as well; the other commands are leases and probes, in proportion to time.
  const inside = ['time', 'get', 'set', 'xadd', 'pexpire', 'publish', 'incr', 'lpush', 'ltrim', 'xrevrange', 'zadd'];
  assert.ok(spent.evalsha >= 1_000 && spent.evalsha < 1_150, JSON.stringify(spent));
  for (const [name, calls] of Object.entries(spent)) {
    if (name !== 'evalsha' && !inside.includes(name)) assert.ok(calls < 150, `${name}: ${calls} of ${JSON.stringify(spent)}`);
  }
  for (const name of ['xadd', 'publish']) assert.ok(spent[name] >= 1_000 && spent[name] < 1_150, `${name}: ${spent[name]}`);
  assert.ok(!('eval' in spent) && !('keys' in spent), JSON.stringify(spent));
});

scenario('MONITOR sees one command for a comment', { setups }, async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'first')).id);
  const client = system.redis.connection();
  t.after(() => client.disconnect());
  await client.connect();
  const monitor = await client.monitor();
  t.after(() => monitor.disconnect());
  const sent = [];
  monitor.on('monitor', (time, args, source) => source !== 'lua' && sent.push(args));
  const last = (await postMany(system, 'v', 200)).at(-1);
  await viewer.reaches(last.id);
  const isAppend = (args) => /^evalsha$/i.test(args[0]) && args.some((word) => word === 'video:v' || word === '{video:v}:log');
  await until(() => sent.filter(isAppend).length >= 200, () => `200 calls of the script; ${sent.filter(isAppend).length}`);
  assert.equal(sent.filter(isAppend).length, 200);
  const others = sent.filter((args) => !isAppend(args) && args.some((word) => /video:v\b/.test(word)));
  assert.ok(others.length < 20, `others that name the video: ${JSON.stringify(others.slice(0, 20))}`);
});

// Listens on a channel as another program's reader would: every message as text.
async function listen(t, system, channel) {
  const client = system.redis.connection();
  t.after(() => client.disconnect());
  const heard = [];
  client.on('message', (_, text) => heard.push(text));
  await client.connect();
  await client.subscribe(channel);
  return heard;
}

scenario('on the channel our comments are JSON with their id, as in the response', { setups }, async (t) => {
  const system = await t.system();
  const heard = await listen(t, system, 'video:film');
  const stored = await post(system, 'film', 'Great\n"video" \u{1f600}', { name: 'Zoë' });
  await until(() => heard.length, 'the message');
  assert.equal(heard.length, 1);
  const { prev: _, ...message } = JSON.parse(heard[0]);
  assert.deepEqual(message, stored);
  assert.match(heard[0], /^\{[^\n]*\}$/, 'one line');
});

// A stream's events: strict about form, but not about numbers, which comments of other programs do not have.
async function rawWatch(t, reader, video) {
  const viewer = new Viewer({ video, journal: { connected(event) { this.position = event.id; }, comments: [], gaps: [], comment() {}, gap() {} } });
  t.after(() => viewer.body?.destroy());
  await viewer.connect(reader);
  assert.equal(viewer.status, 200, viewer.text);
  await until(() => viewer.connected, 'the first event');
  return viewer;
}

scenario('a comment that another program published without an id reaches viewers unchanged', { setups }, async (t) => {
  const system = await t.system();
  const viewer = await rawWatch(t, await owner(system, 'v'), 'v');
  const foreign = { userid: 'user1', videoid: 'v', comment: 'from elsewhere', timestamp: '2024-05-01T10:00:00.000Z' };
  await system.redis.command('PUBLISH', 'video:v', JSON.stringify(foreign));
  await until(() => viewer.events.some(({ json }) => json.comment === 'from elsewhere'), 'the comment');
  const event = viewer.events.find(({ json }) => json.comment === 'from elsewhere');
  assert.deepEqual(event.json, foreign);
  assert.equal(event.type, 'message');
  assert.equal(event.id, undefined, 'no position of ours moves');
  const { id } = await post(system, 'v', 'ours');
  await until(() => viewer.events.at(-1).id === id, 'ours after it');
});

scenario('a comment without an id is not repeated to a viewer that resumes', { setups }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const first = await rawWatch(t, reader, 'v');
  const { id: from } = await post(system, 'v', 'one');
  await until(() => first.events.at(-1).id === from, 'the first');
  await system.redis.command('PUBLISH', 'video:v', JSON.stringify({ userid: 'user1', videoid: 'v', comment: 'from elsewhere' }));
  await until(() => first.events.at(-1).json.comment === 'from elsewhere', 'the one without an id');
  const { id: last } = await post(system, 'v', 'two');
  await until(() => first.events.at(-1).id === last, 'the second');
  const back = await t.watch(reader, { video: 'v', from });
  await back.reaches(last);
  assert.deepEqual(back.events.slice(1).map(({ json }) => json.comment), ['two']);
});

scenario('numbers on the channel that the log does not have are ignored', { setups }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const { id } = await post(system, 'v', 'ours');
  await viewer.reaches(id);
  const [epoch, seq] = id.split('-').map(Number);
  const forged = [[epoch, seq + 7], [epoch + 1, 1], [epoch + 1, 5], [2 ** 62, 1], [epoch, 0], [epoch - 1, 3], [1, 1], [epoch, seq]];
  for (const [e, s] of forged) {
    const json = { id: `${BigInt(e)}-${s}`, comment: 'forged' };
    await system.redis.command('PUBLISH', 'video:v', JSON.stringify(json));
    await viewer.reaches((await post(system, 'v', `ours after ${json.id}`)).id);
  }
  assert.deepEqual(viewer.gaps, []);
  assert.ok(viewer.comments.every(({ comment }) => comment.startsWith('ours')));
  const calls = (await system.redis.calls()).evalsha;
  await viewer.reaches((await post(system, 'v', 'ours at last')).id);
  assert.ok((await system.redis.calls()).evalsha - calls < 30, 'no feed goes on asking');
});

scenario('garbage on the channel breaks nothing and forges no event', { setups }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewer = await RawClient.connect(reader);
  t.after(() => viewer.destroy());
  await viewer.send(requestBytes('GET', '/connect?userid=u&videoid=v'));
  await until(() => viewer.received.includes('"connected"'), 'the stream');
  const rubbish = [
    '', 'hello', '{', '[]', '7', 'null', '{"id":7}', '{"id":"x"}', '{"id":"1-1"}', '{"id":"1-1","a":1}', '{\n\nid: 9-9\ndata: {}\n\n}',
    '{"a":1}\r\rid: 9-9\revent: gap\rdata: {"forged":1}\r\r{}', '{\u0000}', '{"id":"99999999999999999999-1"}', `{${'x'.repeat(3_000_000)}}`,
  ];
  for (const text of rubbish) await system.redis.command('PUBLISH', 'video:v', text);
  for (const text of ['ours', 'and another']) {
    const { id } = await post(system, 'v', text);
    await until(() => viewer.received.includes(`\nid: ${id}\n`), 'a comment of ours');
  }
  const lines = viewer.received.toString('latin1').split(/\r\n|\r|\n/);
  assert.deepEqual(lines.filter((line) => /^(id: 9-9|event:|data: \{"forged")/.test(line)), []);
  const late = await t.watch(reader, { video: 'v' });
  await late.reaches((await post(system, 'v', 'third')).id);
});

scenario("a mapping by another program to an unknown reader is honoured", { setups }, async (t) => {
  const system = await t.system();
  const theirs = 'http://127.0.0.1:1';
  await system.redis.command('SET', 'video:theirs:reader', theirs);
  const registered = await register(system, 'theirs');
  assert.deepEqual([registered.readerUrl, registered.action], [theirs, 'existing']);
  assert.equal((await resolve(system, 'theirs')).readerUrl, theirs);
  const sent = await call('GET', `${system.readers[0]}/connect?userid=u&videoid=theirs`);
  assert.equal(sent.status, 307);
  assert.equal(new URL(sent.headers.location).origin, theirs);
  await post(system, 'theirs', 'hello');
  assert.equal(await system.redis.command('GET', 'video:theirs:reader'), theirs, 'the mapping has not changed');
});

scenario('our mappings and leases are where other programs look for them', { setups }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'film');
  assert.equal(await system.redis.command('GET', 'video:film:reader'), reader);
  const leases = await system.redis.command('HKEYS', 'readers');
  assert.deepEqual([...leases].sort(), [...system.readers].sort());
});

scenario('a mapping that another program changes or removes is followed', { setups }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'film');
  const [other] = system.others(reader);
  await system.redis.command('SET', 'video:film:reader', other);
  await until(async () => (await resolve(system, 'film')).readerUrl === other, 'the change to be seen');
  await system.redis.command('DEL', 'video:film:reader');
  const again = await until(async () => {
    await register(system, 'film');
    return system.redis.command('GET', 'video:film:reader');
  }, 'a mapping to be there again');
  assert.ok(system.readers.includes(again));
  const viewer = await t.watch(again, { video: 'film' });
  await viewer.reaches((await post(system, 'film', 'hello')).id);
});
