// What `chorus doctor` says of a Redis; nothing there is changed.
// Set-ups: up-redis.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { doctor, finding } from '../lib/doctor.mjs';
import { RedisServer } from '../lib/redis.mjs';
import { scenario } from '../lib/scenario.mjs';
import { makeAuthority } from '../lib/tls.mjs';

const setups = ['up-redis'];
const page = readFileSync(new URL('../../../docs/redis.md', import.meta.url), 'utf8');
const [, user, word, rules] = page.match(/^ {4}ACL SETUSER (\S+) on >(\S+) (.+)$/m);

async function redis(t, options) {
  const server = new RedisServer({ password: 'rosebud-7', ...options });
  t.after(() => server.release());
  return server.start();
}

scenario('its version, memory, file, buffers and rights: as they should be, and then not', { setups }, async (t) => {
  const server = await redis(t, { args: ['--maxmemory', '64mb'] });
  const set = (...words) => server.command('CONFIG', 'SET', ...words);
  const ask = (check) => finding(check, ['--redis', server.url]);
  const good = await doctor(['--redis', server.url]);
  for (const check of ['redis', 'redis-access', 'redis-rights', 'durability', 'redis-memory', 'redis-buffers']) assert.match(good.of(check)[0], /^ok: /);
  await set('maxmemory', '0');
  assert.match(await ask('redis-memory'), /^warning: .*no maxmemory/);
  await set('maxmemory-policy', 'allkeys-lru');
  assert.match(await ask('redis-memory'), /^fault: .*allkeys-lru/);
  await set('client-output-buffer-limit', 'pubsub 1mb 1mb 10');
  assert.match(await ask('redis-buffers'), /^warning: .*1024 KB/);
  await set('appendfsync', 'no');
  assert.match(await ask('durability'), /^warning: .*appendfsync no/);
  await set('appendonly', 'no');
  assert.match(await ask('durability'), /^warning: .*no append-only file/);
  await server.command('REPLICAOF', '127.0.0.1', '1');
  assert.match(await ask('redis'), /^fault: .*a replica/);
});

scenario('the documented user has all rights; what is missing is named', { setups }, async (t) => {
  const server = await redis(t);
  await server.command('ACL', 'SETUSER', user, 'on', `>${word}`, ...rules.trim().split(/\s+/));
  const url = `redis://${user}:${word}@127.0.0.1:${server.port}`;
  const before = await server.command('INFO', 'keyspace');
  const rights = () => finding('redis-rights', ['--redis', url]);
  assert.match(await rights(), /^ok: /);
  assert.match(await finding('redis-buffers', ['--redis', url]), /^unknown: .*may not read its configuration/);
  for (const [rule, missing] of [['-xadd', 'XADD'], ['resetchannels', 'PUBLISH video:x, SUBSCRIBE video:x'], ['-evalsha', 'EVALSHA'], ['-eval', 'EVAL']]) {
    await server.command('ACL', 'SETUSER', user, rule);
    const answer = await rights();
    assert.match(answer, /^fault: /);
    assert.ok(answer.includes(missing), answer);
  }
  assert.equal(await server.command('INFO', 'keyspace'), before);
  assert.equal(before.trim(), '# Keyspace', 'and there is no key');
});

scenario('the password: in the URL, the environment or a file; wrong or missing', { setups }, async (t) => {
  const server = await redis(t), url = `redis://127.0.0.1:${server.port}`;
  const ask = (check, args, env) => finding(check, ['--redis', url, ...args], { env });
  const file = join(t.folder(), 'password');
  writeFileSync(file, 'rosebud-7\n');
  chmodSync(file, 0o600);
  assert.match(await ask('redis', ['--redis-password-file', file]), /^ok: /);
  assert.match(await ask('redis', [], { REDIS_PASSWORD: 'rosebud-7' }), /^ok: /);
  assert.match(await ask('redis', [], { CHORUS_REDIS_PASSWORD_FILE: file }), /^ok: /);
  assert.match(await finding('redis', ['--redis', server.url]), /^ok: /);
  assert.match(await ask('redis', ['--redis-password', 'wrong']), /^fault: .*password/i);
  assert.match(await ask('redis', []), /^fault: /);
  assert.match(await ask('redis-access', []), /^warning: .*asks for no password/);
  assert.match(await ask('redis-rights', []), /^unknown: Redis was not reached/);
});

scenario('rediss: the certificate decides', { setups }, async (t) => {
  const folder = t.folder(), { ca, of: [certificate] } = makeAuthority(folder, ['IP:127.0.0.1']);
  const server = await redis(t, { tls: certificate, args: ['--tls-auth-clients', 'no'] });
  const report = await doctor(['--redis', server.url, '--redis-ca', ca]);
  assert.match(report.of('redis')[0], /^ok: /);
  assert.match(report.of('redis-access')[0], /^ok: .*by TLS, with a password/);
  assert.match(await finding('redis', ['--redis', server.url]), /^fault: .*certificate/);
  assert.match(await finding('redis', ['--redis', server.url, '--redis-ca', '/nowhere']), /^fault: .*\/nowhere/);
});
