// --videos known: only videos exist that a service created, whatever asks for them.
// CI also: processes. There what one process creates exists in the others.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, post, postResults } from '../lib/api.mjs';
import { claims, keySet, makeKey, makeToken } from '../lib/jwt.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until, within } from '../lib/time.mjs';

const secret = 'between-services', nowhere = '10.255.255.255';
const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});
const put = (system, video, state, token) => call('PUT', `${system.comment}/videos/${video}`, { json: { state }, headers: bearer(token) });
const remove = (system, video, token) => call('DELETE', `${system.comment}/videos/${video}`, { headers: bearer(token) });

async function answers(answer, expected) {
  const { status, json, text } = await answer;
  assert.equal(`${status}${json?.code ? ` ${json.code}` : ''}`, expected, text);
}

// Status and, if it is no stream, code of a connect.
async function connect(url, method = 'GET', headers = {}) {
  const controller = new AbortController();
  const body = method === 'POST' ? JSON.stringify({ userid: 'u', videoid: new URL(url).searchParams.get('videoid') }) : undefined;
  const response = await fetch(url, { method, body, headers: { ...headers, ...(body && { 'content-type': 'application/json' }) }, signal: controller.signal });
  const found = response.ok || method === 'HEAD' ? `${response.status}` : `${response.status} ${(await response.json()).code}`;
  controller.abort();
  return found;
}

// Everything that names a video: what it answers to one that exists and is open, and to one that is closed.
function uses(system, headers = {}) {
  const get = (url) => call('GET', url, { headers });
  const ask = (url, json) => call('POST', url, { json, headers });
  const streams = [system.comment, ...system.readers].map((base) => (video) => `${base}/connect?userid=u&redirect=never&videoid=${video}`);
  const stream = (address, method) => async (video) => ({ status: await connect(address(video), method, headers) });
  return [
    ...[system.comment, system.manager].flatMap((base) => [
      [(video) => ask(`${base}/register`, { videoid: video }), '200', '200'],
      [(video) => get(`${base}/resolve/${video}`), '200', '200'],
    ]),
    ...(system.streamsAtComment === false ? streams.slice(1) : streams).flatMap((address) => [[stream(address), '200', '200'], [stream(address, 'POST'), '200', '200']]),
    [(video) => get(`${system.comment}/videos/${video}`), '200', '200'],
    [(video) => get(`${system.comment}/videos/${video}/comments`), '200', '200'],
    [(video) => ask(`${system.comment}/comment`, { userid: 'u', videoid: video, comment: 'hi' }), '201', '403 video_closed'],
  ];
}

const hasStreams = async (base) => (await call('GET', `${base}/connect`)).status !== 404;

scenario('an unknown video is unknown everywhere, until a service creates it', async (t) => {
  const system = await t.system({ flags: { videos: 'known' }, stable: true });
  system.streamsAtComment = await hasStreams(system.comment);
  const all = async (video, which) => {
    for (const [use, open, closed] of uses(system)) await answers(use(video), { open, closed, unknown: '404 unknown_video' }[which]);
  };
  await all('v', 'unknown');
  await answers(put(system, 'v', 'open'), '200');
  await all('v', 'open');
  await all('w', 'unknown');
  await answers(put(system, 'v', 'closed'), '200');
  await answers(call('GET', `${system.comment}/videos/v`), '200');
  await all('v', 'closed');
  assert.deepEqual((await call('GET', `${system.comment}/videos/v`)).json, { videoid: 'v', state: 'closed' });
  await answers(put(system, 'v', 'open'), '200');
  await answers(put(system, 'other', 'open'), '200');
  await post(system, 'v', 'again');
  await answers(remove(system, 'v'), '200');
  await answers(remove(system, 'v'), '200');
  await until(async () => (await connect(`${system.readers[0]}/connect?userid=u&redirect=never&videoid=v`)) === '404 unknown_video', 'the reader knows');
  await all('v', 'unknown');
  await all('other', 'open');
});

scenario('a long comment is read in full after the store has been asked for its video', async (t) => {
  const system = await t.system({ flags: { videos: 'known' } });
  await answers(put(system, 'v', 'open'), '200');
  const comment = 'long '.repeat(390).trim(); // the first one, so that nothing is known yet
  await answers(call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment } }), '201');
  const { json } = await call('GET', `${system.comment}/videos/v/comments`);
  assert.equal(json.comments[0].comment, comment);
});

scenario('each post is counted once, by what became of it, also one that waits for the store', async (t) => {
  const system = await t.system({ flags: { videos: 'known' } });
  await answers(put(system, 'open', 'open'), '200');
  await answers(put(system, 'closed', 'closed'), '200');
  const send = (videoid) => call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid, comment: 'hi' } });
  for (let i = 0; i < 2; i++) {
    await answers(send('open'), '201');
    await answers(send('closed'), '403 video_closed');
    await answers(send(`none-${i}`), '404 unknown_video');
  }
  await answers(send('not an id'), '400 invalid_field');
  assert.deepEqual(await postResults(system), { accepted: 2, video_closed: 2, unknown_video: 2, invalid: 1 });
});

