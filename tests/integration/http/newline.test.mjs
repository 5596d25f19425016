// A prompt after curl's output begins on a line of its own.
import assert from 'node:assert/strict';
import { register } from '../lib/api.mjs';
import { everyPort } from '../lib/checks.mjs';
import { RawClient, exchange, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';

function checkEnd({ headers, text, body }, where) {
  assert.match(headers['content-type'], /^application\/json\b/, where);
  assert.match(text, /[^\n]\n$/, `one newline at the end, ${where}`);
  assert.equal(Number(headers['content-length']), body.length, where);
}

scenario('every JSON answer ends with one newline, which Content-Length counts', async (t) => {
  const system = await t.system();
  await register(system, 'v');
  const { comment, manager, statistics, readers: [reader] } = system;
  const json = { accept: 'application/json' };
  const requests = [
    ...everyPort(system).flatMap(([, url]) => ['/health', '/ready', '/none', '/%ff'].map((path) => [url, requestBytes('GET', path, { headers: json })])),
    ...[manager, statistics, reader].map((url) => [url, requestBytes('GET', '/', { headers: json })]),
    ...[comment, statistics].map((url) => [url, requestBytes('GET', '/statistics')]),
    ...[comment, manager].flatMap((url) => [[url, requestBytes('GET', '/resolve/v')], [url, requestBytes('GET', '/resolve/none')]]),
    [comment, jsonBytes('POST', '/comment', { userid: 'u', videoid: 'v', comment: 'hello\n' })],
    [comment, jsonBytes('POST', '/comment', { userid: 'u' })],
    [comment, requestBytes('POST', '/comment', { body: '{}' })],
    [comment, requestBytes('PUT', '/comment')],
    [manager, jsonBytes('POST', '/register', { videoid: 'w' })],
    [statistics, jsonBytes('POST', '/client-statistics', { clientId: 'c' })],
    [statistics, jsonBytes('POST', '/client-statistics', {}, { headers: { 'Content-Type': 'application/json', Origin: 'http://a' } })],
    [reader, requestBytes('GET', '/connect')],
    [reader, Buffer.from('bad request\r\n\r\n')],
  ];
  for (const [url, bytes] of requests) {
    const [line] = bytes.toString('latin1').split('\r\n');
    checkEnd(await exchange(url, bytes), `${line} to ${url}`);
  }
});

scenario('HEAD counts the newline too, and keeps the connection in step', async (t) => {
  const { manager } = await t.system();
  const client = await RawClient.connect(manager);
  t.after(() => client.destroy());
  client.send(Buffer.concat([requestBytes('GET', '/none'), requestBytes('HEAD', '/none'), requestBytes('GET', '/none')]));
  const get = await client.answer();
  const head = await client.answer({ head: true });
  const again = await client.answer();
  assert.equal(head.headers['content-length'], get.headers['content-length']);
  assert.equal(again.text, get.text);
  checkEnd(again, 'after HEAD');
});

scenario('a repeated post and its redirect read the same, byte by byte', async (t) => {
  const system = await t.system();
  const { readerUrl } = await register(system, 'v');
  const keyed = { headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'once' } };
  const post = () => exchange(system.comment, jsonBytes('POST', '/comment', { userid: 'u', videoid: 'v', comment: 'x' }, keyed));
  const first = await post();
  assert.equal(first.status, 201);
  assert.equal((await post()).text, first.text);
  checkEnd(first, 'the first');
  const other = system.readers.find((url) => url !== readerUrl);
  if (!other) return;
  const moved = await exchange(other, requestBytes('GET', '/connect?userid=u&videoid=v', { host: new URL(other).host }));
  assert.equal(moved.status, 307);
  checkEnd(moved, 'a redirect');
});
