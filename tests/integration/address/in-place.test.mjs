// Set-ups: embedded, up-redis. Those that are one process.
// CI also: up-redis. There the mapping comes from the store.
import assert from 'node:assert/strict';
import { call, health, owner, post, postMany } from '../lib/api.mjs';
import { checkCors, checkError } from '../lib/checks.mjs';
import { EventSourceViewer } from '../lib/eventsource.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded', 'up-redis'];
const nameOf = (system, reader) => `reader-${system.readers.indexOf(reader) + 1}`;

for (const flags of [{}, { 'single-port': true }]) {
  const where = flags['single-port'] ? 'the single port' : 'the comment port of up';

  scenario(`${where} serves each stream in place, by the reader that owns the video`, { setups }, async (t) => {
    const system = await t.system({ flags });
    const videos = ['a', 'b', 'c'];
    const owners = new Map();
    for (const video of videos) owners.set(video, await owner(system, video));
    assert.equal(new Set(owners.values()).size, 3, 'a reader each');
    const viewers = [];
    for (const video of videos) {
      for (const method of ['GET', 'POST']) {
        const viewer = await t.watch(system.comment, { video, method });
        assert.equal(viewer.redirects.length, 0);
        assert.equal(viewer.connected.json.instance, nameOf(system, owners.get(video)));
        viewers.push(viewer);
      }
      const head = await call('HEAD', `${system.comment}/connect?userid=u&videoid=${video}`);
      assert.deepEqual([head.status, head.headers['content-type']], [200, 'text/event-stream']);
    }
    for (const reader of system.readers) assert.equal((await health(reader)).activeConnections, 2, 'each reader counts its own');
    for (const [i, viewer] of viewers.entries()) await viewer.reaches((await post(system, videos[Math.floor(i / 2)], `hello ${i}`)).id);
    for (const reader of system.readers) assert.equal((await health(reader)).messagesSent, 4);
  });

  scenario(`${where} resumes, shows history and counts viewers as a reader does`, { setups }, async (t) => {
    const system = await t.system({ flags });
    const stored = await postMany(system, 'v', 20);
    const recent = await t.watch(system.comment, { video: 'v', query: { history: '5', events: 'viewers' } });
    await recent.sees(5);
    assert.deepEqual(recent.comments.map(({ id }) => id), stored.slice(-5).map(({ id }) => id));
    await recent.isOneOf(1);
    for (const via of ['header', 'query']) {
      const viewer = await t.watch(system.comment, { video: 'v', from: stored[9].id, via });
      await viewer.sees(10);
      assert.equal(viewer.gaps.length, 0);
    }
    await recent.isOneOf(3);
    const source = new EventSourceViewer(system.comment, { video: 'v' });
    t.after(() => source.close());
    await source.opened();
    await post(system, 'v', 'live');
    await source.sees(1);
  });

  scenario(`${where} answers OPTIONS and bad connect requests as a reader does`, { setups }, async (t) => {
    const system = await t.system({ flags });
    const allowed = await call('OPTIONS', `${system.comment}/connect`, { headers: { origin: 'http://page', 'access-control-request-method': 'POST' } });
    assert.equal(allowed.status, 204);
    checkCors(allowed);
    assert.match(allowed.headers.allow ?? allowed.headers['access-control-allow-methods'], /GET.*POST/);
    checkError(await call('GET', `${system.comment}/connect?videoid=v`), 400);
    checkError(await call('POST', `${system.comment}/connect`, { json: { userid: 'u', videoid: '..' } }), 400);
    checkError(await call('POST', `${system.comment}/connect`, { body: '{}', headers: { 'content-type': 'text/plain' } }), 415);
  });
}

scenario('a reader is also there under its own name at the single port', { setups }, async (t) => {
  const system = await t.system({ flags: { 'single-port': true } });
  assert.deepEqual(system.readers, [1, 2, 3].map((i) => `${system.comment}/reader-${i}`));
  const reader = await owner(system, 'v');
  for (const url of system.readers) {
    assert.equal((await health(url)).instanceId, nameOf(system, url));
    const viewer = await t.watch(url, { video: 'v' });
    assert.equal(viewer.redirects.length, 0);
    assert.equal(viewer.connected.json.instance, nameOf(system, reader));
  }
  assert.equal((await health(reader)).activeConnections, 3);
  checkError(await call('GET', `${system.comment}/reader-4/health`), 404);
});
