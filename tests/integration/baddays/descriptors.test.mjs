// Set-ups: embedded, up-redis.
// CI also: up-redis. Redis needs descriptors, too.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { call, owner, post, postMany, readerFigures } from '../lib/api.mjs';
import { checkHealthy, everyPort } from '../lib/checks.mjs';
import { RawClient, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause, slow, until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis']; // where one process has all ports
const complaints = (system) => system.stderr.split('\n').filter((line) => /^level=warn role=\S+ event=out_of_descriptors /.test(line));

scenario('out of descriptors: streams and posts continue, it logs that once, and accepts again later', { setups }, async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  const poster = await RawClient.connect(system.comment);
  const postOn = async (video, comment) => {
    poster.send(jsonBytes('POST', '/comment', { userid: 'u', videoid: video, comment }));
    const answer = await poster.answer();
    assert.equal(answer?.status, 201, answer?.text);
    return answer.json.comment;
  };
  await viewer.reaches((await postOn('v', 'before')).id);

  system.program.limit({ nofile: system.program.descriptors() + 10 });
  const crowd = [];
  for (let i = 0; i < 60; i++) {
    const client = await RawClient.connect(system.readers[i % 3]);
    client.send(requestBytes('GET', '/connect?userid=u&videoid=v&redirect=never'));
    crowd.push(client);
  }
  await until(() => complaints(system).length > 0, 'a line about descriptors on stderr');
  assert.match(complaints(system)[0], /raise ulimit -n/);
  const answered = () => crowd.filter((client) => client.received.length > 0).length;
  await until(() => answered() >= 3, 'the first of the crowd to be served');
  assert.ok(answered() < 60, 'not all of the crowd fits');

  const spent = cpuTicks(system.pid);
  for (let i = 0; i < 20; i++) {
    await viewer.reaches((await postOn('v', `meanwhile ${i}`)).id);
    // A video unknown to the manager: registering it may need a connection, and comments must not wait for that.
    await postOn(`new-${i}`, 'new');
    await pause(50); // the length of the outage, in which the loop must not spin
  }
  if (!slow) assert.ok(cpuTicks(system.pid) - spent < 80, 'waiting for a descriptor is no busy loop');
  // Each port logs it separately, and again if it lasts; readers also log the viewers that they closed.
  const most = (everyPort(system).length + system.readers.length) * (slow ? 2 : 1);
  assert.ok(complaints(system).length <= most, `said once, not ${complaints(system).length} times`);

  for (const client of crowd) client.destroy();
  await until(async () => (await call('GET', `${system.comment}/health`)).status === 200, 'new connections to be accepted');
  // It may be turned away until the workers have reported who has left, and comes again as a browser does.
  const late = await until(() => t.watch(system.readers[0], { video: 'v', query: { redirect: 'never' } }), 'a place for another viewer');
  const { id } = await post(system, 'v', 'after');
  await late.reaches(id);
  await viewer.reaches(id);
  system.program.limit({ nofile: 1_024 });
  await checkHealthy(system);
});

// CPU time used so far, in ticks of 10 ms.
function cpuTicks(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

scenario('it starts with a low descriptor limit', { setups }, async (t) => {
  const system = await t.system({ limits: { nofile: 100 } });
  const crowd = await Promise.all(Array.from({ length: 200 }, (_, i) => RawClient.connect(system.readers[i % 3])));
  const closed = (lines) => lines.reduce((sum, line) => sum + Number(/ connections=\d+ idle_closed=(\d+) ulimit=100 /.exec(line)[1]), 0);
  await until(() => closed(complaints(system)) > 0, () => `a line that says how many were closed:\n${system.stderr}`);
  const counts = await until(async () => {
    const answers = await Promise.all(system.readers.map((url) => call('GET', `${url}/health`)));
    return answers.reduce((sum, { json }) => sum + json.idleClosed, 0);
  }, 'they are counted in /health');
  assert.ok(counts >= closed(complaints(system)), `${counts} counted`);
  assert.ok(complaints(system).length <= 6, 'told once for each port, with numbers');
  for (const client of crowd) client.destroy();
  await until(async () => (await call('GET', `${system.comment}/health`)).status === 200, 'new connections to be accepted');
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'hello')).id);
});

