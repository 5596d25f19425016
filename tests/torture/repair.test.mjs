// A Redis whose file is damaged comes back with what can be read of it, or with nothing.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { freePorts } from '../integration/lib/ports.mjs';
import { RedisPart } from './redis.mjs';

async function comesBack(t, damage) {
  let repairs = 0;
  const scratch = mkdtempSync(join(tmpdir(), 'redis-'));
  const redis = new RedisPart('redis-a', { address: '127.0.0.1', port: (await freePorts(1))[0], scratch, onRepair: () => repairs++ });
  t.after(() => redis.close());
  await redis.begin();
  for (const key of ['one', 'two', 'three']) await redis.command('SET', key, 'here');
  await redis.kill();
  const folder = join(redis.folder, 'appendonlydir');
  damage(Object.fromEntries(['base.rdb', 'incr.aof'].map((kind) => [kind.slice(0, 4), join(folder, readdirSync(folder).find((name) => name.endsWith(kind)))])));
  await redis.begin();
  assert.equal(repairs, 1);
  return redis.command('KEYS', '*');
}

test('of a file that is damaged in the middle, what stands before that is kept', async (t) => {
  const keys = await comesBack(t, ({ incr }) => writeFileSync(incr, readFileSync(incr, 'latin1').replace('*3\r\n$3\r\nSET\r\n$3\r\ntwo', 'x'), 'latin1'));
  assert.deepEqual(keys, ['one']);
});

test('a Redis whose file cannot be repaired begins empty', async (t) => {
  assert.deepEqual(await comesBack(t, ({ base }) => truncateSync(base, 5)), []);
});
