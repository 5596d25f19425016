// The address of Redis, from the environment and from the command line.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program, run } from '../lib/process.mjs';
import { RedisServer } from '../lib/redis.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded'];
const ports = ['--manager-port', '0', '--comment-port', '0', '--statistics-port', '0', '--reader-ports', '0'];

function start(t, args, env) {
  const program = new Program(args, { cwd: t.folder(), env });
  t.after(() => program.kill('SIGKILL'));
  return program;
}

// Starts it, and returns the store that it prints.
async function storesIn(t, args, env) {
  const program = start(t, args, env);
  return (await until(() => program.stdout.match(/Chorus \S+ +(.*)/) ?? program.stdout.match(/Chorus \S+, (.*)/), () => `how it started: ${program.stderr}`))[1];
}

scenario('`up` reads REDIS_URL, and works on that Redis', { setups }, async (t) => {
  const redis = await new RedisServer().start();
  t.after(() => redis.release());
  const at = `on Redis at 127.0.0.1:${redis.port}`;
  assert.equal(await storesIn(t, ['up', ...ports], { REDIS_URL: redis.url }), at);
  await until(async () => (await redis.command('HLEN', 'readers')) === 3, 'its readers');
});

scenario('`up` has the password of Redis from the environment, a file, and the file that the environment names', { setups }, async (t) => {
  const redis = await new RedisServer({ password: 'rosebud-7' }).start();
  t.after(() => redis.release());
  const file = join(t.folder(), 'password');
  writeFileSync(file, 'rosebud-7\n', { mode: 0o600 });
  const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
  for (const [args, more] of [[[], { REDIS_PASSWORD: 'rosebud-7' }], [['--redis-password-file', file], {}], [[], { CHORUS_REDIS_PASSWORD_FILE: file }]]) {
    const program = start(t, ['up', ...ports, ...args], { ...env, ...more });
    await until(async () => (await redis.command('HLEN', 'readers')) === 3, () => `its readers:\n${program.stderr}`);
    await program.kill('SIGKILL');
    await redis.command('DEL', 'readers');
  }
});

scenario('a flag wins over the environment, whichever of the two options it is', { setups }, async (t) => {
  const [a, b] = ['redis://127.0.0.1:1', 'redis://127.0.0.1:2'];
  assert.equal(await storesIn(t, ['up', ...ports, '--redis', a], { REDIS_URL: b }), 'on Redis at 127.0.0.1:1');
  assert.equal(await storesIn(t, ['reader', '--port', '0', '--redis', a], { REDIS_URL: b, REDIS_HOST: '127.0.0.1:3' }), 'on Redis at 127.0.0.1:1');
  assert.equal(await storesIn(t, ['reader', '--port', '0', '--redis-host', '127.0.0.1:1'], { REDIS_URL: b }), 'on Redis at 127.0.0.1:1');
  assert.equal(await storesIn(t, ['reader', '--port', '0'], { REDIS_URL: b, REDIS_HOST: '127.0.0.1:3' }), 'on Redis at 127.0.0.1:2');
});

scenario('an empty REDIS_URL is ignored, and a wrong one is refused', { setups }, async (t) => {
  assert.equal(await storesIn(t, ['up', ...ports, '--data', join(t.folder(), 'd')], { REDIS_URL: '' }).then((text) => text.split(',')[0]), 'embedded engine');
  const { code, stderr } = await run(['up', ...ports], { cwd: t.folder(), env: { REDIS_URL: 'http://127.0.0.1' } });
  assert.equal(code, 2);
  assert.match(stderr, /redis:\/\//);
});
