// Starting before Redis does, or with a wrong password: it waits and says so.
// Set-ups: up-redis, processes.
// CI also: processes. Each process waits for itself.
// Long: 15.
import assert from 'node:assert/strict';
import { call, owner, post } from '../lib/api.mjs';
import { checkError, checkHealthy, everyPort } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];

async function checkWaits(system, says) {
  for (const [role, url] of everyPort(system)) {
    const ready = await until(async () => {
      const answer = await call('GET', `${url}/ready`);
      return says.test(answer.text) && answer;
    }, () => `${role} to say ${says}`);
    assert.equal(ready.status, 503, role);
    const health = await call('GET', `${url}/health`);
    assert.deepEqual([health.status, health.json.status], [200, 'degraded'], role);
  }
  checkError(await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'x' } }), 503);
  checkError(await call('POST', `${system.manager}/register`, { json: { videoid: 'v' } }), 503);
}

async function checkServes(t, system) {
  await until(async () => {
    await checkHealthy(system);
    return true;
  }, 'all parts to be ready', 5_000);
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'hello')).id);
}

scenario('started while Redis is away, it is not ready and says why, and serves once Redis is there', { setups }, async (t) => {
  const system = await t.system({ wait: false });
  await checkWaits(system, /Redis/);
  await system.redis.start();
  await checkServes(t, system);
});

scenario('a wrong password is reported but not printed, and it serves once the password is right', { setups }, async (t) => {
  const system = await t.system({ wait: false, redis: { password: 'rosebud-7' } });
  system.redis.password = 'another';
  await system.redis.start();
  await checkWaits(system, /Redis.*(password|WRONGPASS|auth)/i);
  await system.redis.command('CONFIG', 'SET', 'requirepass', 'rosebud-7');
  system.redis.password = 'rosebud-7';
  await checkServes(t, system);
  assert.doesNotMatch(system.stdout + system.stderr, /rosebud/);
});

scenario('it connects with it connects with a password and a database number', { setups }, async (t) => {
  const system = await t.system({ redis: { password: 'p@ss:1/2', database: 5 } });
  await checkServes(t, system);
  assert.equal(Number(await system.redis.command('DBSIZE')), 0, 'nothing in database 0');
});

scenario('a server that is not Redis is not mistaken for it', { setups }, async (t) => {
  const system = await t.system({ wait: false });
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => response.end('no')).listen(system.redis.port, '127.0.0.1');
  t.after(() => new Promise((closed) => {
    server.closeAllConnections();
    server.close(closed);
  }));
  await checkWaits(system, /Redis/);
});
