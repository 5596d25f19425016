// How docs/retention.md says a user's comments are erased: nothing of them is left, and no viewer gets a gap for them.
// Set-ups: embedded, up-redis.
// CI also: up-redis. Each store has a procedure of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call, owner, post, postMany } from '../lib/api.mjs';
import { compareIds, parseId } from '../lib/journal.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';

const erase = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), 'deploy', 'erase');
const setups = ['embedded', 'up-redis'];

function output(file, ...args) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'latin1' });
  assert.equal(status, 0, `${file} ${args.join(' ')}: ${error ?? stdout + stderr}`);
  return stdout;
}

// Erases by the documented commands, and returns how many comments they report.
async function eraseUser(system, user) {
  if (setup === 'embedded') {
    assert.equal((await system.stop()).code, 0);
    const said = output('sqlite3', join(system.dataDir, 'chorus.db'), `.param set :user '${user}'`, `.read ${erase}/user.sql`);
    await system.restart();
    return Number(said.match(/^(\d+) comments erased$/m)[1]);
  }
  const redis = (...args) => output('redis-cli', '-p', String(system.redis.port), ...args);
  const logs = redis('ZRANGE', 'chorus:mapped', '0', '-1').trim().split('\n').map((video) => `{video:${video}}:log`);
  const counts = [...logs, 'chorus:newest'].map((key) => Number(redis('--eval', `${erase}/user.lua`, key, ',', user)));
  await system.restart(); // readers may hold what they have read
  return counts.slice(0, -1).reduce((sum, count) => sum + count, 0);
}

// All that the store holds, as bytes.
function stored(system) {
  if (setup === 'embedded') return system.dataFiles.map((path) => readFileSync(path, 'latin1')).join('\n');
  return output('redis-cli', '-p', String(system.redis.port), 'EVAL', `
    local all = {}
    for _, key in ipairs(redis.call('KEYS', '*')) do
      local kind = redis.call('TYPE', key).ok
      local value = kind == 'stream' and redis.call('XRANGE', key, '-', '+') or kind == 'list' and redis.call('LRANGE', key, 0, -1)
        or kind == 'hash' and redis.call('HGETALL', key) or kind == 'zset' and redis.call('ZRANGE', key, 0, -1) or redis.call('GET', key)
      all[#all + 1] = {key, value}
    end
    return cjson.encode(all)`, '0');
}

scenario('a user is erased: nothing is left, numbers go on, and viewers get no gap', { setups, disk: true, ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true });
  const before = await t.watch(await owner(system, 'one'), { video: 'one' });
  const start = before.position;
  before.close();
  const kept = [];
  const say = async (video, user, text, headers) => {
    const comment = await post(system, video, text, { user, name: user === 'ann' ? 'Ann Example' : 'Bob', headers });
    if (user !== 'ann') kept.push(comment);
    return comment;
  };
  await say('one', 'ann', 'my street is Example Road');
  await say('one', 'bob', 'hello ann');
  await say('one', 'ann', 'my street is still Example Road', { 'idempotency-key': 'from-ann' });
  await system.restartAll(); // what comes now is the first of an epoch, and says where the one before it ended
  await say('one', 'ann', 'Example Road, in a new epoch');
  await say('two', 'bob', 'hello again');
  await say('two', 'ann', 'Example Road again');
  const last = await say('one', 'ann', 'Example Road at the end');
  assert.match(stored(system), /Example Road/, 'the search finds what is there');

  assert.equal(await eraseUser(system, 'ann'), 5);
  assert.doesNotMatch(stored(system), /Example/);
  const listed = async (video) => (await call('GET', `${system.comment}/videos/${video}/comments`)).json.comments;
  const shown = [...await listed('one'), ...await listed('two')];
  assert.deepEqual(shown.filter(({ userid }) => userid !== 'erased'), kept);
  assert.deepEqual(shown.filter(({ userid }) => userid === 'erased').map(({ comment, name }) => [comment, name]), Array(5).fill(['[erased]', undefined]));
  const { storedComments } = (await call('GET', `${system.comment}/statistics`)).json;
  assert.doesNotMatch(JSON.stringify(storedComments), /Example/);

  const next = await post(system, 'one', 'after it', { user: 'bob' });
  assert.ok(compareIds(next.id, last.id) > 0, 'no number is used twice');
  const viewer = await t.watch(await owner(system, 'one'), { video: 'one', from: start });
  await viewer.reaches(next.id);
  assert.deepEqual(viewer.gaps, []);
  assert.deepEqual(viewer.comments.map(({ comment }) => comment), ['[erased]', 'hello ann', '[erased]', '[erased]', '[erased]', 'after it']);
  assert.equal(await eraseUser(system, 'ann'), 0, 'again');
  assert.equal((await call('GET', `${system.comment}/health`)).json.status, 'ready');
});

scenario("the log of a video is deleted from Redis: numbers go on, and a viewer gets a gap for what it has not seen", { setups: ['up-redis'] }, async (t) => {
  const system = await t.system({ stable: true });
  const before = await t.watch(await owner(system, 'one'), { video: 'one' });
  const start = before.position;
  const third = (await postMany(system, 'one', 3)).at(-1);
  await before.reaches(third.id);
  await system.redis.command('DEL', '{video:one}:log');
  const next = await post(system, 'one', 'after it');
  await before.reaches(next.id);
  assert.deepEqual(before.gaps, []);
  const { epoch, seq } = parseId(next.id);
  assert.deepEqual([epoch, seq], [parseId(third.id).epoch, 4]);
  before.close();
  await system.restart(); // readers may hold what they have read
  const viewer = await t.watch(await owner(system, 'one'), { video: 'one', from: start });
  await viewer.reaches(next.id);
  assert.deepEqual(viewer.gaps.map(({ missed, reason }) => [missed, reason]), [[3, 'expired']]);
});
