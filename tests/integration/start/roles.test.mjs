// What a role run on its own prints before it starts, and that it starts and stops without its Redis. No Redis needed.
// Long: 11.
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { call } from '../lib/api.mjs';
import { Program, run } from '../lib/process.mjs';
import { freePorts } from '../lib/ports.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until, within } from '../lib/time.mjs';

const roles = ['manager', 'comment', 'reader', 'statistics'];
const placing = ['manager', 'comment', 'reader'];
const redis = ['--redis', 'redis://127.0.0.1:6379'];
// The environment of the test machine does not count.
const env = Object.fromEntries(['REDIS_URL', 'REDIS_HOST', 'PORT', 'INSTANCE_ID', 'READER_URL', 'PUBLIC_URL', 'READER_API_URLS',
  'READER_API_MANAGER_URL', 'STATISTICS_API_URL'].map((name) => [name, '']));

async function refused(args, names, more = {}) {
  const { code, stdout, stderr } = await run(args, { env: { ...env, ...more } });
  assert.equal(code, 2, `chorus ${args.join(' ')}: ${stderr}`);
  assert.match(stderr, names);
  assert.match(stderr, new RegExp(`^chorus ${args[0]}: [^\\n]+\\n$`), 'one line');
  assert.equal(stdout, '');
}

for (const role of roles) {
  scenario(`chorus ${role}: wrong usage is explained, with exit code 2`, async () => {
    await refused([role], /--redis/);
    await refused([role, '--redis', 'localhost'], /redis:\/\//);
    await refused([role, '--redis', 'http://127.0.0.1:6379'], /redis:\/\//);
    await refused([role, '--redis', 'redis://127.0.0.1:99999'], /ports/);
    await refused([role, '--redis', 'redis://127.0.0.1', '--redis-ca', 'ca.pem'], /rediss:/);
    await refused([role, '--redis-host', 'a b'], /redis:\/\//);
    await refused([role], /redis:\/\//, { REDIS_URL: 'nonsense' });
    await refused([role, ...redis, '--port', '65536'], /--port/);
    await refused([role, ...redis], /PORT is "x"/, { PORT: 'x' });
    await refused([role, ...redis, '--bind', 'somewhere'], /--bind/);
    await refused([role, ...redis, '--instance-id', 'a b'], /--instance-id/);
    await refused([role, ...redis, '--readers', '3'], /--readers/); // of `up`
    await refused([role, ...redis, '--data', '.'], /--data/);
    if (placing.includes(role)) {
      await refused([role, ...redis, '--statistics-url', 'here'], /--statistics-url/);
      await refused([role, ...redis, '--reader-urls', 'http://a:1,b:2'], /--reader-urls/);
    }
  });
}

scenario('addresses that make no sense are refused', async () => {
  await refused(['comment', ...redis, '--manager-url', 'ftp://a'], /--manager-url/);
  await refused(['reader', ...redis, '--url', '127.0.0.1:4001'], /--url/);
  for (const url of ['http://a"b', 'https://', 'https:///path', 'https://user:password@a', 'https://user@a', 'https://a:99999', 'https://a:b', 'https://a/?b'])
    await refused(['reader', ...redis, '--public-url', url], /--public-url/);
  await refused(['statistics', ...redis, '--internal-from', '10.0.0.0/33'], /--internal-from/);
  await refused(['up', '--redis', 'localhost'], /redis:\/\//);
});

for (const [role, port] of [['manager', 6000], ['comment', 3000], ['reader', 4001], ['statistics', 5000]]) {
  scenario(`chorus ${role} --help lists its port and its environment variables`, async () => {
    const { code, stdout } = await run([role, '--help'], { env });
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`--port PORT .*\\(default ${port}\\) \\[PORT\\]`));
    for (const name of ['REDIS_URL', 'REDIS_HOST', 'INSTANCE_ID', 'INTERNAL_TOKEN']) assert.ok(stdout.includes(`[${name}]`), name);
    assert.doesNotMatch(stdout, /^ *--(reader-ports|data|durable) /m);
  });
}

for (const role of roles) {
  scenario(`chorus ${role} starts while its Redis is away, says so, and stops on SIGTERM`, async (t) => {
    const [nobody] = await freePorts(1);
    const program = new Program([role, '--port', '0', '--redis-host', `127.0.0.1:${nobody}`], { env });
    t.after(() => program.kill('SIGKILL'));
    const [, name, url] = await until(() => program.stdout.match(/^  (\S+) +(http:\/\/\S+)$/m), 'the line with its address');
    const port = new URL(url).port;
    assert.equal(name, role === 'reader' ? `reader-${port}` : role);
    assert.ok(program.stdout.includes(`127.0.0.1:${nobody}`), 'which Redis');

    const ready = await call('GET', `${url}/ready`);
    assert.equal(ready.status, 503);
    const health = await call('GET', `${url}/health`);
    assert.equal(health.status, 200);
    assert.equal(health.json.instanceId, role === 'reader' ? `reader-${port}` : `${role}-1`);
    await program.says(/level=error role=engine event=unavailable why="[^"]+"/);

    const { code } = await within(program.kill('SIGTERM'), 5_000, 'the end after SIGTERM');
    assert.equal(code, 0, program.stderr);
  });
}

scenario('a password in the Redis URL is not printed', async (t) => {
  const [nobody] = await freePorts(1);
  const program = new Program(['manager', '--port', '0', '--redis', `redis://user:secret@127.0.0.1:${nobody}/3`], { env });
  t.after(() => program.kill('SIGKILL'));
  await until(() => program.stdout.includes('http://'), 'its address');
  await program.says(/level=error role=engine event=unavailable/);
  const { stdout, stderr } = await program.kill('SIGTERM');
  assert.doesNotMatch(stdout + stderr, /secret/);
});

scenario('a port in use is reported by its number', async (t) => {
  const first = new Program(['manager', '--port', '0', ...redis], { env });
  t.after(() => first.kill('SIGTERM'));
  const [, port] = await until(() => first.stdout.match(/http:.*:(\d+)$/m), 'its address');
  const { code, stderr } = await run(['comment', '--port', port, ...redis], { env });
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`${port}.*in use.*--port`, 's'));
});

scenario('a reader that listens on all addresses is named by the host name, unless --url says otherwise', async (t) => {
  for (const [args, url] of [
    [['--bind', '127.0.0.1'], /^http:\/\/127\.0\.0\.1:\d+$/],
    [['--bind', '0.0.0.0'], new RegExp(`^http://${hostname()}:\\d+$`)],
    [['--bind', '0.0.0.0', '--url', 'http://reader-7:4000/'], /^http:\/\/reader-7:4000$/],
  ]) {
    const program = new Program(['reader', '--redis-host', '127.0.0.1:1', '--port', '0', ...args], { env });
    t.after(() => program.kill('SIGTERM'));
    const [, told] = await until(() => program.stdout.match(/^ +reader-\d+ +(\S+)\n/m), () => `the address in ${program.stdout}`);
    assert.match(told, url);
  }
});
