// The configuration file, the environment and secrets: which of them counts, and what is refused.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, post } from '../lib/api.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded'];

// Writes a file of its own, and returns its path.
function write(t, content, { name = 'chorus.conf', mode = 0o600 } = {}) {
  const path = join(t.folder(), name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

// What `config print` shows of a name: [value, where from].
async function printed(name, args, options) {
  const { code, stdout, stderr } = await run(['config', 'print', ...args], options);
  assert.equal(code, 0, stderr);
  return stdout.match(new RegExp(`^(#?${name}) = (.*?) +# (.*)$`, 'm')).slice(2);
}

scenario('flags count before the environment, that before the file, that before the default', { setups }, async (t) => {
  const path = write(t, 'memory = 1g\nport = 4444\n');
  const file = ['--config', path];
  const of = (args, env) => printed('memory', args, { env });
  assert.deepEqual(await of([]), ['256m', 'default']);
  assert.deepEqual(await of(file), ['1g', `${path}:1`]);
  assert.deepEqual(await of([], { CHORUS_CONFIG: path }), ['1g', `${path}:1`]);
  assert.deepEqual(await of(file, { CHORUS_MEMORY: '2g' }), ['2g', 'environment CHORUS_MEMORY']);
  assert.deepEqual(await of([...file, '--memory', '3g'], { CHORUS_MEMORY: '2g' }), ['3g', '--memory']);
  const port = (env) => printed('port', ['--command', 'reader', '--redis-host', 'h', ...file], { env });
  assert.deepEqual(await port({}), ['4444', `${path}:2`]);
  assert.deepEqual(await port({ PORT: '5555' }), ['5555', 'environment PORT']);
  assert.deepEqual(await port({ PORT: '5555', CHORUS_PORT: '6666' }), ['6666', 'environment CHORUS_PORT']);
  assert.deepEqual(await port({ CHORUS_PORT: 'tcp://10.0.0.1:3000' }), ['4444', `${path}:2`]); // what Kubernetes sets
});

scenario('it runs with what the file says', { setups }, async (t) => {
  const system = await t.system({ args: ['--config', write(t, 'user-rate = 1\nlog-level = error # quiet\n')] });
  await post(system, 'v', 'one', { user: 'ann' });
  const { status } = await call('POST', `${system.comment}/comment`, { json: { userid: 'ann', videoid: 'v', comment: 'two' } });
  assert.equal(status, 429);
  assert.equal(system.stderr, '');
});

scenario('a Redis in the file is one, too', { setups }, async (t) => {
  const args = ['config', 'print', '--command', 'comment'];
  assert.equal((await run(args)).code, 2); // a service on its own needs one
  assert.equal((await run([...args, '--config', write(t, 'redis = redis://127.0.0.1:1\n')])).code, 0);
});

scenario('one file serves all services; a wrong one is refused with its lines, and the nearest names', { setups }, async (t) => {
  const shared = write(t, '# for all\nreaders = 2\nuser-rate = 5\nviewers = 40\nredis = redis://127.0.0.1:1\n');
  for (const command of ['up', 'manager', 'comment', 'reader', 'statistics', 'clients']) {
    const { code, stderr } = await run(['config', 'print', '--command', command, '--config', shared]);
    assert.equal(code, 0, stderr);
  }
  const wrong = write(t, 'memry = 1g\n\nheartbeat_ms = 100\nport = 70000\nmemory = 1g\nmemory = 2g\nreaders = 2\nreader-ports = 1,2,3\r\n');
  const check = await run(['config', 'check', wrong]);
  assert.equal(check.code, 2);
  const lines = check.stderr.trimEnd().split('\n').map((line) => line.slice(wrong.length + 1));
  assert.deepEqual(lines.map((line) => Number.parseInt(line)), [1, 3, 4, 6, 8]);
  assert.match(lines[0], /did you mean memory\?$/);
  assert.match(lines[1], /did you mean heartbeat-ms\?$/);
  assert.match(lines[2], /port is "70000", but must be a whole number from 0 to 65535\.$/);
  assert.match(lines[3], /memory stands in line 5 already\.$/);
  assert.match(lines[4], /The line ends with CR LF/);
  const up = await run(['up', '--config', wrong], { cwd: t.folder() });
  assert.equal(up.code, 2);
  assert.match(up.stderr, /^chorus up: \S+:1: There is no option memry; did you mean memory\? Try `chorus config check \S+`\.\n$/);
  const flag = await run(['up', '--heartbeat', '3']);
  assert.match(flag.stderr, /There is no option --heartbeat; did you mean --heartbeat-ms\?/);
  assert.match((await run(['reader', '--readers', '3'])).stderr, /--readers here: it is one of up, simulate/);
  const variable = await run(['config', 'print'], { env: { CHORUS_LOGLEVEL: 'warn' } });
  assert.equal(variable.code, 0);
  assert.match(variable.stderr, /CHORUS_LOGLEVEL in the environment is the name of no option; did you mean CHORUS_LOG_LEVEL\?/);
});

scenario('a file that is none', { setups }, async (t) => {
  const folder = t.folder();
  for (const [path, why] of [[join(folder, 'missing'), /No such file/], [folder, /it is a folder/], ['/dev/null', /not a regular file/]]) {
    const { code, stderr } = await run(['config', 'check', path]);
    assert.equal(code, 2);
    assert.match(stderr, why);
  }
  assert.match((await run(['config', 'check', write(t, `# ${'x'.repeat(5000)}\nmemory = 1g\n`)])).stderr, /:1: The line is too long/);
  assert.match((await run(['config', 'check', write(t, '\ufeffmemory = 1g\n')])).stderr, /:1: .*byte order mark/);
});

scenario('a secret comes from a file, and is never shown', { setups }, async (t) => {
  const secret = write(t, 's3cret\n', { name: 'token' });
  const system = await t.system({ args: ['--internal-token-file', secret, '--internal-from', '10.0.0.0/8'] });
  const report = (token) => call('POST', `${system.statistics}/client-statistics`, { json: { clientId: 'c' }, headers: { authorization: `Bearer ${token}` } });
  assert.equal((await report('s3cret')).status, 200);
  assert.equal((await report('other')).status, 403);
  assert.doesNotMatch(system.stderr + system.stdout, /s3cret/);

  const file = write(t, `redis = redis://bob:s3cret@127.0.0.1:1\ninternal-token-file = ${secret}\n`);
  const print = await run(['config', 'print', '--command', 'comment', '--config', file]);
  assert.doesNotMatch(print.stdout + print.stderr, /s3cret/);
  assert.match(print.stdout, /#redis = redis:\/\/bob:\(secret\)@127.0.0.1:1 /);
  assert.match(print.stdout, /#internal-token = \(secret\) +# \S+:2, from \S+token\n/);
  const broken = await run(['config', 'check', write(t, 'redis = redis://bob:s3cret@h:99999\n')]);
  assert.match(broken.stderr, /:1: redis must be a URL whose ports are/);
  assert.doesNotMatch(broken.stderr, /s3cret/);

  const [given, open] = [['up', '--internal-token', 'x', '--internal-token-file', secret], write(t, 'a', { mode: 0o644 })];
  assert.match((await run(given)).stderr, /--internal-token and --internal-token-file are both given/);
  assert.match((await run(['config', 'print'], { env: { CHORUS_INTERNAL_TOKEN_FILE: open } })).stderr, /all users of this machine may read/);
});

scenario('the example has every option, and is accepted: as it is, and with its defaults uncommented', { setups }, async (t) => {
  const { code, stdout: example } = await run(['config', 'example']);
  assert.equal(code, 0);
  const { stdout: table } = await run(['options', '--markdown']);
  const flags = new Set(Array.from(table.matchAll(/^\| `--([a-z-]+)/gm), ([, flag]) => flag));
  flags.delete('config');
  const names = Array.from(example.matchAll(/^#([a-z-]+) = /gm), ([, name]) => (flags.has(name) ? name : name.replace(/-file$/, ''))); // of a secret
  assert.deepEqual(new Set(names), flags);
  assert.ok(example.split('\n').every((line) => line.length <= 100));
  const uncommented = example.replace(/^#([a-z-]+) = (?![A-Z:]+$)/gm, '$1 = ');
  assert.ok(uncommented.includes('\nmemory = 256m\n'));
  for (const content of [example, uncommented]) {
    const check = await run(['config', 'check', write(t, content)]);
    assert.equal(check.code, 0, check.stderr);
  }
});

scenario('what `config print` writes can be used as a file', { setups }, async (t) => {
  const args = ['--command', 'comment', '--redis', 'redis://127.0.0.1:1', '--user-rate', '3', '--instance-id', 'a'];
  const { stdout } = await run(['config', 'print', ...args]);
  const again = await run(['config', 'print', '--command', 'comment', '--config', write(t, stdout)]);
  const values = (text) => text.replace(/ +# .*$/gm, '').replace(/^#config.*$/m, '');
  assert.equal(values(again.stdout), values(stdout));
});

scenario('a line feed in a value does not look like a line of its own', { setups }, async (t) => {
  const { code, stdout } = await run(['config', 'print'], { env: { CHORUS_DATA: 'a\nuser-rate = 3' } });
  assert.equal(code, 0);
  assert.match(stdout, /^#data = "a\\x0auser-rate = 3" +# environment CHORUS_DATA$/m);
  assert.doesNotMatch(stdout, /^user-rate = 3/m);
  assert.equal((await run(['config', 'check', '--command', 'up', write(t, stdout)])).code, 0);
});

scenario('wrong usage of `chorus config`', { setups }, async () => {
  for (const args of [[], ['chek'], ['check'], ['check', 'a', 'b'], ['example', 'x'], ['print', '--command', 'x'], ['print', '--dance']]) {
    const { code, stdout, stderr } = await run(['config', ...args]);
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.notEqual(stderr, '');
  }
});
