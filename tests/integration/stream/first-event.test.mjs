// CI also: up-redis. The position comes from the engine.
import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { parseId } from '../lib/journal.mjs';
import { RawClient, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

// The stream's head and what followed it so far.
async function open(url, bytes) {
  const client = await RawClient.connect(url);
  await client.send(bytes);
  const [head, body] = await until(() => {
    const text = client.received.toString();
    const end = text.indexOf('\r\n\r\n');
    return end >= 0 && text.endsWith('\n\n') && [text.slice(0, end), text.slice(end + 4)];
  }, 'head and first event');
  client.destroy();
  const [status, ...lines] = head.split('\r\n');
  return { status, headers: Object.fromEntries(lines.map((line) => line.toLowerCase().split(/: ?(.*)/, 2))), body };
}

scenario('the stream begins with exactly these headers and this event, by GET and by POST', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v1');
  const instance = `reader-${system.readers.indexOf(reader) + 1}`;
  for (const bytes of [requestBytes('GET', '/connect?userid=u1&videoid=v1'), jsonBytes('POST', '/connect', { userid: 'u1', videoid: 'v1' })]) {
    const { status, headers, body } = await open(reader, bytes);
    assert.match(status, /^HTTP\/1\.1 200 /);
    assert.equal(headers['content-type'], 'text/event-stream');
    assert.equal(headers['cache-control'], 'no-store, no-transform');
    assert.equal(headers['x-accel-buffering'], 'no');
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['transfer-encoding'], undefined, 'no chunking');
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
  const late = await t.watch(reader, { video: 'v' });
  assert.equal(late.connected.id, first.id);
  const second = await post(system, 'v', 'two');
  await late.reaches(second.id);
  assert.equal(late.comments.length, 1, 'nothing from before');
  await early.reaches(second.id);
  assert.equal(early.comments.length, 2);
});

scenario('a comment is framed as id and data, nothing else', async (t) => {
  const system = await t.system();
  const client = await RawClient.connect(await owner(system, 'v'));
  await client.send(requestBytes('GET', '/connect?userid=u&videoid=v'));
  const text = () => client.received.toString();
  await until(() => text().endsWith('\n\n'), 'the first event');
  const before = text().length;
  const stored = await post(system, 'v', 'Great video!');
  const event = await until(() => text().length > before && text().endsWith('\n\n') && text().slice(before), 'the comment');
  const [, id, json] = /^id: (\S+)\ndata: (\{.*\})\n\n$/.exec(event) ?? assert.fail(event);
  assert.equal(id, stored.id);
  assert.deepEqual(JSON.parse(json), stored);
  client.destroy();
});
