// A full Redis (maxmemory, noeviction) refuses comments and nothing else.
// Set-ups: up-redis, processes.
import assert from 'node:assert/strict';
import { call, owner, post, register, resolve } from '../lib/api.mjs';
import { checkError, everyPort } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];

scenario('a full Redis refuses comments with 503 store_full, and everything else continues', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  const first = await post(system, 'v', 'first', { headers: { 'idempotency-key': 'k' } });
  await viewer.reaches(first.id);
  await system.redis.command('CONFIG', 'SET', 'maxmemory', '1');
  for (let i = 0; i < 3; i++) {
    const answer = await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: i ? 'v' : 'never seen'.replace(' ', '-'), comment: 'x' } });
    checkError(answer, 503);
    assert.equal(answer.json.code, 'store_full');
    assert.ok(Number(answer.headers['retry-after']) > 0);
  }
  assert.deepEqual(await post(system, 'v', 'first', { headers: { 'idempotency-key': 'k' } }), first, 'a repeat needs no room');
  for (let i = 0; i < 5; i++) {
    const { readerUrl } = await register(system, `new-${i}`);
    assert.equal((await resolve(system, `new-${i}`)).readerUrl, readerUrl);
    const joined = await t.watch(readerUrl, { video: `new-${i}` });
    await joined.wait(() => joined.connected, 'the first event');
    const others = await t.watch(system.others(readerUrl)[0], { video: `new-${i}` });
    assert.equal(others.redirects.length, 1);
  }
  const again = await t.watch(await owner(system, 'v'), { video: 'v', from: first.id });
  await again.reaches(first.id);
  for (const [role, url] of everyPort(system)) {
    const answer = await call('GET', `${url}/ready`);
    assert.equal(answer.status, 200, `${role}: ${answer.text}`);
  }
  // Leases are renewed: the stamps move.
  const lease = () => system.redis.command('HVALS', 'readers').then(String);
  const seen = await lease();
  await until(async () => (await lease()) !== seen, 'leases to be renewed');
  await system.redis.command('CONFIG', 'SET', 'maxmemory', '0');
  const next = await post(system, 'v', 'next');
  assert.equal(next.id, first.id.replace(/-\d+$/, '-2'));
  await viewer.reaches(next.id);
});
