// What every proxy of deploy/ has to do in front of `chorus up`.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { post, statistics } from '../lib/api.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { prepareProxy, without } from '../lib/proxies.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { startThrough } from './fleet.mjs';

export async function startBehind(t, kind, { settings = [], flags } = {}) {
  const proxy = await prepareProxy(t, kind, 'up', { settings });
  const system = await t.system({ flags: { 'public-url': proxy.url, 'trusted-proxies': '127.0.0.1', ...flags } });
  await proxy.start({ '127.0.0.1:3000': system.comment });
  return { proxy, system, through: { comment: proxy.url, dispatcher: proxy.dispatcher } };
}

const transportsOf = (proxy) => ({ 'HTTP/1.1': proxy.http1(), 'HTTP/2': proxy.http2() });
const watchAll = async (t, proxy, options) => {
  const viewers = [];
  for (const transport of Object.values(transportsOf(proxy))) viewers.push(await t.watch(proxy.url, { video: 'v', transport, ...options }));
  return viewers;
};

// Heartbeats for longer than the proxy's limit: seconds, and those limits.
export async function staysAlive(t, kind, { limit, heartbeatMs, beats }) {
  const settings = limit ? [['60s', limit]] : [];
  const { proxy, through } = await startBehind(t, kind, { settings, flags: heartbeatMs ? { 'heartbeat-ms': heartbeatMs } : {} });
  const viewers = await watchAll(t, proxy);
  for (const viewer of viewers) await viewer.wait(() => viewer.heartbeats.length >= beats || viewer.ended, `${beats} heartbeats`, 120_000);
  const { id } = await post(through, 'v', 'after the silence');
  for (const viewer of viewers) await viewer.reaches(id);
}

export async function servesCrowd(t, kind, count) {
  const { proxy, system, through } = await startBehind(t, kind);
  const idle = proxy.memory();
  const crowd = startCrowd(t, system, { at: proxy.url, connect: () => proxy.connect() });
  await crowd.enter(count, ['v']);
  for (let i = 0; i < 5; i++) await crowd.reach(await post(through, 'v', `${i}`), undefined, 60_000);
  for (const member of crowd.members) assert.equal(member.seen, 5);
  return { bytes: (proxy.memory() - idle) / count };
}

