// --proxy-listen: the PROXY protocol, v1 and v2, from trusted proxies, byte by byte and by a real HAProxy.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { call, post } from '../lib/api.mjs';
import { freePorts } from '../lib/ports.mjs';
import { prepareProxy, without } from '../lib/proxies.mjs';
import { RawClient, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const v1 = (source = '203.0.113.7') => Buffer.from(`PROXY ${source.includes(':') ? `TCP6 ${source} ::1` : `TCP4 ${source} 10.0.0.1`} 56324 443\r\n`);
const v2 = ({ command = 0x21, family = 0x11, body = [203, 0, 113, 7, 10, 0, 0, 1, 0x10, 0, 1, 0xbb] } = {}) =>
  Buffer.concat([SIGNATURE, Buffer.from([command, family, body.length >> 8, body.length & 255]), Buffer.from(body)]);
const withTlv = [203, 0, 113, 7, 10, 0, 0, 1, 0x10, 0, 1, 0xbb, 0x04, 0x75, 0x30, ...Array(30_000)];
const comment = (text = 'c') => jsonBytes('POST', '/comment', { userid: 'u', videoid: 'v', comment: text });
const health = requestBytes('GET', '/health');

async function start(t, flags = {}) {
  const [port] = await freePorts(1);
  const system = await t.system({ flags: { 'proxy-listen': `127.0.0.1:${port}`, 'trusted-proxies': '127.0.0.1', ...flags } });
  return { system, door: `http://127.0.0.1:${port}` };
}

async function opened(t, door, bytes) {
  const client = await RawClient.connect(door);
  t.after(() => client.destroy());
  if (bytes) client.send(bytes);
  return client;
}

const counted = async (system, reason) => {
  const { metrics } = (await call('GET', `${system.comment}/health`)).json;
  return metrics[`chorus_http_${reason}_proxy_connections_total`];
};

scenario('the client that a header names is in the log, however the header comes', async (t) => {
  const { system, door } = await start(t);
  const headers = { 'version 1': v1(), 'version 1, IPv6': v1('2001:db8::7'), 'version 2': v2(), 'version 2 and 30 KB more': v2({ body: withTlv }) };
  for (const [name, header] of Object.entries(headers)) {
    const address = name.includes('IPv6') ? '2001:db8::7' : '203.0.113.7';
    const said = (video) => system.program.says(new RegExp(`published video=${video} .*client=${address}\\b`));
    const bytes = (video) => jsonBytes('POST', '/comment', { userid: video, videoid: video, comment: 'c' });
    const video = name.replace(/\W/g, '');
    const at = await opened(t, door, Buffer.concat([header, bytes(`${video}-a`)])); // in one segment
    assert.equal((await at.answer()).status, 201, name);
    at.send(bytes(`${video}-b`)); // on the same connection
    assert.equal((await at.answer()).status, 201, name);
    await said(`${video}-a`);
    await said(`${video}-b`);
    const slow = await opened(t, door);
    await slow.drip(header.subarray(0, 200));
    await slow.send(Buffer.concat([header.subarray(200), bytes(`${video}-c`)]));
    assert.equal((await slow.answer()).status, 201, `${name}, byte by byte`);
    await said(`${video}-c`);
  }
});

scenario('a header without an address leaves the proxy as the client: LOCAL, UNSPEC, UNKNOWN', async (t) => {
  const { door } = await start(t);
  const kinds = [v2({ command: 0x20, family: 0, body: [] }), v2({ command: 0x20, family: 0xff }), v2({ family: 0, body: [4, 0, 0] }), v2({ family: 0x31, body: Array(216).fill(0) }), Buffer.from('PROXY UNKNOWN\r\n'), Buffer.from('PROXY UNKNOWN what ever\r\n')];
  for (const header of kinds) assert.equal((await (await opened(t, door, Buffer.concat([header, health]))).answer())?.status, 200, header.toString('latin1'));
});

scenario('what is no header closes the connection, and is counted; the next client is served', async (t) => {
  const { system, door } = await start(t, { 'header-timeout-ms': 500 });
  const bad = [health, v1('192.0.2.256'), Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\n'), v2({ command: 0x22 }), v2({ command: 0x11 }), v2({ body: [1, 2, 3] }), Buffer.from('x'.repeat(200)), Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`)];
  for (const bytes of bad) {
    const client = await opened(t, door, bytes);
    assert.equal(await client.answer(), null, bytes.toString('latin1').slice(0, 40));
  }
  assert.equal(await counted(system, 'malformed'), bad.length);
  await system.program.says(/event=proxy_header_refused address=127.0.0.1 reason=malformed/);
  const late = await opened(t, door, v1().subarray(0, 20));
  assert.equal(await late.answer(), null, 'half a header, and no more');
  const gone = await opened(t, door, v2().subarray(0, 20));
  gone.socket.end();
  await until(async () => (await counted(system, 'incomplete')) === 2, 'both to be counted');
  assert.equal((await (await opened(t, door, Buffer.concat([v1(), health]))).answer()).status, 200);
});

scenario('a header is accepted from trusted proxies only, and only where it is awaited', async (t) => {
  const { system, door } = await start(t, { 'trusted-proxies': '198.51.100.0/24' });
  const stranger = await opened(t, door, Buffer.concat([v1(), health])).catch(() => null); // reset before or after
  assert.equal(stranger && await stranger.answer(), null);
  await system.program.says(/event=proxy_header_refused address=127.0.0.1 reason=untrusted action=.*--trusted-proxies/);
  assert.equal(await counted(system, 'untrusted'), 1);
  for (const header of [v1(), v2()]) {
    const plain = await opened(t, system.comment, Buffer.concat([header, health]));
    assert.equal((await plain.answer())?.status, 400, 'at the ordinary port it is no request');
  }
  const [port] = await freePorts(1);
  await assert.rejects(t.system({ flags: { 'proxy-listen': `127.0.0.1:${port}` } }), /--proxy-listen needs --trusted-proxies/);
});

scenario('limits and permissions go by it: the client is limited, and never one of the inside', async (t) => {
  const { system, door } = await start(t, { 'limit-posts': 3 });
  const client = await opened(t, door, v1());
  const statuses = [];
  for (let i = 0; i < 5; i++) {
    client.send(comment());
    statuses.push((await client.answer()).status);
  }
  assert.deepEqual(statuses.slice(0, 3), [201, 201, 201]);
  assert.ok(statuses.includes(429), `${statuses}`);
  const other = await opened(t, door, Buffer.concat([v1('203.0.113.8'), comment()]));
  assert.equal((await other.answer()).status, 201, 'another client of the same proxy');
  for (const header of [v1('127.0.0.1'), v2({ command: 0x20, family: 0, body: [] })]) {
    const inside = await opened(t, door, Buffer.concat([header, requestBytes('GET', '/metrics', { host: '127.0.0.1' })]));
    assert.equal((await inside.answer()).status, 403);
  }
  assert.equal((await (await opened(t, system.comment, requestBytes('GET', '/metrics', { host: '127.0.0.1' }))).answer()).status, 200);
});

scenario('connects count for the client of the header', async (t) => {
  const { door } = await start(t, { 'limit-connects': 5 });
  const answers = [];
  for (let i = 0; i < 12; i++) answers.push((await (await opened(t, door, Buffer.concat([v1(), health]))).answer())?.status);
  assert.ok(answers.slice(0, 5).every((status) => status === 200) && answers.includes(429), `${answers}`);
  assert.equal((await (await opened(t, door, Buffer.concat([v1('203.0.113.8'), health]))).answer()).status, 200);
});

scenario('a stream through it is a viewer like any other', async (t) => {
  const { system, door } = await start(t);
  const viewer = await opened(t, door, Buffer.concat([v2(), requestBytes('GET', '/connect?userid=u&videoid=v')]));
  await until(() => viewer.received.includes('data: '), 'the first event');
  const { id } = await post(system, 'v', 'hello');
  await until(() => viewer.received.includes(`"id":"${id}"`), 'the comment');
  await system.program.says(/connected .*client=203\.0\.113\.7\b/);
});

for (const word of ['send-proxy', 'send-proxy-v2']) {
  scenario(`HAProxy with ${word}`, { skip: without('haproxy') }, async (t) => {
    const { system, door } = await start(t);
    const settings = [[/^( +server up \S+)$/gm, `$1 ${word}`], [/^ +http-request set-header X-Forwarded-For.*\n/gm, '']];
    const proxy = await prepareProxy(t, 'haproxy', 'up', { settings });
    await proxy.start({ '127.0.0.1:3000': door });
    const viewer = await t.watch(proxy.url, { video: 'v', transport: proxy.http1('127.0.0.9') });
    for (let i = 0; i < 5; i++) await viewer.reaches((await post({ comment: proxy.url, dispatcher: proxy.dispatcher }, 'v', `${i}`)).id);
    await system.program.says(/connected .*client=127\.0\.0\.9\b/);
  });
}
