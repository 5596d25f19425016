// SIGHUP: the configuration is read again, and taken over as a whole or not at all, while streams and posts go on.
// CI also: processes, tsan. Parts that are processes each read it; threads that send take over new bounds.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, health, owner, post } from '../lib/api.mjs';
import { startLoad } from '../lib/load.mjs';
import { exchange, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

// A configuration that the processes of a system read: write(text) replaces it, reload() has them read it, and waits until
// each has logged that, or another event, whose name may go on with what follows it.
function configuration(t, text) {
  const path = join(t.folder(), 'chorus.conf');
  const write = (content) => writeFileSync(path, content);
  write(text);
  const count = (system, pattern) => system.stderr.match(pattern)?.length ?? 0;
  const reload = async (system, event = 'reloaded') => {
    const pattern = new RegExp(`role=chorus event=${event} `, 'g');
    const before = count(system, pattern);
    const processes = system.program.signal('SIGHUP');
    await until(() => count(system, pattern) >= before + processes, () => `${event} in the log:\n${system.stderr}`);
  };
  return { path, args: ['--config', path], write, reload };
}

const send = (system, user) => call('POST', `${system.comment}/comment`, { json: { userid: user, videoid: 'v', comment: 'hi' } });
const report = (system, token) =>
  call('POST', `${system.statistics}/client-statistics`, { json: { clientId: 'c' }, headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': '10.0.0.1' } });
const metricsFor = async (url, token) =>
  (await call('GET', `${url}/metrics`, { headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': '10.0.0.1' } })).status;
const metricsOf = async (url) => (await health(url)).metrics;
const reloadMetric = async (url) => Number((await call('GET', `${url}/metrics`)).text.match(/^chorus_config_last_reload_successful(?:\{.*\})? (.*)$/m)[1]);

scenario('what can change is taken over under load, and no stream is cut', { ms: 60_000 }, async (t) => {
  const file = configuration(t, 'internal-token = first\nheartbeat-ms = 60000\nmemory = 256m\n');
  const system = await t.system({ args: file.args });
  const load = await startLoad(t, system);
  const quiet = await t.watch(await owner(system, 'quiet'), { video: 'quiet' });
  assert.equal((await report(system, 'first')).status, 200);
  assert.equal((await report(system, 'second')).status, 403);
  file.write(`internal-token = second
heartbeat-ms = 200
stall-timeout-ms = 20000
max-coalesce-ms = 100
unsubscribe-ms = 1000
header-timeout-ms = 5000
body-timeout-ms = 5000
max-connections = 5000
log-entries = 500
log-age-ms = 1800000
max-videos = 50000
memory = 512m
`);
  await file.reload(system);
  await quiet.wait(() => quiet.heartbeats.length >= 3, 'heartbeats as often as it says now');
  assert.equal((await report(system, 'first')).status, 403);
  assert.equal((await report(system, 'second')).status, 200);
  for (const url of [system.comment, ...system.readers]) {
    assert.equal(await metricsFor(url, 'first'), 403);
    assert.equal(await metricsFor(url, 'second'), 200);
  }
  for (const reader of system.readers) assert.equal((await metricsOf(reader)).chorus_memory_max_bytes, 512 << 20);
  file.write('internal-token = second\nheartbeat-ms = 30000\nmemory = 256m\n'); // and back, to defaults too
  await file.reload(system);
  await load.more(30);
  await load.prove();
  assert.equal(load.cuts, 0);
  assert.equal(load.refused, 0);
  assert.doesNotMatch(system.stderr, /first|second/); // not in the log either
  assert.match(system.stderr, /event=option_changed option=internal-token from=\(secret\) to=\(secret\)/);
});

scenario('the names of this server: another list counts at once', async (t) => {
  const file = configuration(t, 'hostnames = old.example\n');
  const system = await t.system({ args: file.args });
  const statusFor = async (url, host) => (await exchange(url, requestBytes('GET', '/health', { host, headers: { Connection: 'close' } }))).status;
  const statuses = (host) => Promise.all([system.comment, system.readers[0]].map((url) => statusFor(url, host)));
  const [good, bad] = [[200, 200], [421, 421]];
  assert.deepEqual([await statuses('old.example'), await statuses('new.example')], [good, bad]);
  file.write('hostnames = new.example\n');
  await file.reload(system);
  assert.deepEqual([await statuses('old.example'), await statuses('new.example')], [bad, good]);
  file.write('hostnames = https://new.example\n');
  await file.reload(system, 'reload_failed');
  assert.deepEqual([await statuses('old.example'), await statuses('new.example')], [bad, good]);
});

scenario('a user\'s rate: switched on, changed, and off', async (t) => {
  const file = configuration(t, '');
  const system = await t.system({ args: file.args });
  const refused = async (user) => (await Promise.all(Array.from({ length: 12 }, () => send(system, user)))).filter(({ status }) => status === 429).length;
  assert.equal(await refused('ann'), 0);
  file.write('user-rate = 1\n');
  await file.reload(system);
  assert.ok((await refused('ann')) >= 8);
  file.write('user-rate = 1000\n');
  await file.reload(system);
  assert.equal(await refused('bob'), 0);
  file.write('user-rate = 0\n');
  await file.reload(system);
  assert.equal(await refused('ann'), 0);
});

scenario('how much of a log is kept: less applies to what is stored, more to what comes', async (t) => {
  const file = configuration(t, 'log-entries = 50\nlog-min-age-ms = 0\n');
  const system = await t.system({ args: file.args });
  const kept = async () => (await call('GET', `${system.comment}/videos/v/comments?limit=100`)).json.comments.length;
  for (let i = 0; i < 40; i++) await post(system, 'v', `${i}`);
  assert.equal(await kept(), 40);
  file.write('log-entries = 10\nlog-min-age-ms = 0\n');
  await file.reload(system);
  await until(async () => {
    await post(system, 'v', 'one more');
    return (await kept()) <= 10;
  }, 'ten comments');
  file.write('log-entries = 30\nlog-min-age-ms = 0\n');
  await file.reload(system);
  for (let i = 0; i < 30; i++) await post(system, 'v', `${i}`);
  assert.equal(await kept(), 30);
});

scenario('what needs a restart is named, and stays; the rest is taken over', async (t) => {
  const file = configuration(t, 'log-level = info\n');
  const system = await t.system({ args: file.args });
  file.write('log-level = info\nbind = 0.0.0.0\nown-descriptors = true\nstatistics-interval-ms = 1000\nuser-rate = 1\n');
  await file.reload(system);
  assert.match(system.stderr, /level=warn role=chorus event=needs_restart option=bind from=127.0.0.1 to=0.0.0.0/);
  assert.match(system.stderr, /event=needs_restart option=own-descriptors from=false to=true/);
  assert.match(system.stderr, /event=needs_restart option=statistics-interval-ms from=5000 to=1000/);
  assert.match(system.stderr, /event=option_changed option=user-rate from=0 to=1/);
  assert.match(system.stderr, /event=reloaded changed=1 needs_restart=\d/); // where comments are posted
  assert.match(system.stderr, /event=reloaded changed=\d needs_restart=3/); // where the streams are: two processes, perhaps
  const statuses = await Promise.all([1, 2, 3].map(async () => (await send(system, 'ann')).status));
  assert.ok(statuses.includes(429));
});

scenario('if anything is wrong nothing changes, the log says what, and a metric shows it', async (t) => {
  const file = configuration(t, 'user-rate = 0\n');
  const system = await t.system({ args: file.args });
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  for (const url of [system.comment, system.statistics, ...system.readers]) assert.equal(await reloadMetric(url), 1);
  file.write('user-rate = 1\nmemry = 1g\nheartbeat-ms = never\n');
  await file.reload(system, 'reload_failed why="\\S+:2: There'); // once for each process, which may have further reasons
  await until(() => /why="\S+:2: There is no option memry; did you mean memory\?"/.test(system.stderr), 'the first error');
  await until(() => /why="\S+:3: heartbeat-ms is \\"never\\", but must be/.test(system.stderr), 'the second');
  for (const url of [system.comment, system.statistics, ...system.readers]) {
    assert.equal(await reloadMetric(url), 0);
    const { status, reloadFailed } = await health(url);
    assert.deepEqual([status, reloadFailed], ['ready', true]);
  }
  const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await send(system, 'ann')).status));
  assert.deepEqual(statuses, [201, 201, 201, 201]);
  await viewer.reaches((await post(system, 'v', 'still here')).id);
  assert.equal((await call('GET', `${system.comment}/ready`)).status, 200);
  file.write('user-rate = 1\n');
  await file.reload(system);
  assert.equal(await reloadMetric(system.comment), 1);
  assert.equal((await health(system.comment)).reloadFailed, undefined);
});

scenario('without a file, secrets are read again, and log levels that hide it do not', { setups: ['embedded'] }, async (t) => {
  const secret = join(t.folder(), 'token');
  writeFileSync(secret, 'first\n', { mode: 0o600 });
  const system = await t.system({ args: ['--internal-token-file', secret] });
  assert.equal((await report(system, 'first')).status, 200);
  writeFileSync(secret, 'second\n');
  system.program.signal('SIGHUP');
  await system.program.says(/reloaded changed=1 needs_restart=0/);
  assert.equal((await report(system, 'first')).status, 403);
  assert.equal((await report(system, 'second')).status, 200);
  writeFileSync(secret, '');
  system.program.signal('SIGHUP');
  await system.program.says(/reload_failed why="--internal-token-file: \S+ is empty\."/);
  assert.equal((await report(system, 'second')).status, 200);
});

scenario('the log\'s level: what it says last is seen either way', { setups: ['embedded'] }, async (t) => {
  const file = configuration(t, 'log-level = error\n');
  const system = await t.system({ args: file.args });
  assert.equal(system.stderr, '');
  file.write('log-level = info\n');
  await file.reload(system);
  await post(system, 'v', 'seen');
  await system.program.says(/role=comment event=published/);
  file.write('log-level = error\n');
  await file.reload(system);
  const said = system.stderr;
  await post(system, 'w', 'not seen');
  assert.equal(system.stderr, said);
});
