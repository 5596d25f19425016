// nginx as the proxy in front of a reader: with its default, HTTP/1.0 towards the upstream, and with 1.1.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { owner, post, postMany } from '../lib/api.mjs';
import { Nginx, withoutNginx } from '../lib/nginx.mjs';
import { scenario } from '../lib/scenario.mjs';
import { scrambled } from '../lib/scrambled.mjs';
import { until } from '../lib/time.mjs';

const skip = withoutNginx || (scrambled && 'nginx cannot read a scrambled stream');
const BEAT = 400;

// The viewer's side is always HTTP/1.1, where it can tell a cut from an end.
const through = (t, nginx) => t.watch(nginx.url, { video: 'v', transport: 'http', query: { redirect: 'never' } });

for (const [version, settings] of Object.entries({ '1.0': '', '1.1': 'proxy_http_version 1.1;' })) {
  const start = async (t, flags = {}) => {
    const system = await t.system({ flags });
    const nginx = await new Nginx(t.folder(), await owner(system, 'v'), settings).start();
    t.after(() => nginx.kill());
    return { system, nginx };
  };

  scenario(`through nginx over HTTP/${version}: each comment comes before the next one is posted`, { skip }, async (t) => {
    const { system, nginx } = await start(t);
    const viewer = await through(t, nginx);
    for (let i = 0; i < 50; i++) await viewer.reaches((await post(system, 'v', `${i}`)).id);
    const burst = await postMany(system, 'v', 200, { text: (i) => `${i} ${'x'.repeat(i * 7)}` });
    await viewer.reaches(burst.at(-1).id);
    assert.equal(viewer.comments.length, 250);
  });

  scenario(`through nginx over HTTP/${version}: heartbeats pass`, { skip }, async (t) => {
    const { nginx } = await start(t, { 'heartbeat-ms': BEAT });
    const viewer = await through(t, nginx);
    await viewer.wait(() => viewer.heartbeats.length >= 3, 'three heartbeats');
    assert.equal(viewer.events.length, 1);
  });

  scenario(`through nginx over HTTP/${version}: a viewer resumes after the proxy was killed`, { skip }, async (t) => {
    const { system, nginx } = await start(t);
    const viewer = await through(t, nginx);
    const seen = await postMany(system, 'v', 5);
    await viewer.reaches(seen.at(-1).id);
    await nginx.kill();
    await until(() => viewer.ended, 'the cut');
    const missed = await postMany(system, 'v', 7);
    await nginx.start();
    const again = await viewer.again().connect(nginx.url);
    t.after(() => again.close());
    const live = await post(system, 'v', 'live');
    await again.reaches(live.id);
    assert.deepEqual(again.comments, [...seen, ...missed, live]);
    assert.equal(again.gaps.length, 0);
  });

  scenario(`through nginx over HTTP/${version}: a viewer that leaves is gone from the reader`, { skip }, async (t) => {
    const { system, nginx } = await start(t);
    const viewer = await through(t, nginx);
    const viewers = async () => (await (await fetch(`${await owner(system, 'v')}/health`)).json()).activeConnections;
    await until(async () => (await viewers()) === 1, 'the viewer to be counted');
    viewer.close();
    await until(async () => (await viewers()) === 0, 'the viewer to be gone');
  });
}

const seesReaderStop = async (t, settings) => {
  const system = await t.system();
  const nginx = await new Nginx(t.folder(), await owner(system, 'v'), settings).start();
  t.after(() => nginx.kill());
  const viewer = await through(t, nginx);
  await viewer.reaches((await post(system, 'v', 'before')).id);
  await system.stop('SIGTERM');
  await until(() => viewer.ended, 'the end');
  return viewer;
};

scenario('through nginx over HTTP/1.1: a viewer sees that a reader that stops has cut its stream', { skip }, async (t) => {
  const viewer = await seesReaderStop(t, 'proxy_http_version 1.1;');
  assert.equal(viewer.body.complete, false);
});

// Over HTTP/1.0 the end of the connection is the end of the response, so nginx adds the last chunk. An EventSource connects
// again after either.
scenario('through nginx over HTTP/1.0: a viewer sees an end where a reader that stops has cut its stream', { skip }, async (t) => {
  const viewer = await seesReaderStop(t, '');
  assert.equal(viewer.body.complete, true);
  assert.match(viewer.fault.message, /ended in order/);
  viewer.fault = undefined; // as expected here
});