scenario('a crowd at one port leaves the others of the process reachable', { setups }, async (t) => {
  const system = await t.system({ limits: { nofile: 100 } });
  const crowd = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(system.readers[0])));
  await until(() => complaints(system).length > 0, 'a line about descriptors on stderr');
  await until(async () => (await call('GET', `${system.comment}/health`)).status === 200, 'the comment API to answer');
  await post(system, 'v', 'meanwhile');
  assert.ok(crowd.some((client) => !client.closed && !client.finished), 'before the crowd has timed out');
  for (const client of crowd) client.destroy();
});

// Found beside attackers: each stream took the place of an idle connection with a low number, until none was left for requests.
scenario('streams leave descriptors for requests, also where they take the places of idle connections', { setups }, async (t) => {
  const system = await t.system({ limits: { nofile: 100 }, flags: { 'log-level': 'warn' } });
  const open = async (i, bytes) => {
    const client = await RawClient.connect(system.readers[i % 3]);
    t.after(() => client.destroy());
    if (bytes) client.send(bytes);
    return client;
  };
  for (let i = 0; i < 100; i++) await open(i);
  await system.program.says(/event=out_of_descriptors/);
  const streams = await Promise.all(Array.from({ length: 150 }, (_, i) => open(i, requestBytes('GET', '/connect?userid=u&videoid=v&redirect=never'))));
  await until(() => streams.every((client) => client.closed || client.received.includes('"connected"')), 'each to be served or turned away', 20_000);
  assert.ok(streams.filter((client) => !client.closed).length >= 20, 'many are served');
  for (const [role, url] of everyPort(system)) assert.equal((await call('GET', `${url}/health`)).status, 200, role);
  await post(system, 'v', 'still');
});

// More than sockets hold, so that one that does not read is soon behind.
const backlog = (system) => postMany(system, 'v', 400, { text: () => 'x'.repeat(1_900) });

scenario('where viewers that do not read have all descriptors, new ones take their places, and those that read keep theirs', { setups }, async (t) => {
  const system = await t.system({ limits: { nofile: 120 }, flags: { 'log-level': 'warn' } });
  const first = await post(system, 'v', 'first');
  await backlog(system);
  const reading = await t.watch(await owner(system, 'v'), { video: 'v' });
  const stalled = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    const client = await RawClient.connect(system.readers[i % 3]);
    t.after(() => client.destroy());
    client.socket.pause();
    client.send(requestBytes('GET', '/connect?userid=u&videoid=v&redirect=never', { headers: { 'Last-Event-ID': first.id } }));
    return client;
  }));
  await system.program.says(/event=out_of_descriptors/);
  // Others come all the time, until the first are found not to read. Then all that came get in.
  const late = [];
  await until(async () => {
    late.push(await t.watch(system.readers[0], { video: 'v', query: { redirect: 'never' } }));
    return (await readerFigures(system)).stalled > 0;
  }, 'viewers that do not read to be closed', 20_000);
  const { id } = await post(system, 'v', 'after');
  await Promise.all([reading, ...late].map((viewer) => viewer.reaches(id)));
  assert.equal(reading.gaps.length, 0);
  assert.ok(stalled.some(({ closed }) => !closed), 'not all of them at once');
});

scenario('the soft limit is raised to the hard one at the start', { setups }, async (t) => {
  const system = await t.system({ limits: { nofile: '64:1024' } });
  const limits = readFileSync(`/proc/${system.pid}/limits`, 'utf8');
  assert.match(limits, /^Max open files\s+1024\s+1024/m);
});
