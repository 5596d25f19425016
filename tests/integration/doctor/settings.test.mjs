// What `chorus doctor` says of a configuration, and of the machine. Facts that cannot be brought about here are in
// tests/unit/test_doctor.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { doctor, finding } from '../lib/doctor.mjs';
import { keySet, makeKey } from '../lib/jwt.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded'];
const page = readFileSync(new URL('../../../docs/going-public.md', import.meta.url), 'utf8');

scenario('docs/going-public.md has the points in the order in which they are answered', { setups }, async () => {
  const { findings } = await doctor();
  const documented = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, check]) => check);
  assert.deepEqual([...new Set(findings.map(({ check }) => check))], documented);
});

scenario('the ports: which stands where, and which should not', { setups }, async () => {
  const levels = async (...args) => (await doctor(args)).of('ports').map((answer) => answer.split(' listens')[0]);
  assert.deepEqual(await levels(), ['ok: statistics', 'ok: manager', 'ok: comment', 'ok: reader', 'ok: reader', 'ok: reader']);
  assert.deepEqual(await levels('--bind', '0.0.0.0', '--readers', '1'), ['warning: statistics', 'warning: manager', 'ok: comment', 'ok: reader']);
  assert.deepEqual(await levels('--bind', '::', '--single-port'), ['ok: comment']);
  assert.deepEqual(await levels('--bind', '10.1.2.3', '--readers', '1'), ['ok: statistics', 'ok: manager', 'ok: comment', 'ok: reader']);
  const redis = ['--redis', 'redis://127.0.0.1:1'];
  assert.deepEqual(await levels('--command', 'manager', '--bind', '0.0.0.0', ...redis), ['warning: manager']);
  assert.deepEqual(await levels('--command=reader', '--bind', '0.0.0.0', ...redis), ['ok: reader']);
  const further = ['--single-port', '--listen', 'unix:/nowhere/chorus.sock,0.0.0.0:8080', '--proxy-listen', '[::1]:8081', '--trusted-proxies', '::1', '--admin-bind', '0.0.0.0:9000'];
  assert.deepEqual((await doctor(further)).of('ports').slice(1).map((answer) => answer.replace(/; it is.*|\.$/, '')), [
    'ok: comment listens on unix:/nowhere/chorus.sock (--listen): only this machine reaches it',
    'ok: comment listens on 0.0.0.0:8080 (--listen): all who can reach this machine reach it',
    'ok: comment listens on [::1]:8081 (--proxy-listen): only this machine reaches it',
    'warning: admin listens on 0.0.0.0:9000 (--admin-bind): all who can reach this machine reach it',
  ]);
  assert.match(await finding('ports', ['--single-port', '--comment-port', '8080']), /listens on 127\.0\.0\.1, port 8080 \(--comment-port\): only this machine/);
});

scenario('flags, environment and file are read as the command reads them', { setups }, async (t) => {
  const path = join(t.folder(), 'chorus.conf');
  writeFileSync(path, 'single-port = yes\ncomment-port = 8081\n');
  assert.match(await finding('ports', ['--config', path]), /port 8081/);
  assert.match(await finding('ports', ['--config', path], { env: { CHORUS_COMMENT_PORT: '8082' } }), /port 8082/);
  for (const args of [['--bend', '::'], ['--command', 'bench'], ['--command', 'reader'], ['--video', 'a b'], ['--ask']]) {
    const { code, stderr } = await run(['doctor', ...args]);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, /^chorus /);
  }
});

scenario('users, limits and the proxy', { setups }, async (t) => {
  assert.match(await finding('users', []), /^warning: .*anyone can post as anyone/);
  assert.match(await finding('users', ['--jwt-keys', '/nowhere/keys']), /^fault: /);
  const fetched = (url) => finding('users', ['--jwks-url', url]);
  assert.match(await fetched('https://127.0.0.1:1/keys'), /^ok: /);
  assert.match(await fetched('http://127.0.0.1:1/keys'), /^ok: /);
  assert.match(await fetched('http://10.0.0.9:1/keys'), /^fault: .*in the clear/);
  const folder = t.folder();
  const keys = (name, alg, mode) => {
    const path = join(folder, name);
    writeFileSync(path, keySet(makeKey(alg, 'k')));
    chmodSync(path, mode);
    return finding('users', ['--jwt-keys', path]);
  };
  assert.match(await keys('public', 'ES256', 0o644), /^ok: /);
  assert.match(await keys('secret', 'HS256', 0o600), /^ok: /);
  assert.match(await keys('shown', 'HS256', 0o644), /^fault: .*has a secret/);
  const broken = join(folder, 'broken');
  writeFileSync(broken, '{"keys": [');
  assert.match(await finding('users', ['--jwt-keys', broken]), /^fault: .*is not valid JSON/);

  assert.match(await finding('limits', []), /^ok: /);
  assert.match(await finding('limits', ['--limit-streams', '0', '--limit-bytes', '0']), /^warning: .*--limit-streams, --limit-bytes 0/);

  const behind = (...args) => finding('proxy', args);
  assert.match(await behind(), /^warning: .*in the clear/);
  const https = ['--public-url', 'https://127.0.0.1:1', '--ask', 'http://127.0.0.1:1'];
  assert.match(await behind(...https), /^ok: .*a proxy on this machine/);
  assert.match(await behind(...https, '--bind', '0.0.0.0'), /^warning: .*no proxy is trusted/);
  assert.match(await behind(...https, '--trusted-proxies', '10.0.0.7'), /^ok: .*through 10\.0\.0\.7/);
  assert.match(await behind('--public-url', 'http://127.0.0.1:1', '--trusted-proxies', '10.0.0.7'), /^warning: .*in the clear/);
});

scenario('descriptors and memory are what this process may have', { setups }, async () => {
  const descriptors = (nofile, ...args) => finding('descriptors', ['--max-connections', '100', ...args], { limits: { nofile } });
  assert.match(await descriptors(500), /^warning: The process may have 500 descriptors; 6 ports/);
  assert.match(await descriptors(5000), /^warning: .*leaves 4144 for viewers/);
  assert.match(await descriptors(5000, '--own-descriptors'), /^ok: /);
  assert.match(await finding('memory', ['--memory', '1024g']), /^fault: --memory is 1048576 MB/);
  assert.match(await finding('memory', ['--memory', '1m']), /^ok: /);
});

scenario('for people, and nothing is left behind', { setups }, async (t) => {
  const cwd = t.folder();
  const { stdout, code } = await run(['doctor'], { cwd });
  assert.ok(code === 1 || code === 3);
  assert.match(stdout, /^warning +users +No keys are configured.*\n +Remedy: Give --jwt-keys/m);
  assert.match(stdout, /\n\d+ ok, \d+ unknown, (1 warning|\d+ warnings), (1 fault|\d+ faults)\n$/);
  assert.deepEqual(readdirSync(cwd), []);
});
