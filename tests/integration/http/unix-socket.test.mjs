// --listen unix:/PATH: the socket's file, and who its clients are.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { Agent } from '../lib/undici.mjs';
import { call, post } from '../lib/api.mjs';
import { freePorts } from '../lib/ports.mjs';
import { prepareProxy, without } from '../lib/proxies.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const throughSocket = (t, path) => {
  const dispatcher = new Agent({ connect: { socketPath: path } });
  t.after(() => dispatcher.destroy());
  return { comment: 'http://localhost', dispatcher };
};
const modeOf = (path) => (statSync(path).mode & 0o777).toString(8);

scenario('comments are posted and watched through it, also after SIGHUP; it goes with the process', async (t) => {
  const path = join(t.folder(), 'chorus.sock');
  const system = await t.system({ flags: { listen: `unix:${path}` } });
  assert.equal(modeOf(path), '660');
  const through = throughSocket(t, path);
  const viewer = await RawClient.connect('http://localhost', { path });
  t.after(() => viewer.destroy());
  viewer.send(requestBytes('GET', '/connect?userid=u&videoid=v', { headers: { 'X-Forwarded-For': '203.0.113.9' } }));
  await until(() => viewer.received.includes('data: '), 'the first event');
  const first = await post(through, 'v', 'hello', { headers: { 'x-forwarded-for': '203.0.113.7' } });
  await until(() => viewer.received.includes(`"id":"${first.id}"`), 'the comment');
  await system.program.says(/published .*client=203\.0\.113\.7\b/);
  await system.program.says(/connected .*client=203\.0\.113\.9\b/);
  await post(through, 'v', 'without a header of a proxy');
  await system.program.says(/published .*client=unix\b/);
  system.program.signal('SIGHUP');
  const second = await post(through, 'v', 'after the signal');
  await until(() => viewer.received.includes(`"id":"${second.id}"`), 'the next');
  await system.stop();
  assert.ok(!existsSync(path), 'the file is removed');
});

scenario('who connects to it is a proxy: limited by what it forwards, and never one of the inside', async (t) => {
  const path = join(t.folder(), 'chorus.sock');
  await t.system({ flags: { listen: `unix:${path}`, 'limit-posts': 3, 'limit-user-posts': 0, 'internal-token': 'secret' } });
  const { dispatcher } = throughSocket(t, path);
  const send = async (headers) => (await call('POST', 'http://localhost/comment', { json: { userid: 'u', videoid: 'v', comment: 'c' }, headers, dispatcher })).status;
  const all = async (headers) => {
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push(await send(headers));
    return statuses;
  };
  assert.ok((await all({ 'x-forwarded-for': '203.0.113.7' })).includes(429));
  assert.equal(await send({ 'x-forwarded-for': '203.0.113.8' }), 201);
  assert.ok((await all({})).every((status) => status === 201), 'the proxy itself is exempt');
  const metrics = async (headers) => (await call('GET', 'http://localhost/metrics', { headers, dispatcher })).status;
  assert.deepEqual([await metrics({}), await metrics({ 'x-forwarded-for': '127.0.0.1' }), await metrics({ authorization: 'Bearer secret' })], [403, 403, 200]);
});

scenario('a file that no process listens on any more is replaced, and nothing else is', async (t) => {
  const folder = t.folder(), path = join(folder, 'chorus.sock'), flags = { listen: `unix:${path}`, 'listen-mode': '0600' };
  const killed = await t.system({ flags });
  await killed.kill9();
  assert.ok(existsSync(path), 'it is left behind');
  const system = await t.system({ flags });
  assert.equal(modeOf(path), '600');
  const through = throughSocket(t, path);
  await post(through, 'v', 'hello');
  await assert.rejects(t.system({ flags }), /chorus\.sock is in use: stop what listens there, or choose another with --listen/);
  await post(through, 'v', 'still there');
  await system.stop();
  writeFileSync(path, 'precious');
  await assert.rejects(t.system({ flags }), /chorus\.sock is in use/);
  assert.equal(statSync(path).size, 8);
  const other = createServer().listen(join(folder, 'other.sock'));
  await once(other, 'listening');
  t.after(() => other.close());
  await assert.rejects(t.system({ flags: { listen: `unix:${join(folder, 'other.sock')}` } }), /other\.sock is in use/);
});

scenario('a path that is too long, relative, or nowhere is refused with a sentence', async (t) => {
  await assert.rejects(t.system({ flags: { listen: `unix:/${'x'.repeat(107)}` } }), /--listen is .*, but must be at most 8 of unix:\/PATH, of at most 107 bytes/);
  await assert.rejects(t.system({ flags: { listen: 'unix:chorus.sock' } }), /--listen is .*, but must be/);
  await assert.rejects(t.system({ flags: { listen: `unix:${join(t.folder(), 'none', 'chorus.sock')}` } }), /--listen: unix:.* cannot be opened: No such file or directory/);
});

scenario('--listen opens further ports, too', async (t) => {
  const [port] = await freePorts(1);
  const system = await t.system({ flags: { listen: `unix:${join(t.folder(), 's')},127.0.0.1:${port}` } });
  await post({ ...system, comment: `http://127.0.0.1:${port}` }, 'v', 'hello');
  await assert.rejects(t.system({ flags: { listen: `127.0.0.1:${port}` } }), new RegExp(`127.0.0.1:${port} is in use`));
});

scenario('a recipe of nginx through a unix socket', { skip: without('nginx') }, async (t) => {
  const path = join(t.folder(), 'chorus.sock');
  const proxy = await prepareProxy(t, 'nginx', 'up', { settings: [[/server 127\.0\.0\.1:3000;/, `server unix:${path};`]] });
  const system = await t.system({ flags: { 'public-url': proxy.url, listen: `unix:${path}` } });
  await proxy.start({});
  const viewer = await t.watch(proxy.url, { video: 'v', transport: proxy.http1('127.0.0.9') });
  for (let i = 0; i < 5; i++) await viewer.reaches((await post({ comment: proxy.url, dispatcher: proxy.dispatcher }, 'v', `${i}`)).id);
  await system.program.says(/connected .*client=127\.0\.0\.9\b/);
});
