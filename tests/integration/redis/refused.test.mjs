// What Redis refuses shows in /ready and the log as a sentence, stores nothing, and recovers by itself.
// Set-ups: up-redis, processes.
// CI also: asan. Errors take paths that are rare.
import assert from 'node:assert/strict';
import { call, owner, post, postMany, statistics } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];
const ready = (url) => call('GET', `${url}/ready`);
const attempt = (system, comment, key) => call('POST', `${system.comment}/comment`, {
  json: { userid: 'u', videoid: 'v', comment }, headers: key ? { 'idempotency-key': key } : {},
});

async function isTold(system, url, pattern) {
  const answer = await until(async () => {
    const found = await ready(url);
    if (found.status !== 503 || !pattern.test(found.text)) throw new Error(`${found.status} ${found.text}`);
    return found;
  }, `/ready of ${url} to tell ${pattern}`);
  assert.doesNotMatch(answer.text, /[0-9a-f]{40}|user_script/, 'a sentence for people');
  await system.program.says(pattern);
  await system.program.says(/redis_unusable/);
}
const isReady = (url) => until(async () => (await ready(url)).status === 200, `${url} to be ready again`);

// Each revokes a right, as an operator would, and grants it again.
const rights = [
  ['publish', ['resetchannels'], ['allchannels'], /denies its user a right/],
  ['the publish command', ['-publish'], ['+publish'], /denies its user a right/],
  ['xadd', ['-xadd'], ['+xadd'], /denies its user a right/],
  ['keys', ['resetkeys'], ['allkeys'], /denies its user a right/],
];

// Whether a stream can go back below an entry that was deleted. If not (from Redis 8.0 on), what could not be published has used its number.
async function goesBack(redis) {
  for (const id of ['1-1', '1-2']) await redis.command('XADD', 'stream', id, 'a', 'b');
  await redis.command('XDEL', 'stream', '1-2');
  const went = await redis.command('XSETID', 'stream', '1-1').then(() => true, () => false);
  await redis.command('DEL', 'stream');
  return went;
}

for (const [name, take, give, pattern] of rights) {
  scenario(`a right is revoked while running: ${name}`, { setups, ms: 60_000 }, async (t) => {
    const system = await t.system();
    const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
    const first = await post(system, 'v', 'first');
    await viewer.reaches(first.id);
    const before = (await statistics(system)).storedComments.total;
    const numbers = (await goesBack(system.redis)) ? [2] : [2, 7];
    await system.redis.command('ACL', 'SETUSER', 'default', ...take);
    for (let i = 0; i < 5; i++) checkError(await attempt(system, `refused ${i}`, `key ${i}`), 503);
    await isTold(system, system.comment, pattern);
    await system.redis.command('ACL', 'SETUSER', 'default', ...give);
    await isReady(system.comment);
    // The number was not used where that can be, nothing of a refused comment is stored, and its key is free for another text.
    const next = await until(async () => {
      const answer = await attempt(system, 'another', 'key 0');
      return answer.status === 201 && answer.json.comment;
    }, 'a comment to be taken');
    assert.ok(numbers.some((number) => next.id === first.id.replace(/-\d+$/, `-${number}`)), next.id);
    await viewer.reaches(next.id);
    assert.deepEqual(viewer.comments.map(({ comment }) => comment), ['first', 'another']);
    assert.equal(await system.redis.command('XLEN', '{video:v}:log'), 2);
    await until(async () => (await statistics(system)).storedComments.total === before + 1, 'the total to be right');
  });
}

scenario('a right is revoked during posts: no number has two texts, and no refused comment is shown', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'first')).id);
  const stored = new Map();
  let over = false;
  const poster = async (name) => {
    for (let i = 0; !over; i++) {
      const answer = await attempt(system, `${name} ${i}`, `${name} ${i}`);
      if (answer.status !== 201) continue;
      assert.ok(!stored.has(answer.json.comment.id), 'a number of its own');
      stored.set(answer.json.comment.id, answer.json.comment.comment);
    }
  };
  const posters = Promise.all(['a', 'b', 'c', 'd'].map(poster));
  for (let round = 0; round < 4; round++) {
    const count = stored.size;
    await system.redis.command('ACL', 'SETUSER', 'default', '-publish');
    await until(async () => (await ready(system.comment)).status === 503, 'the refusal to show');
    await system.redis.command('ACL', 'SETUSER', 'default', '+publish');
    await until(() => stored.size > count + 20, 'comments to be taken again');
  }
  over = true;
  await posters;
  const last = await post(system, 'v', 'last');
  stored.set(last.id, 'last');
  await viewer.reaches(last.id);
  for (const { id, comment } of viewer.comments.slice(1)) assert.equal(comment, stored.get(id), id);
  assert.equal(viewer.comments.length, stored.size + 1);
});

scenario('no right to INFO, to scripts or to channels from the start', { setups: ['up-redis'], ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true });
  for (const [take, give] of [['-info', '+info'], ['-script', '+script'], ['-evalsha', '+evalsha'], ['-subscribe', '+subscribe']]) {
    await system.redis.command('ACL', 'SETUSER', 'default', take);
    await system.redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await system.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await isTold(system, system.comment, /denies its user a right/);
    await system.redis.command('ACL', 'SETUSER', 'default', give);
    await isReady(system.comment);
    await post(system, 'v', give);
  }
});

scenario('a read-only replica is reported before any comment is posted', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system();
  await system.redis.command('REPLICAOF', '127.0.0.1', '1');
  await system.redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
  await isTold(system, system.comment, /read-only replica|replica that has lost/);
  await system.redis.command('REPLICAOF', 'NO', 'ONE');
  await isReady(system.comment);
  await postMany(system, 'v', 5);
});

for (const right of ['xdel', 'xrevrange', 'xsetid']) {
  scenario(`a user that may neither publish nor ${right}: the log stays, and comments are accepted again`, { setups, ms: 60_000 }, async (t) => {
    const system = await t.system();
    const reader = await owner(system, 'v');
    const viewer = await t.watch(reader, { video: 'v' });
    await viewer.reaches((await post(system, 'v', 'first')).id);
    await system.redis.command('ACL', 'SETUSER', 'default', '-publish', `-${right}`);
    for (let i = 0; i < 3; i++) checkError(await attempt(system, `refused ${i}`), 503);
    await system.redis.command('ACL', 'SETUSER', 'default', '+publish', `+${right}`);
    const next = await until(async () => {
      const answer = await attempt(system, 'next');
      return answer.status === 201 && answer.json.comment;
    }, 'a comment to be taken');
    await viewer.reaches(next.id);
    assert.equal((await system.redis.command('XRANGE', '{video:v}:log', '-', '+', 'COUNT', 1))[0][0], viewer.comments[0].id);
  });
}

scenario('a channel that is refused does not keep others from being subscribed to again', { setups: ['up-redis'] }, async (t) => {
  const system = await t.system();
  const viewers = await Promise.all(['a', 'b'].map(async (video) => t.watch(await owner(system, video), { video })));
  for (const [i, video] of ['a', 'b'].entries()) await viewers[i].reaches((await post(system, video, 'before')).id);
  await system.redis.command('ACL', 'SETUSER', 'default', 'resetchannels', '&video:a', '&video:/*', '&chorus:*');
  await system.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await isTold(system, system.readers[0], /denies its user a right/);
  await viewers[0].reaches((await post(system, 'a', 'after')).id);
});
