// Tests of the checkers themselves: what they must reject.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { Crowd } from './crowd.mjs';
import { Journal } from './journal.mjs';
import { checkDelivered } from './load.mjs';
import { StreamParser } from './stream.mjs';

function parse(...pieces) {
  const events = [];
  const comments = [];
  const parser = new StreamParser({ onEvent: (event) => events.push(event), onComment: (text) => comments.push(text) });
  for (const piece of pieces) parser.feed(Buffer.from(piece));
  return { events, comments };
}

test('StreamParser reads events, cut anywhere', () => {
  const stream = Buffer.from(': beat\n\nretry: 700\nid: 1-2\nevent: gap\ndata: {"a":\ndata: "é"}\n\n');
  for (let cut = 0; cut <= stream.length; cut++) {
    const { events, comments } = parse(stream.subarray(0, cut), stream.subarray(cut));
    assert.deepEqual(events, [{ type: 'gap', id: '1-2', retry: 700, text: '{"a":\n"é"}', json: { a: 'é' } }]);
    assert.deepEqual(comments, [' beat']);
  }
  assert.equal(parse('data: {}\n').events.length, 0, 'an event ends with an empty line');
});

test('StreamParser rejects what a correct server does not send', () => {
  for (const wrong of [
    'data: {}\r\n\r\n', 'data: {}\r\r', 'data\n\n', 'datum: {}\n\n', 'Data: {}\n\n', 'id: 1-1\nid: 1-2\ndata: {}\n\n', 'id: x\ndata: {}\n\n',
    'retry: -1\ndata: {}\n\n', 'event: gap\n\n', 'data: {\n\n', 'data: x\n\n', '\ufeffdata: {}\n\n', Buffer.from([0x64, 0xff, 0x0a]),
  ]) assert.throws(() => parse(wrong), undefined, JSON.stringify(String(wrong)));
});

const comment = (id, more = {}) => ({ id, json: { id, ...more } });
const gap = (from, to, missed, reason) => ({ id: to, json: { type: 'gap', from, to, missed, reason } });
function journal(position, ...steps) {
  const kept = new Journal();
  kept.connected({ id: position });
  for (const step of steps) step.json.type ? kept.gap(step) : kept.comment(step);
  return kept;
}

test('Journal accepts one order without holes, with announced gaps and linked epochs', () => {
  assert.equal(journal('5-0', comment('5-1'), comment('5-2'), comment('7-1')).comments.length, 3);
  assert.equal(journal('5-1', gap('5-2', '5-9', 8, 'slow'), comment('5-10')).position, '5-10');
  assert.equal(journal('5-9', gap('5-10', '7-1', null, 'epoch'), comment('7-2')).position, '7-2');
});

test('Journal rejects holes, duplicates, disorder and false gaps', () => {
  for (const steps of [
    [comment('5-2')], [comment('5-1'), comment('5-1')], [comment('5-1'), comment('5-3')], [comment('4-1')],
    [comment('7-2')], [comment('5-1', { type: '' })], [gap('5-2', '5-3', 2, 'slow')],
    [gap('5-1', '5-3', 2, 'slow')], [gap('5-1', '5-3', 3, 'late')], [gap('5-1', '7-3', 3, 'epoch')],
  ]) assert.throws(() => journal('5-0', ...steps), undefined, JSON.stringify(steps));
  assert.throws(() => new Journal().connected({ id: '5-1' }, '5-2'));
});

const said = (id, text = id) => ({ id, comment: text });
const got = (comments, gaps = []) => ({ comments, gaps });
const lost = { type: 'gap', from: '5-2', to: '7-0', missed: null, reason: 'epoch' };

test('checkDelivered accepts everything once, and an announced loss', () => {
  checkDelivered(got([said('5-1'), said('5-2'), said('5-3', 'not acknowledged')]), [said('5-1'), said('5-2')]);
  checkDelivered(got([said('5-1'), said('7-1')], [lost]), [said('5-1'), said('5-9'), said('7-1')], { gaps: ['epoch'] });
  checkDelivered(got([said('5-1'), said('7-1', '5-1')], [lost]), [said('5-1')], { gaps: ['epoch'], lossy: true });
});

test('checkDelivered rejects what is missing, changed, duplicated, or announced without a reason', () => {
  for (const [viewer, options] of [
    [got([said('5-1')])], [got([said('5-1'), said('5-2', 'changed')])], [got([said('5-1'), said('5-2'), said('5-3', '5-1')])],
    [got([said('5-1'), said('5-2')], [lost])], [got([said('5-1')], [lost]), { gaps: ['slow'] }],
    [got([said('5-1')], [{ ...lost, from: '5-3' }]), { gaps: ['epoch'] }],
  ]) assert.throws(() => checkDelivered(viewer, [said('5-1'), said('5-2')], options), undefined, JSON.stringify(viewer));
});

// A server that sends these bytes on every connection, and then closes it if `end` is set.
async function saying(t, bytes, { close = false } = {}) {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => (close ? socket.end(bytes) : socket.write(bytes)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const crowd = new Crowd({});
  crowd.readers.set('v', `http://127.0.0.1:${server.address().port}`);
  t.after(() => crowd.members.forEach((member) => member.close()));
  return crowd;
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n';
const CONNECTED = `${HEAD}retry: 700\nid: 5-0\ndata: {"type":"connected"}\n\n`;
const event = (id) => `id: ${id}\ndata: {"id":"${id}"}\n\n`;

test('Crowd accepts a stream in order, and counts a connection closed without a response as a refusal', async (t) => {
  const crowd = await saying(t, `${CONNECTED}: beat\n\n${event('5-1')}id: 5-4\nevent: gap\ndata: {"type":"gap","from":"5-2","to":"5-4","missed":3,"reason":"slow"}\n\n${event('5-5')}`);
  const [member] = await crowd.enter(1, ['v']);
  await crowd.reach({ videoid: 'v', id: '5-5' });
  assert.deepEqual([member.seen, member.missed], [2, 3]);
  const refusing = await saying(t, '', { close: true });
  assert.deepEqual(await refusing.enter(3, ['v'], { refusals: true }), []);
  await assert.rejects(refusing.enter(1, ['v']), /refused/);
});

test('Crowd rejects holes, duplicates, and wrong or incomplete responses', async (t) => {
  for (const wrong of [event('5-2'), event('5-1') + event('5-1'), 'id: 5-1\ndata: {"id":"5-2"}\n\n', 'event: viewers\ndata: {}\n\n', 'id: 5-1\n\n']) {
    const crowd = await saying(t, CONNECTED + wrong);
    await crowd.enter(1, ['v']).catch(() => {}); // it may have arrived together with the first event
    await assert.rejects(crowd.reach({ videoid: 'v', id: '5-9' }, crowd.members, 500), (error) => error.final, JSON.stringify(wrong));
  }
  for (const wrong of ['HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n', HEAD]) {
    const crowd = await saying(t, wrong, { close: true });
    await assert.rejects(crowd.enter(1, ['v'], { refusals: true }), /no stream|within an answer/);
  }
});
