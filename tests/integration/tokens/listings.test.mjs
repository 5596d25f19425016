// What lists or names all videos shows each user those that its token allows, and strangers only totals.
// CI also: processes. There the comment API asks the statistics service and the manager, with the token between services.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../lib/api.mjs';
import { Clients } from '../lib/clients.mjs';
import { claims, keySet, makeKey, makeToken } from '../lib/jwt.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const secret = 'between-services';
const get = (url, token) => call('GET', url, { headers: token ? { authorization: `Bearer ${token}` } : {} });

scenario('strangers see totals, users what their tokens allow, services everything', async (t) => {
  const key = makeKey('ES256', 'k'), path = join(t.folder(), 'keys.json');
  writeFileSync(path, keySet(key));
  const system = await t.system({ flags: { 'jwt-keys': path, 'internal-token': secret, 'internal-from': '10.255.255.255', 'statistics-interval-ms': 100 } });
  const clients = new Clients(system, { viewers: 4, videos: 2, rate: 20, 'internal-token': secret, 'statistics-interval-ms': 200 });
  t.after(() => clients.release());
  const own = makeToken(key, claims({}, { videos: ['video1'] })), all = makeToken(key);
  const expired = makeToken(key, claims({ exp: 1 })), poster = makeToken(key, claims({}, { can: ['post'] }));
  for (const base of [system.comment, system.statistics]) {
    const videos = async (token, query = '') => {
      const { status, json, text } = await get(`${base}/videos${query}`, token);
      assert.equal(status, 200, text);
      assert.equal(typeof json.total, 'number');
      return json.videos.map(({ videoid }) => videoid).sort().join();
    };
    await until(async () => (await videos(secret)) === 'video1,video2', 'both videos at the service');
    assert.equal(await videos(all), 'video1,video2');
    assert.equal((await videos(all, '?limit=1')).length, 'video1'.length);
    assert.equal(await videos(own, '?limit=1'), 'video1');
    for (const token of [undefined, expired, poster, 'garbage']) assert.equal(await videos(token), '', token);

    const statistics = async (token) => (await get(`${base}/statistics`, token)).json;
    await until(async () => (await statistics(secret)).storedComments?.comments?.length > 0, 'comments in the document');
    assert.ok((await statistics(all)).readerApis.readers.length > 0);
    for (const token of [undefined, expired, own, poster]) {
      const { timestamp, ...parts } = await statistics(token);
      assert.match(timestamp, /^20/);
      assert.deepEqual(Object.keys(parts).sort(), ['clients', 'commentApi', 'readerApiManager', 'readerApis', 'storedComments']);
      assert.ok(parts.storedComments.total > 0 && parts.readerApis.totalActiveConnections > 0);
      for (const value of Object.values(parts).flatMap(Object.values)) assert.equal(typeof value, 'number', JSON.stringify(parts));
    }
  }
  for (const base of [system.comment, system.manager]) {
    const resolve = async (token) => {
      const { status, json } = await get(`${base}/resolve/video1`, token);
      return `${status} ${json.code ?? json.videoid}`;
    };
    assert.equal(await resolve(), '401 token_missing');
    assert.equal(await resolve(poster), '403 not_allowed');
    assert.equal(await resolve(expired), '401 token_expired');
    for (const token of [own, all, secret]) assert.equal(await resolve(token), '200 video1');
  }
});
