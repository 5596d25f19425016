// rediss://: comments, streams and a restart over TLS; a server whose certificate is not accepted gets no password.
// Set-ups: up-redis, processes.
// CI also: asan. OpenSSL's memory, and connections that end at any moment of a handshake.
// Long: 10.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, owner, postMany } from '../lib/api.mjs';
import { checkError, checkHealthy } from '../lib/checks.mjs';
import { Program } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { makeAuthority } from '../lib/tls.mjs';

const setups = ['up-redis', 'processes'];

function folder(t) {
  const dir = mkdtempSync(join(tmpdir(), 'chorus-tls-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

const isReady = (system) => until(async () => {
  await checkHealthy(system);
  return true;
}, 'all parts to be ready');

scenario('comments of every size, streams, cut connections and a restart, with a certificate of our own', { setups, ms: 60_000 }, async (t) => {
  const { ca, of: [server, ours] } = makeAuthority(folder(t), ['IP:127.0.0.1', 'DNS:chorus']);
  const flags = { 'redis-ca': ca, 'redis-cert': ours.certificate, 'redis-key': ours.key, 'redis-password': 'rosebud-7' };
  const system = await t.system({ stable: true, wait: false, flags, redis: { tls: server } });
  system.redis.password = 'rosebud-7'; // which is not in the URL that it was started with
  await system.redis.start();
  await isReady(system);
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  // Ranges of half a megabyte: many records, and a kernel without room for all of them.
  const posted = await postMany(system, 'v', 300, { text: (i) => `${i} `.padEnd(1_900, 'x') });
  await viewer.reaches(posted.at(-1).id);
  const late = await t.watch(await owner(system, 'v'), { video: 'v', from: posted[0].id });
  await late.reaches(posted.at(-1).id);
  assert.equal(late.comments.length, 299);

  await system.redis.command('CLIENT', 'KILL', 'TYPE', 'NORMAL');
  await system.redis.command('CLIENT', 'KILL', 'TYPE', 'PUBSUB');
  await isReady(system);
  await viewer.reaches((await postMany(system, 'v', 3)).at(-1).id);
  await system.redis.stop();
  await system.redis.start();
  await isReady(system);
  await viewer.reaches((await postMany(system, 'v', 3)).at(-1).id);
});

const refused = [
  ['of an unknown authority', 'IP:127.0.0.1', true, /certificate that is not accepted/],
  ['for another name', 'IP:127.0.0.2', false, /certificate that is not for 127\.0\.0\.1/],
];
for (const [what, name, strange, says] of refused) {
  scenario(`a certificate ${what}: nothing is sent to it, and /ready and the log say why`, { setups: ['up-redis'] }, async (t) => {
    const { ca, of: [server] } = makeAuthority(folder(t), [name]);
    const other = makeAuthority(folder(t), []);
    const flags = { 'redis-ca': strange ? other.ca : ca };
    const system = await t.system({ wait: false, flags, redis: { tls: server, password: 'rosebud-7', args: ['--tls-auth-clients', 'no'] } });
    await system.redis.start();
    await until(async () => says.test((await call('GET', `${system.comment}/ready`)).text), `/ready to say ${says}`);
    await system.program.says(/redis_unusable/);
    checkError(await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'x' } }), 503);
  });
}

scenario('a server that speaks no TLS, and files that cannot be used', { setups: ['up-redis'] }, async (t) => {
  const { ca } = makeAuthority(folder(t), []);
  const plain = await t.system();
  const system = new Program(['up', '--redis', plain.redis.url.replace('redis:', 'rediss:'), '--redis-ca', ca, '--single-port', '--comment-port', '0', '--reader-ports', '0,0,0']);
  t.after(() => system.kill('SIGKILL'));
  await system.says(/event=unavailable.* or does not speak TLS/);
  for (const [flags, says] of [
    [['--redis', 'rediss://127.0.0.1', '--redis-ca', '/nowhere'], /cannot be read from \/nowhere: No such file/i],
    [['--redis', 'rediss://127.0.0.1', '--redis-cert', ca], /private key cannot be read/i],
    [['--redis', 'redis://127.0.0.1', '--redis-ca', ca], /rediss:\/\/.* URL only/],
    [['--redis', 'rediss://127.0.0.1', '--redis-key', ca], /needs --redis-cert/],
  ]) {
    const program = new Program(['up', ...flags, '--comment-port', '0']);
    const { code } = await program.ended;
    assert.notEqual(code, 0);
    assert.match(program.stderr, says);
  }
});
