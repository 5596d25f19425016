// What Redis keeps of Idempotency-Keys.
// Set-ups: up-redis, processes.
import assert from 'node:assert/strict';
import { call, post } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['up-redis', 'processes'];
const keyed = (system, key, comment) => call('POST', `${system.comment}/comment`, {
  json: { userid: 'u', videoid: 'v', comment }, headers: { 'idempotency-key': key },
});

scenario('the number of tokens of a video is bounded, whatever the comments', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system();
  await keyed(system, 'mine', 'x'.repeat(2000));
  // As if 60,000 had been posted: a full pair of hashes and a little more.
  await system.redis.command('EVAL', `for i = 1, 24999 do redis.call('HSET', KEYS[1], 'name' .. i, string.rep('d', 16) .. '1-1 5') end`, 1, '{video:v}:tokens');
  for (let i = 0; i < 3; i++) await post(system, 'v', `more ${i}`, { headers: { 'idempotency-key': `k${i}` } });
  const sizes = () => Promise.all(['tokens', 'tokens:older'].map((name) => system.redis.command('HLEN', `{video:v}:${name}`)));
  assert.deepEqual(await sizes(), [3, 25_000]);
  assert.equal((await keyed(system, 'mine', 'x'.repeat(2000))).status, 201);
  assert.equal(await system.redis.command('XLEN', '{video:v}:log'), 4, 'it was a repeat');
  await system.redis.command('EVAL', `for i = 1, 24997 do redis.call('HSET', KEYS[1], 'name' .. i, string.rep('d', 16) .. '1-1 5') end`, 1, '{video:v}:tokens');
  await post(system, 'v', 'the oldest go', { headers: { 'idempotency-key': 'k' } });
  assert.deepEqual(await sizes(), [1, 25_000]);
  assert.ok((await system.redis.command('MEMORY', 'USAGE', '{video:v}:tokens:older', 'SAMPLES', '0')) < 25_000 * 200);
  assert.ok((await system.redis.command('PTTL', '{video:v}:tokens:older')) > 0);
});

scenario('when there are too many tokens in total, each video keeps few', { setups }, async (t) => {
  const system = await t.system();
  const half = Math.floor(Date.now() / 1_800_000);
  await system.redis.command('HSET', 'chorus:tokens', half, 1_000_000);
  for (let i = 0; i < 102; i++) await keyed(system, `k${i}`, 'x');
  assert.equal(await system.redis.command('HLEN', '{video:v}:tokens'), 2);
  assert.equal(await system.redis.command('HLEN', '{video:v}:tokens:older'), 100);
});

scenario('tokens of an earlier version are honoured', { setups }, async (t) => {
  const system = await t.system();
  const stored = '{"id":"1700000000000-7","userid":"u","videoid":"v","comment":"old","timestamp":"2023-11-14T22:13:20.000Z"}';
  await system.redis.command('SET', '{video:v}:pos', '1700000000000-7 0000');
  await system.redis.command('SET', '{video:v}:token:u k', stored, 'PX', '100000');
  const again = await keyed(system, 'k', 'old');
  assert.deepEqual([again.status, again.json.comment], [201, JSON.parse(stored)]);
  checkError(await keyed(system, 'k', 'other'), 422);
  assert.equal(await system.redis.command('EXISTS', '{video:v}:log'), 0);
});
