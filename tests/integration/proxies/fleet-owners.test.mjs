// A fleet behind one address, where each reader has a path, and serves the videos that it owns (deploy/*/fleet-owners.*).
// Set-ups: processes.
// Long: 15. It waits, for reloads and for what is idle.
import assert from 'node:assert/strict';
import { post } from '../lib/api.mjs';
import { proxyKinds, without } from '../lib/proxies.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { startFleet, startThrough } from './fleet.mjs';

for (const kind of proxyKinds) {
  scenario(`${kind}: all viewers of a video reach its owner, and when that dies, the next one`, { skip: without(kind), ms: 60_000 }, async (t) => {
    const fleet = await startFleet(t, kind, 'fleet-owners', (proxy, number) => ({ 'public-url': `${proxy.url}/r${number}`, 'trusted-proxies': '127.0.0.1' }));
    const { proxy, system, through } = fleet;
    const { publicUrl } = (await proxy.call('POST', '/register', { json: { videoid: 'v' } })).json;
    const paths = [1, 2, 3].map((number) => `${proxy.url}/r${number}`);
    assert.ok(paths.includes(publicUrl), publicUrl);

    // A reader that has just started may not know the others yet.
    const heads = (path) => proxy.call('HEAD', `${path.slice(proxy.url.length)}/connect?userid=u&videoid=v`);
    for (const path of paths) await until(async () => (await heads(path)).status === (path === publicUrl ? 200 : 307), `${path} to know the owner`);

    const viewers = [];
    for (const [i, path] of paths.entries()) viewers.push(await t.watch(path, { video: 'v', transport: i ? proxy.http2() : proxy.http1() }));
    for (const [i, { redirects, url }] of viewers.entries()) {
      assert.equal(redirects.length, paths[i] === publicUrl ? 0 : 1);
      assert.ok(url.href.startsWith(`${publicUrl}/connect?`), url.href);
    }
    for (let i = 0; i < 10; i++) {
      const { id } = await post(through, 'v', `${i}`);
      for (const viewer of viewers) await viewer.reaches(id);
    }
    assert.equal(new Set(viewers.map(({ connected }) => connected.json.instance)).size, 1);
    viewers.forEach((viewer) => viewer.close());

    // They come back to the path that they were at.
    const load = await startThrough(t, fleet, { readers: [publicUrl], videos: ['v'], posters: 1, viewers: 6 });
    await system.program.end1(`reader-${publicUrl.at(-1)}`, 'SIGKILL');
    await load.until(() => load.cuts >= 6, 'streams to be cut');
    await load.more(20);
    await load.prove();
    assert.deepEqual(load.fatal, []);
    await until(async () => (await proxy.call('POST', '/register', { json: { videoid: 'v' } })).json.publicUrl !== publicUrl, 'another owner');
  });
}
