// CI also: asan. Bodies in every shape.
import assert from 'node:assert/strict';
import { statistics } from '../lib/api.mjs';
import { checkComment, checkError, checkHealthy } from '../lib/checks.mjs';
import { RawClient, exchange, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const comment = { userid: 'u', videoid: 'v', comment: 'in pieces' };
const chunkedHead = requestBytes('POST', '/comment', { headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' } });
const chunk = (text, extension = '') => `${Buffer.byteLength(text).toString(16)}${extension}\r\n${text}\r\n`;

scenario('a chunked body is accepted, whatever its chunks', async (t) => {
  const system = await t.system();
  const json = JSON.stringify(comment);
  const bodies = [
    chunk(json) + '0\r\n\r\n', [...json].map((letter) => chunk(letter)).join('') + '0\r\n\r\n', chunk(json, ';name=value') + '0\r\n\r\n',
    chunk(json.slice(0, 9)) + chunk(json.slice(9)) + '000\r\nTrailer: yes\r\n\r\n', `${json.length.toString(16).toUpperCase()}\r\n${json}\r\n0\r\n\r\n`,
  ];
  for (const body of bodies) {
    const answer = await exchange(system.comment, Buffer.concat([chunkedHead, Buffer.from(body)]));
    assert.equal(answer?.status, 201, `${body}: ${answer?.text}`);
    checkComment(answer.json.comment, { user: 'u', video: 'v', text: 'in pieces' });
  }
});

scenario('a broken chunk is 400 or closed, and nothing is stored', async (t) => {
  const system = await t.system({ flags: { 'body-timeout-ms': 400 } });
  const json = JSON.stringify(comment);
  for (const body of [
    `x\r\n${json}\r\n0\r\n\r\n`, `-1\r\n${json}\r\n0\r\n\r\n`, `1\r\n${json}\r\n0\r\n\r\n`, `${json.length.toString(16)}\r\n${json}0\r\n\r\n`,
    `ffffffffffffffffff\r\n${json}`, `0x5\r\n${json}\r\n0\r\n\r\n`, `${json.length.toString(16)}\n${json}\n0\n\n`, `${json.length.toString(16)}\r\n${json}\r\n`,
    `0\r\n${'T: x\r\n'.repeat(20_000)}`, `1${';x=y'.repeat(50_000)}\r\n`,
  ]) {
    const answer = await exchange(system.comment, Buffer.concat([chunkedHead, Buffer.from(body)]));
    if (answer) checkError(answer, [400, 408, 413, 431], body.slice(0, 40));
  }
  assert.equal((await statistics(system)).storedComments.total, 0);
  await checkHealthy(system);
});

scenario('Expect: 100-continue is answered before the body is sent, or refused at once', async (t) => {
  const system = await t.system();
  const body = JSON.stringify(comment);
  const head = (length) => requestBytes('POST', '/comment', { headers: { 'Content-Type': 'application/json', 'Content-Length': length, Expect: '100-continue' } });
  const client = await RawClient.connect(system.comment);
  await client.send(head(body.length));
  await until(() => client.received.length > 0, '100 Continue');
  client.send(body);
  const answer = await client.answer();
  assert.deepEqual(answer.interim.map(({ status }) => status), [100]);
  assert.equal(answer.status, 201);
  client.destroy();

  const refused = await exchange(system.comment, head(10_000_000));
  checkError(refused, 413);
  assert.deepEqual(refused.interim, [], 'no 100 Continue for 10 MB');
  const plain = await exchange(system.comment, jsonBytes('POST', '/comment', comment));
  assert.deepEqual(plain.interim, []);
});

scenario('pipelined requests are all answered, in order', async (t) => {
  const system = await t.system();
  const requests = [];
  const expected = [];
  for (let i = 0; i < 60; i++) {
    const [bytes, status] = [
      [jsonBytes('POST', '/comment', { ...comment, comment: `${i}` }), 201],
      [requestBytes('GET', `/resolve/none-${i}`), 404],
      [requestBytes('GET', '/health'), 200],
      [jsonBytes('POST', '/register', { videoid: `v${i}` }), 200],
      [jsonBytes('POST', '/comment', {}), 400],
    ][i % 5];
    requests.push(bytes);
    expected.push(status);
  }
  const client = await RawClient.connect(system.comment);
  client.send(Buffer.concat(requests));
  let last = 0;
  for (const [i, status] of expected.entries()) {
    const answer = await client.answer();
    assert.equal(answer?.status, status, `answer ${i}`);
    if (status === 201) {
      assert.equal(answer.json.comment.comment, `${i}`);
      const seq = Number(answer.json.comment.id.split('-')[1]);
      assert.equal(seq, ++last, 'and done in order');
    }
    if (status === 404) assert.equal(answer.json.videoid, `none-${i}`);
  }
  client.destroy();
});

scenario('keep-alive, Connection: close and HTTP/1.0 connections close when they should', async (t) => {
  const system = await t.system();
  const closing = await RawClient.connect(system.comment);
  await closing.send(requestBytes('GET', '/health', { headers: { Connection: 'close' } }));
  assert.equal((await closing.answer()).status, 200);
  await closing.ends();

  const old = await RawClient.connect(system.comment);
  await old.send('GET /health HTTP/1.0\r\nHost: test\r\n\r\n');
  assert.equal((await old.answer()).status, 200);
  await old.ends('the end after HTTP/1.0');

  const kept = await RawClient.connect(system.comment);
  for (let i = 0; i < 100; i++) {
    await kept.send(requestBytes('GET', '/health'));
    assert.equal((await kept.answer())?.status, 200, `request ${i}`);
  }
  kept.destroy();
});

scenario('a client that half-closes its connection still gets its response', async (t) => {
  const system = await t.system();
  const client = await RawClient.connect(system.comment, { allowHalfOpen: true });
  client.socket.end(jsonBytes('POST', '/comment', comment));
  assert.equal((await client.answer())?.status, 201);
  await client.ends();
  client.destroy();
});
