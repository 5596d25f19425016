// CI also: up-redis. The position comes from the engine.
import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { parseId } from '../lib/journal.mjs';
import { RawClient, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

// The stream's head and the bytes after it so far.
async function open(url, bytes) {
  const client = await RawClient.connect(url);
  await client.send(bytes);
  const body = await until(() => client.stream.endsWith('\n\n') && client.stream, 'head and first event');
  const [head] = client.received.toString().split('\r\n\r\n');
  client.destroy();
  const [status, ...lines] = head.split('\r\n');
  return { status, headers: Object.fromEntries(lines.map((line) => line.toLowerCase().split(/: ?(.*)/, 2))), body };
}

scenario('the stream begins with exactly these headers and this event, by GET and by POST', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v1');
  const instance = `reader-${system.readers.indexOf(reader) + 1}`;
  const ways = ['1.1', '1.0'].flatMap((version) => [
    { version, bytes: requestBytes('GET', '/connect?userid=u1&videoid=v1', { version }) },
    { version, bytes: jsonBytes('POST', '/connect', { userid: 'u1', videoid: 'v1' }, { version }) },
  ]);
  for (const { version, bytes } of ways) {
    const { status, headers, body } = await open(reader, bytes);
    assert.match(status, /^HTTP\/1\.1 200 /);
    assert.equal(headers['content-type'], 'text/event-stream');
    assert.equal(headers['cache-control'], 'no-store, no-transform');
    assert.equal(headers['x-accel-buffering'], 'no');
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['transfer-encoding'], version === '1.1' ? 'chunked' : undefined);
    assert.equal(headers['content-length'], undefined);
    const [, retry, id, json] = /^retry: (\d+)\nid: (\d+-\d+)\ndata: (.*)\n\n$/.exec(body) ?? assert.fail(body);
    assert.ok(retry >= 500 && retry <= 2500, `retry ${retry}`);
    assert.equal(parseId(id).seq, 0, 'before the first comment');
    assert.deepEqual(JSON.parse(json), { type: 'connected', userid: 'u1', videoid: 'v1', instance });
  }
});

scenario('the first event carries the position where the stream starts', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const early = await t.watch(reader, { video: 'v' });
  const first = await post(system, 'v', 'one');
  const { epoch } = parseId(first.id);
  assert.equal(early.connected.id, `${epoch}-0`);
  assert.ok(Math.abs(epoch - Date.now()) < 60_000, 'an epoch is the time it began');
  await early.reaches(first.id); // the reader has it too: a store can answer before it publishes to all
  const late = await t.watch(reader, { video: 'v' });
  assert.equal(late.connected.id, first.id);
  const second = await post(system, 'v', 'two');
  await late.reaches(second.id);
  assert.equal(late.comments.length, 1, 'nothing from before');
  await early.reaches(second.id);
  assert.equal(early.comments.length, 2);
});

for (const version of ['1.1', '1.0'])
scenario(`a comment over HTTP/${version} is framed as id and data, nothing else`, async (t) => {
  const system = await t.system();
  const client = await RawClient.connect(await owner(system, 'v'));
  await client.send(requestBytes('GET', '/connect?userid=u&videoid=v', { version }));
  await until(() => client.stream.endsWith('\n\n'), 'the first event');
  const before = client.stream.length;
  const stored = await post(system, 'v', 'Great video!');
  const event = await until(() => client.stream.length > before && client.stream.slice(before), 'the comment');
  const [, id, json] = /^id: (\S+)\ndata: (\{.*\})\n\n$/.exec(event) ?? assert.fail(event);
  assert.equal(id, stored.id);
  assert.deepEqual(JSON.parse(json), stored);
  client.destroy();
});
