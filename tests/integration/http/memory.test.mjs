// Unfinished requests and unread responses use an eighth of --memory at most, and the slowest is dropped.
// Set-ups: embedded.
// CI also: asan. Buffers are dropped under pressure.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkHealthy } from '../lib/checks.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow, until } from '../lib/time.mjs';

const MEMORY = { memory: '16m' };

async function connected(t, url, count) {
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.connect(url)));
  t.after(() => clients.forEach((client) => client.destroy()));
  return clients;
}

const grownMb = (system, before) => (system.program.memory('VmHWM') - before) / 2 ** 20;

scenario('unfinished bodies of reports take little memory, and finished ones are accepted', { setups: ['embedded'] }, async (t) => {
  const system = await t.system({ flags: MEMORY });
  const before = system.program.memory('VmHWM');
  const half = Buffer.concat([
    requestBytes('POST', '/reader-api-statistics', { headers: { 'Content-Type': 'application/json', 'Content-Length': '1000000' } }), Buffer.alloc(900_000, ' ')]);
  const clients = await connected(t, system.statistics, 200);
  for (const client of clients) client.send(half);
  const refused = () => clients.filter((client) => client.closed || client.finished || client.received.length).length;
  await until(() => refused() >= 190, () => `190 of 200 to be refused; ${refused()} are`);
  const answers = clients.map((client) => String(client.received)).filter((answer) => answer.startsWith('HTTP/1.1 503 '));
  assert.ok(answers.length, 'it is said why');
  for (const answer of answers) assert.match(answer, /\r\nRetry-After: [1-9]/i);
  const report = await call('POST', `${system.statistics}/reader-api-statistics`, { json: { instanceId: 'honest', subscribedTopics: Array(100).fill('t'.repeat(500)) } });
  assert.equal(report.status, 200, report.text);
  assert.equal((await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'c' } })).status, 201);
  await checkHealthy(system);
  if (!slow) assert.ok(grownMb(system, before) < 60, `grown by ${grownMb(system, before)} MB`);
});

scenario('unread responses take little memory, and other clients get theirs', { setups: ['embedded'] }, async (t) => {
  const system = await t.system({ flags: MEMORY });
  const before = system.program.memory('VmHWM');
  const clients = await connected(t, system.comment, 300);
  for (const client of clients) {
    client.socket.pause();
    client.send(Buffer.concat(Array(2_000).fill(requestBytes('GET', '/'))));
  }
  const log = () => system.program.stdout + system.program.stderr;
  await until(() => log().includes('slow_requests_dropped'), () => `a line about those dropped; log:\n${log()}`);
  for (let i = 0; i < 20; i++) {
    assert.equal((await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'c' } })).status, 201);
  }
  await checkHealthy(system);
  if (!slow) assert.ok(grownMb(system, before) < 60, `grown by ${grownMb(system, before)} MB`);
});

// From one address, so that most of them wait for their turn with requests that have already been read.
scenario('pipelined requests whose responses are not read leave room for new connections', { setups: ['embedded'] }, async (t) => {
  const system = await t.system({ flags: { memory: '4m' } });
  const before = system.program.memory('VmHWM');
  const clients = await connected(t, system.comment, 500);
  for (const client of clients) {
    client.socket.pause();
    client.send(Buffer.concat(Array(1_000).fill(requestBytes('GET', '/'))));
  }
  const log = () => system.program.stdout + system.program.stderr;
  await until(() => log().includes('slow_requests_dropped'), () => `a line about those dropped; log:\n${log()}`);
  await until(() => clients.every((client) => !client.socket.writableLength || client.socket.errored), () => 'all to have sent what they can');
  await t.watch(system.readers[0], { video: 'v' });
  if (!slow) assert.ok(grownMb(system, before) < 20, `grown by ${grownMb(system, before)} MB`);
});

scenario('where slow requests fill a port, a new connection takes the place of one', { setups: ['embedded'] }, async (t) => {
  const system = await t.system({ flags: { 'max-connections': 20 } });
  const clients = await connected(t, system.comment, 20);
  for (const client of clients) client.send(requestBytes('POST', '/comment', { headers: { 'Content-Type': 'application/json', 'Content-Length': '100' } }));
  await until(async () => (await call('GET', `${system.comment}/health`)).status === 200, () => 'an answer to a new request');
  assert.ok(clients.filter((client) => client.closed || client.finished).length <= 5, 'and not all at once');
});

scenario('a new connection does not lose its place before slow requests do', { setups: ['embedded'] }, async (t) => {
  const system = await t.system({ flags: { 'max-connections': 20 } });
  const slowOnes = await connected(t, system.comment, 20);
  for (const client of slowOnes) client.send(requestBytes('POST', '/comment', { headers: { 'Content-Type': 'application/json', 'Content-Length': '100' } }));
  // Waits in the kernel until they are slow enough to lose a place.
  await until(async () => (await call('GET', `${system.comment}/health`)).status === 200, () => 'an answer to a new request');
  const fresh = [];
  for (let i = 0; i < 5; i++) fresh.push(...(await connected(t, system.comment, 1)));
  await until(() => slowOnes.filter(({ closed, finished }) => closed || finished).length >= 4, () => 'slow requests to lose their places');
  for (const client of fresh) client.send(requestBytes('GET', '/'));
  for (const client of fresh) assert.equal((await client.answer())?.status, 200);
});
