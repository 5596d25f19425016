// CI also: asan. Requests that never end.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkError, everyPort } from '../lib/checks.mjs';
import { RawClient, jsonBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';

const LIMIT = 600;

// Sends `bytes` one at a time, and returns how long the server waited. It must lose it long before all are sent.
async function patience(url, at_once, drops) {
  const started = performance.now(); // the server's clock may start before this process knows of its connection
  const client = await RawClient.connect(url);
  await client.send(at_once);
  const dripping = client.drip(drops, 50);
  const answer = await client.answer();
  if (answer) checkError(answer, [400, 408], url);
  await client.ends(`${url} to lose patience`);
  const took = performance.now() - started;
  client.destroy();
  assert.ok(client.socket.bytesWritten < at_once.length + drops.length, `${url}: only when all was sent`);
  await dripping;
  return took;
}

function checkPatience(took, where) {
  assert.ok(took >= LIMIT * 0.9, `${where}: after ${took} ms, before the limit`);
}

scenario('a head that trickles in is cut off at --header-timeout-ms, and others are served meanwhile', async (t) => {
  const system = await t.system({ flags: { 'header-timeout-ms': LIMIT } });
  const slow = everyPort(system).map(async ([role, url]) =>
    checkPatience(await patience(url, 'GET /health HTTP/1.1\r\n', `X: ${'x'.repeat(1_000)}`), role));
  const held = await Promise.all(Array.from({ length: 300 }, () => RawClient.connect(system.comment)));
  for (const client of held) client.send('POST /com');
  for (const [role, url] of everyPort(system)) assert.equal((await call('GET', `${url}/health`)).status, 200, role);
  await Promise.all(slow);
  await Promise.all(held.map((client) => client.ends('a half head to be cut off')));
});

scenario('a body that trickles in is cut off at --body-timeout-ms', async (t) => {
  const system = await t.system({ flags: { 'body-timeout-ms': LIMIT } });
  const cases = [
    [system.comment, '/comment', { userid: 'u', videoid: 'v', comment: 'x'.repeat(1_000) }],
    [system.manager, '/register', { videoid: 'v', more: 'x'.repeat(1_000) }],
    [system.readers[0], '/connect', { userid: 'u', videoid: 'v', more: 'x'.repeat(1_000) }],
    [system.statistics, '/client-statistics', { clientId: 'c', more: 'x'.repeat(1_000) }],
  ];
  await Promise.all(cases.map(async ([url, path, json]) => {
    const bytes = jsonBytes('POST', path, json);
    const head = bytes.indexOf('\r\n\r\n') + 4;
    checkPatience(await patience(url, bytes.subarray(0, head), bytes.subarray(head)), path);
  }));
});

scenario('the limits apply to one request: a connection kept open may be used again much later', async (t) => {
  const system = await t.system({ flags: { 'header-timeout-ms': LIMIT, 'body-timeout-ms': LIMIT } });
  const viewer = await t.watch(system.readers[0], { video: 'v', query: { redirect: 'never' } });
  const client = await RawClient.connect(system.comment);
  await client.send(jsonBytes('POST', '/comment', { userid: 'u', videoid: 'v', comment: 'x' }));
  const { json } = await client.answer();
  await viewer.reaches(json.comment.id);
  const idle = await RawClient.connect(system.comment);
  await idle.send('P'); // when this one is cut off, more than the limit has passed
  await idle.ends();
  assert.equal(viewer.ended, false, 'a stream is not a slow request');
  client.destroy();
});
