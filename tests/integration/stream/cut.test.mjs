// A stream that is closed while its video goes on is cut: over HTTP/1.1 the last chunk is missing, which clients can tell from
// an end and come back after.
// CI also: up-redis. The engine decides which reader owns a video.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { owner, post, postMany } from '../lib/api.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scrambled } from '../lib/scrambled.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

async function open(t, reader, version = '1.1') {
  const client = await RawClient.connect(reader);
  t.after(() => client.destroy());
  await client.send(requestBytes('GET', '/connect?userid=u&videoid=v', { version }));
  await until(() => client.stream.endsWith('\n\n'), 'the first event');
  return client;
}

async function cutBy(client, close) {
  await close();
  await client.ends();
  const { text, over } = client.streamNow();
  assert.ok(text.includes('"connected"'));
  assert.equal(over, false, 'a last chunk');
}

scenario('a reader that stops cuts its streams, over both versions of HTTP', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const clients = await Promise.all(['1.1', '1.0'].map((version) => open(t, reader, version)));
  const { id } = await post(system, 'v', 'before');
  await until(() => clients.every((client) => client.stream.includes(`id: ${id}\n`)), 'the comment');
  const stopped = system.stop('SIGTERM');
  for (const client of clients) await cutBy(client, () => {});
  await stopped;
});

if (!scrambled)
scenario('fetch and node:http report a cut as an error', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const answer = await fetch(`${reader}/connect?userid=u&videoid=v`);
  const bytes = answer.body.getReader();
  assert.equal((await bytes.read()).done, false);
  const viewer = await t.watch(reader, { video: 'v', transport: 'http' });
  const error = once(viewer.body, 'error', { signal: AbortSignal.timeout(10_000) }).catch((why) => [why]);
  await system.stop('SIGTERM');
  await assert.rejects(bytes.read(), TypeError);
  assert.equal((await error)[0].code, 'ECONNRESET');
  assert.equal(viewer.body.complete, false);
});

scenario('a slow consumer that is disconnected is cut', async (t) => {
  const system = await t.system({ flags: { 'stall-timeout-ms': 1_000 } });
  const reader = await owner(system, 'v');
  const client = await open(t, reader);
  client.socket.pause();
  const viewer = await t.watch(reader, { video: 'v' });
  const stored = await postMany(system, 'v', 3_000, { atOnce: 32, text: (i) => `${i} ${'x'.repeat(1_990)}` });
  await viewer.reaches(stored.at(-1).id);
  const figures = async () => (await (await fetch(`${reader}/health`)).json()).activeConnections;
  await until(async () => (await figures()) === 1, 'the slow consumer to be disconnected', 15_000);
  await cutBy(client, () => client.socket.resume());
});
