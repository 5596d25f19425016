// CI also: up-redis, processes, asan, tsan. Each engine has its own way to stop.
import assert from 'node:assert/strict';
import { post, postMany } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { RawClient } from '../lib/raw.mjs';

for (const signal of ['SIGINT', 'SIGTERM']) {
  scenario(`${signal} stops it with exit code 0, during streams, posts and requests that never complete`, async (t) => {
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
    const { code, signal: killed } = await system.stop(signal); // which gives up before a request times out
    assert.deepEqual({ code, killed }, { code: 0, killed: null });
    await load;
    await viewer.wait(() => viewer.ended, 'the end of the stream');
    await idle.ends();
    await half.ends();
  });
}
