// CI also: up-redis, processes, asan, tsan. Each engine has its own way to stop.
import assert from 'node:assert/strict';
import { post, postMany } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { RawClient } from '../lib/raw.mjs';
import { scaled } from '../lib/time.mjs';

for (const signal of ['SIGINT', 'SIGTERM']) {
  scenario(`${signal} ends it within a second, exit 0, streams and posts under way`, async (t) => {
    const system = await t.system();
    const { id } = await post(system, 'v', 'first');
    const viewer = await t.watch(system.readers[0], { video: 'v' });
    const idle = await RawClient.connect(system.comment);
    const half = await RawClient.connect(system.manager);
    await half.send('POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    assert.equal(viewer.position, id);

    let acknowledged = 0;
    const load = postMany(system, 'v', 1_000_000, { atOnce: 8, text: () => `${acknowledged++}` }).catch(() => {});
    await viewer.sees(20);
    const started = performance.now();
    const { code, signal: killed } = await system.stop(signal);
    const took = performance.now() - started;
    assert.deepEqual({ code, killed }, { code: 0, killed: null });
    assert.ok(took < scaled(1_000), `it took ${took} ms`);
    await load;
    await viewer.wait(() => viewer.ended, 'the end of the stream');
    await idle.ends();
    await half.ends();
  });
}