export function describeProxy(kind) {
  const skip = without(kind);

  scenario(`${kind}: each comment comes before the next one is posted, over HTTP/1.1 and HTTP/2`, { skip }, async (t) => {
    const { proxy, system, through } = await startBehind(t, kind);
    const { publicUrl } = (await proxy.call('POST', '/register', { json: { videoid: 'v' } })).json;
    assert.equal(publicUrl, proxy.url);
    const viewers = await watchAll(t, proxy);
    for (let i = 0; i < 30; i++) {
      const { id } = await post(through, 'v', `${i}`);
      for (const viewer of viewers) await viewer.reaches(id);
    }
    assert.deepEqual(viewers.flatMap(({ redirects }) => redirects), []);
    for (const viewer of viewers) viewer.close();
    await until(async () => (await statistics(system)).readerApis.totalActiveConnections === 0, 'those that left to be gone');
  });

  scenario(`${kind}: the client's address is kept, and its own claims are not`, { skip }, async (t) => {
    const { proxy, system } = await startBehind(t, kind);
    const viewer = await t.watch(proxy.url, { video: 'v', user: 'ann', transport: proxy.http1('127.0.0.7'), headers: { 'x-forwarded-for': '127.0.0.1, 6.6.6.6' } });
    await system.program.says(/connected video=v user=ann .*client=127\.0\.0\.7\b/);
    viewer.close();
  });

  scenario(`${kind}: pages come compressed, plain HTTP is sent to HTTPS, and what is for operators is closed`, { skip }, async (t) => {
    const { proxy, system } = await startBehind(t, kind);
    const page = await proxy.call('GET', '/', { headers: { accept: 'text/html', 'accept-encoding': 'gzip' } });
    assert.equal(page.status, 200);
    assert.equal(page.headers['content-encoding'], 'gzip');
    const plain = await fetch(`http://127.0.0.1:${proxy.plainPort}/x`, { redirect: 'manual', headers: { host: 'live.example.org' } }).catch((error) => error);
    assert.ok([301, 302, 308].includes(plain.status), plain.status);
    for (const path of ['/metrics', '/dashboard', '/events', '/statistics', '/statistics/', '//statistics', '//statistics//']) {
      const { status } = await proxy.call('GET', path);
      assert.ok(status === 403 || status === 404, `${path}: ${status}`);
    }
    const report = await proxy.call('POST', '/reader-api-statistics', { json: { instanceId: 'x' } });
    assert.equal(report.status, 403);
    assert.equal((await fetch(`${system.comment}/metrics`)).status, 200); // from inside
  });

  scenario(`${kind}: its logs have no token of an address`, { skip }, async (t) => {
    const { proxy } = await startBehind(t, kind);
    const file = join(proxy.folder, 'access.log');
    const log = () => proxy.program.stderr + (existsSync(file) ? readFileSync(file, 'utf8') : '');
    assert.equal((await proxy.call('GET', '/videos?token=hidden')).status, 200);
    if (kind !== 'caddy') await until(() => log().includes('/videos'), () => `the request to be logged:\n${log()}`);
    assert.doesNotMatch(log(), /hidden/);
  });

  scenario(`${kind}: a server that is away closes streams rather than refusing them, and viewers come back`, { skip, disk: true }, async (t) => {
    const proxy = await prepareProxy(t, kind, 'up');
    const system = await t.system({ stable: true, flags: { 'public-url': proxy.url } });
    await proxy.start({ '127.0.0.1:3000': system.comment });
    const load = await startThrough(t, { proxy, system }, { videos: ['v'], posters: 1, viewers: 4, gateways: true });
    const { dispatcher } = proxy;
    await system.stop('SIGKILL');
    const closed = await proxy.http1()(new URL(`${proxy.url}/connect?userid=u&videoid=v`), { method: 'GET', headers: {} }).catch(() => 'closed');
    assert.equal(closed, 'closed');
    assert.ok([502, 503].includes((await proxy.call('GET', '/', { dispatcher })).status)); // other requests are refused
    await system.restart('SIGKILL');
    await load.more(20);
    assert.deepEqual(load.fatal, []);
    await load.end();
  });

  scenario(`${kind}: with heartbeats a stream outlives the proxy's limits`, { skip }, (t) => staysAlive(t, kind, { limit: '2s', heartbeatMs: 500, beats: 6 }));

  scenario(`${kind}: a hundred viewers`, { skip, ms: 60_000 }, (t) => servesCrowd(t, kind, 100));

  scenario(`${kind}: a reload cuts no stream and loses no comment`, { skip, ms: 60_000 }, async (t) => {
    const { proxy, system } = await startBehind(t, kind);
    const load = await startThrough(t, { proxy, system }, { videos: ['v'], posters: 2, viewers: 6 });
    await proxy.again();
    await load.more(20);
    assert.equal(load.cuts, 0);
    await load.prove();
    assert.deepEqual(load.fatal, []);
  });

  // Caddy has no old process: its old streams go on until they end.
  const oldEnds = skip || (kind === 'caddy' && 'one process');
  scenario(`${kind}: when the old process ends, its viewers come back and have lost nothing`, { skip: oldEnds, ms: 60_000 }, async (t) => {
    const { proxy, system } = await startBehind(t, kind, { settings: [['worker_shutdown_timeout 1h', 'worker_shutdown_timeout 1s'], ['hard-stop-after 1h', 'hard-stop-after 1s']] });
    const load = await startThrough(t, { proxy, system }, { videos: ['v'], posters: 2, viewers: 6 });
    await proxy.again();
    await load.until(() => load.cuts >= 6, 'the old streams to end');
    await load.more(20);
    await load.prove();
    assert.deepEqual(load.fatal, []);
  });
}
