// CI also: asan, tsan. Workers write these lines.
import assert from 'node:assert/strict';
import { owner, post, postMany } from '../lib/api.mjs';
import { demoToken, killReader } from '../lib/demo.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow, until } from '../lib/time.mjs';

const setups = ['embedded'];
// A transport that is no socket has neither a number nor bytes, and this file's clients cannot read it.
const skip = process.env.CHORUS_SINK && 'streams are on no socket';
const pairs = (line) => Object.fromEntries([...line.matchAll(/(\w+)=("[^"]*"|\S+)/g)].map(([, key, value]) => [key, value]));
const lines = (system, event) => system.stderr.split('\n').filter((line) => line.includes(` event=${event} `)).map(pairs);
const closed = (system) => until(() => lines(system, 'stream_closed')[0], 'a line about the stream');

async function connect(reader, query = '') {
  const client = await RawClient.connect(reader);
  client.socket.on('error', () => {});
  return begin(client, query);
}

async function begin(client, query = '') {
  const before = client.received.length;
  await client.send(requestBytes('GET', `/connect?userid=ann&videoid=v${query}`));
  await until(() => client.received.includes('"connected"', before), 'the stream');
  return client;
}

const sees = (client, id) => until(() => client.received.includes(`id: ${id}\n`), `comment ${id}`);

scenario('a stream that ends is logged with what it was sent, under the number of its `connected` line', { setups, skip }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const client = await RawClient.connect(reader);
  await client.send(requestBytes('GET', '/health'));
  await until(() => client.received.toString().trimEnd().endsWith('}'), 'the answer'); // which is no part of the stream
  const before = client.socket.bytesRead, began = performance.now();
  await begin(client);
  const stored = await postMany(system, 'v', 7);
  for (const { id } of stored) await sees(client, id);
  const received = client.socket.bytesRead - before;
  client.socket.resetAndDestroy(); // a FIN would be probed with a heartbeat first
  const line = await closed(system);
  const took = performance.now() - began;
  const { level, role, video, events, bytes, reason, stream } = line;
  assert.deepEqual({ level, video, events, bytes, reason }, { level: 'info', video: 'v', events: '7', bytes: `${received}`, reason: 'client_closed' });
  assert.match(role, /^reader-\d$/);
  assert.ok(Number(line.duration_ms) <= took + 200, `${line.duration_ms} of ${took} ms`);
  const [start] = lines(system, 'connected');
  assert.deepEqual([start.stream, start.user], [stream, 'ann']);
  assert.match(stream, /^[1-9]\d*$/);
});

scenario('a gap counts as one event', { setups }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const [, second] = await postMany(system, 'v', 2, { atOnce: 1 });
  const client = await connect(reader, '&last_event_id=1-1');
  const { id } = await post(system, 'v', 'next');
  await sees(client, id);
  assert.ok(client.received.includes('event: gap'), client.received.toString());
  const events = client.received.toString().match(/^id: /gm).length - 1; // without `connected`
  client.destroy();
  assert.equal((await closed(system)).events, `${events}`, second.id);
});

scenario('a stream that ends while earlier responses wait to be sent has no bytes', { setups, skip }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const client = await RawClient.connect(reader);
  client.socket.on('error', () => {});
  client.socket.pause();
  const requests = Array.from({ length: 8 }, () => requestBytes('GET', '/openapi.json'));
  await client.send(Buffer.concat([...requests, requestBytes('GET', '/connect?userid=ann&videoid=v')].map((request) => Buffer.from(request))));
  await until(() => lines(system, 'connected').length, 'the stream');
  client.socket.resetAndDestroy();
  const { bytes, events } = await closed(system);
  assert.deepEqual({ bytes, events }, { bytes: '0', events: '0' });
});

const ends = async (system, reason) => until(() => lines(system, 'stream_closed').find((line) => line.reason === reason), `a stream ${reason}`, 20_000);

scenario('a viewer that accepts no data is `stalled`, one that is left at the end is `stopping`', { setups }, async (t) => {
  const system = await t.system({ flags: { 'stall-timeout-ms': 1_000 } });
  const reader = await owner(system, 'v');
  const stuck = await connect(reader);
  stuck.socket.pause();
  await postMany(system, 'v', 1_000, { text: () => 'x'.repeat(1_990) });
  assert.ok(Number((await ends(system, 'stalled')).events) < 1_000);
  const last = await connect(reader);
  await system.stop();
  assert.equal(lines(system, 'stream_closed').at(-1).reason, 'stopping');
  stuck.destroy();
  last.destroy();
});

// Nor can the demo's viewers, who come back all the time: of what many do, lines are left out.
scenario('a reader that the demo kills says so', { setups, skip }, async (t) => {
  const system = await t.system({ flags: { demo: true, 'log-level': 'info' } });
  const reader = await owner(system, 'v');
  const client = await connect(reader);
  await killReader(system, reader, await demoToken(system));
  await ends(system, 'reader_killed');
  client.destroy();
});

scenario('many that end at once are sampled, and none is left out of the count', { setups, skip }, async (t) => {
  const system = await t.system({ flags: { 'log-format': 'json' } });
  const reader = await owner(system, 'v');
  const viewers = slow ? 300 : 2_000, clients = [];
  while (clients.length < viewers) clients.push(...(await Promise.all(Array.from({ length: 100 }, () => connect(reader)))));
  for (const client of clients) client.socket.resetAndDestroy();
  const objects = () => system.stderr.trim().split('\n').map((line) => JSON.parse(line));
  const shown = () => objects().filter(({ event }) => event === 'stream_closed');
  const counted = () => objects().filter(({ of }) => of === 'stream_closed').reduce((sum, line) => sum + line.left_out, shown().length);
  await until(() => counted() === viewers, () => `${counted()} of ${viewers}`);
  assert.ok(shown().length < viewers / 10, `${shown().length} lines`);
  for (const line of shown()) {
    assert.deepEqual(Object.keys(line).slice(4), ['video', 'stream', 'duration_ms', 'events', 'bytes', 'reason']);
    for (const key of ['stream', 'duration_ms', 'events', 'bytes']) assert.equal(typeof line[key], 'number');
  }
});
