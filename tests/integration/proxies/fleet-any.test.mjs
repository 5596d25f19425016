// A fleet behind one address, where any reader serves any video (deploy/*/fleet.*).
// Set-ups: processes.
// Long: 15. It waits, for reloads and for what is idle.
import assert from 'node:assert/strict';
import { post } from '../lib/api.mjs';
import { proxyKinds, without } from '../lib/proxies.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { connectOnce, startFleet, startThrough } from './fleet.mjs';

for (const kind of proxyKinds) {
  scenario(`${kind}: viewers of one video are spread over the readers, and lose nothing when one dies; when all do, they are not refused`, { skip: without(kind), ms: 60_000 }, async (t) => {
    const fleet = await startFleet(t, kind, 'fleet', (proxy) => ({ 'public-url': proxy.url, 'trusted-proxies': '127.0.0.1' }));
    const { proxy, system, through } = fleet;
    const { publicUrl } = (await proxy.call('POST', '/register', { json: { videoid: 'v' } })).json;
    assert.equal(publicUrl, proxy.url);

    const viewers = [];
    for (const transport of [proxy.http1(), proxy.http2(), proxy.http1(), proxy.http2()]) viewers.push(await t.watch(publicUrl, { video: 'v', transport }));
    for (let i = 0; i < 10; i++) {
      const { id } = await post(through, 'v', `${i}`);
      for (const viewer of viewers) await viewer.reaches(id);
    }
    assert.deepEqual(viewers.flatMap(({ redirects }) => redirects), []);
    assert.ok(new Set(viewers.map(({ connected }) => connected.json.instance)).size > 1, 'more than one reader');
    viewers.forEach((viewer) => viewer.close());

    const load = await startThrough(t, fleet, { videos: ['one', 'two'], posters: 1, viewers: 6 });
    await system.program.end1('reader-1', 'SIGKILL');
    await load.until(() => load.cuts > 0, 'streams to be cut');
    await load.more(20);
    await load.prove();
    assert.deepEqual(load.fatal, []);
    await load.end();

    // Without a reader, streams are closed rather than refused, and comments are accepted.
    await Promise.all([2, 3].map((number) => system.program.end1(`reader-${number}`, 'SIGKILL')));
    for (const transport of [proxy.http1(), proxy.http2()]) assert.equal(await connectOnce(proxy, proxy.url, transport), 'closed');
    await post(through, 'v', 'without a reader');
    await system.program.again('reader-2');
    await until(async () => (await connectOnce(proxy, proxy.url, proxy.http1())) === 200, 'the reader to be found');
  });
}