scenario('what was created outlives a restart', { disk: true, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { videos: 'known' }, stable: true });
  await answers(put(system, 'open', 'open'), '200');
  await answers(put(system, 'closed', 'closed'), '200');
  await system.restart('SIGKILL');
  await answers(call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'open', comment: 'hi' } }), '201');
  await answers(call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'closed', comment: 'hi' } }), '403 video_closed');
  await answers(call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'none', comment: 'hi' } }), '404 unknown_video');
});

scenario('only services and moderators create videos, and services need none', async (t) => {
  const key = makeKey('ES256', 'k'), path = join(t.folder(), 'keys.json');
  writeFileSync(path, keySet(key));
  const system = await t.system({ flags: { videos: 'known', 'jwt-keys': path, 'internal-token': secret } });
  const user = makeToken(key), moderator = makeToken(key, claims({}, { videos: ['mine-*'], can: ['moderate'] }));
  await answers(put(system, 'v', 'open'), '401 token_missing');
  await answers(put(system, 'v', 'open', user), '403 not_allowed');
  await answers(put(system, 'v', 'open', moderator), '403 not_allowed');
  await answers(remove(system, 'v', user), '403 not_allowed');
  await answers(put(system, 'mine-1', 'open', moderator), '200');
  await answers(put(system, 'v', 'open', secret), '200');
  for (const state of ['', 'Open', 'opened', 1, {}]) await answers(put(system, 'v', state, secret), '400 invalid_field');
  for (const state of [null, undefined]) await answers(put(system, 'v', state, secret), '400 missing_field');
  for (const video of ['v', 'mine-1']) await answers(call('POST', `${system.comment}/comment`, { json: { videoid: video, comment: 'hi' }, headers: bearer(user) }), '201');
  await answers(call('POST', `${system.comment}/comment`, { json: { videoid: 'w', comment: 'hi' }, headers: bearer(user) }), '404 unknown_video');
  await answers(call('POST', `${system.comment}/comment`, { json: { videoid: 'w', comment: 'hi' } }), '401 token_missing');
  await answers(call('POST', `${system.comment}/comment`, { json: { userid: 'bot', videoid: 'w', comment: 'hi' }, headers: bearer(secret) }), '201');
  await answers(call('GET', `${system.comment}/videos/w/comments`, { headers: bearer(user) }), '404 unknown_video');
});

scenario('without keys a service is one by address or token, and of pages in a browser only its own', async (t) => {
  const near = await t.system({ flags: { videos: 'known' } });
  const far = await t.system({ flags: { videos: 'known', 'internal-from': nowhere, 'internal-token': secret } });
  await answers(put(near, 'v', 'open'), '200');
  await answers(call('PUT', `${near.comment}/videos/v`, { json: { state: 'open' }, headers: { origin: 'https://elsewhere.example' } }), '403 forbidden');
  await answers(call('PUT', `${near.comment}/videos/v`, { json: { state: 'open' }, headers: { origin: near.comment } }), '200');
  await answers(put(far, 'v', 'open'), '403 forbidden');
  await answers(put(far, 'v', 'open', 'wrong'), '403 forbidden');
  await answers(put(far, 'v', 'open', secret), '200');
  await answers(remove(far, 'v'), '403 forbidden');
});

scenario('without --videos known all is as before, and what is created counts later', async (t) => {
  const system = await t.system({});
  await answers(put(system, 'v', 'closed'), '200');
  await post(system, 'v', 'any video is open');
  await post(system, 'w', 'and exists');
  assert.deepEqual((await call('GET', `${system.comment}/videos/w`)).json, { videoid: 'w', state: 'open' });
});

scenario('while the store is away, what is known counts, and no request waits until it is back', { setups: ['up-redis'] }, async (t) => {
  const system = await t.system({ flags: { videos: 'known' } });
  await answers(put(system, 'v', 'open'), '200');
  await post(system, 'v', 'before');
  await answers(put(system, 'v', 'open'), '200'); // it has to be read again
  await system.redis.kill9();
  const asked = call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'hi' } });
  await answers(within(asked, 10_000, 'an answer'), '503 store_unavailable');
  await answers(call('GET', `${system.comment}/resolve/invented`), '503 store_unavailable');
  await system.redis.start();
});

scenario('a flood of invented videos costs the store few queries, and an honest user nothing', { ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { videos: 'known' } });
  await answers(put(system, 'v', 'open'), '200');
  const calls = async () => Number(/cmdstat_hmget:calls=(\d+)/.exec(await system.redis.command('INFO', 'commandstats'))?.[1] ?? 0);
  const before = system.redis && (await calls()), began = performance.now();
  const many = 800;
  let invented = 0;
  const invent = async () => {
    const client = await RawClient.connect(system.comment);
    t.after(() => client.destroy());
    while (invented < many) {
      client.send(requestBytes('GET', `/resolve/invented-${invented++}`));
      assert.equal((await client.answer()).status, 404);
    }
  };
  const flood = Array.from({ length: 16 }, invent);
  while (invented < many) await post(system, 'v', 'in between');
  await Promise.all(flood);
  if (system.redis) {
    const queries = (await calls()) - before, took = performance.now() - began;
    assert.ok(queries <= Math.min(many, took / 2 + 20), `${queries} queries for ${many} videos in ${took} ms`);
    assert.equal(await system.redis.command('ZCARD', 'chorus:mapped'), 1);
  }
});
