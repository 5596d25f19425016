// The start and the end of a video.
// CI also: up-redis, processes, tsan.
// Also on: sentinel, cluster. Its parts are in different slots.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { call, moderate, owner, post, postMany } from '../lib/api.mjs';
import { startClients } from '../lib/clients.mjs';
import { EventSourceViewer } from '../lib/eventsource.mjs';
import { accepted, commentApis, decide, held, patchRoom, refused, tryPost, waits } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { Viewer } from '../lib/viewer.mjs';

const start = (system, video = 'v') => moderate(system, video, 'POST', 'start');
const end = (system, video = 'v') => moderate(system, video, 'POST', 'end');
const listed = async (system, video) => (await call('GET', `${system.comment}/videos/${video}/comments?limit=200`)).json.comments;
const kinds = (viewer) => viewer.entries.map(({ type }) => type);
const isOver = (viewer) => viewer.wait(() => viewer.ended, 'the stream to end');
const answers = async (reader, options) => (await new Viewer({ video: 'v', ...options }).connect(reader)).status;

// Connects until the reader knows of the end, which it may hear of later.
const tellsOver = (reader, options) => until(async () => {
  const viewer = await new Viewer({ video: 'v', mayEnd: true, ...options }).connect(reader);
  viewer.body.destroy();
  return viewer.status === 204;
}, 'the reader to answer 204');

scenario('the end: viewers get it and the end of the stream, later ones 204, posts 403; the log stays', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const source = new EventSourceViewer(reader, { video: 'v' });
  t.after(() => source.close());
  await source.opened();
  await start(system);
  const first = await post(system, 'v', 'first');
  const away = await t.watch(reader, { video: 'v', from: first.id });
  away.close();
  const last = await post(system, 'v', 'last', { headers: { 'idempotency-key': 'last' } });
  await end(system);
  await end(system);
  await isOver(viewer);
  assert.deepEqual([kinds(viewer), viewer.comments], [['start', 'end'], [first, last]]);
  assert.deepEqual(Object.keys(viewer.entries[1]), ['type', 'id', 'timestamp']);

  const later = [{}, { method: 'POST' }, { query: { history: 10 } }, { from: viewer.position }, { query: { redirect: 'never' } }];
  assert.deepEqual(await Promise.all(later.map((options) => answers(reader, options))), later.map(() => 204));
  assert.equal((await call('HEAD', `${reader}/connect?userid=u&videoid=v`)).status, 204);
  await tellsOver(system.others(reader)[0], { query: { redirect: 'never' } });
  const resumed = await away.again().connect(reader);
  await isOver(resumed);
  assert.deepEqual([resumed.comments, kinds(resumed)], [[last], ['end']]);

  for (const url of commentApis(system)) await refused(tryPost(url, 'v', 'ann'), 403, 'video_ended');
  assert.deepEqual(await post(system, 'v', 'last', { headers: { 'idempotency-key': 'last' } }), last, 'a repeat');
  assert.deepEqual(await listed(system, 'v'), [first, last]);

  await until(() => source.source.readyState === 2, 'an EventSource to give up'); // which waits as long as the server says
  assert.deepEqual([source.comments, source.requests.at(-1).from], [[first, last], viewer.position]);
  await moderate(system, 'v', 'DELETE', `comments/${last.id}`);
  const again = await until(async () => {
    const back = await new Viewer({ video: 'v', from: viewer.position, mayEnd: true }).connect(reader);
    return back.status === 200 && back;
  }, 'what moderators did afterwards');
  await isOver(again);
  assert.deepEqual(kinds(again), ['retract']);
});

scenario('a start opens a video again; who comes back gets the end and the start', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const before = viewer.position;
  await end(system);
  await isOver(viewer);
  await start(system);
  for (const url of commentApis(system)) await accepted(tryPost(url, 'v', 'ann'));
  const last = await post(system, 'v', 'last');
  const back = await t.watch(reader, { video: 'v', from: before });
  await back.reaches(last.id);
  assert.deepEqual(kinds(back), ['end', 'start']);
  const next = await post(system, 'v', 'next');
  await back.reaches(next.id);
  await end(system);
  await isOver(back);
});

scenario('comments that wait are denied after the end; no patch undoes it', async (t) => {
  const system = await t.system();
  await patchRoom(system, 'v', { hold: true });
  await waits(tryPost(system.comment, 'v', 'ann'), 'moderator');
  await end(system);
  const [waiting] = await held(system, 'v');
  await refused(decide(system, 'v', waiting.id, true), 403, 'video_ended');
  assert.deepEqual(await held(system, 'v'), []);
  assert.equal((await patchRoom(system, 'v', { hold: false, over: false })).over, true);
  await refused(tryPost(system.comment, 'v', 'ann'), 403, 'video_ended');
});

scenario('an end against posts on other APIs, against viewers that just came and those that resume', async (t) => {
  const system = await t.system({ comments: 3 });
  const apis = commentApis(system);
  const reader = await owner(system, 'v');
  const origin = (await t.watch(reader, { video: 'v' })).position;
  for (let round = 0; round < system.readers.length; round++) {
    const at = system.readers[round % system.readers.length];
    const options = { video: 'v', mayEnd: true, query: { redirect: 'never' } };
    const live = await t.watch(at, options);
    const from = live.position;
    const posts = apis.flatMap((url) => Array.from({ length: 8 }, (_, i) => tryPost(url, 'v', `user${i}`)));
    const comers = [{}, { from }, { query: { redirect: 'never', history: 5 } }].map((more) => new Viewer({ ...options, ...more }).connect(at));
    const ending = end(system);
    posts.push(...apis.map((url) => tryPost(url, 'v', 'late')));
    const came = await Promise.all(comers);
    await ending;
    for (const url of apis) await refused(tryPost(url, 'v', 'ann'), 403, 'video_ended');
    const all = await Promise.all(posts);
    assert.ok(all.every(({ status, json }) => status === 201 || json.code === 'video_ended'));
    const taken = all.filter(({ status }) => status === 201).map(({ json }) => json.comment.id).sort();
    await isOver(live);
    assert.deepEqual(live.comments.map(({ id }) => id).sort(), taken, 'all that was accepted, before the end');
    assert.equal(live.entries.at(-1).type, 'end');
    for (const viewer of came.filter(({ status }) => status === 200)) {
      await isOver(viewer);
      assert.deepEqual([viewer.position, viewer.gaps, viewer.fault], [live.position, [], undefined]);
    }
    assert.ok(came.every(({ status }) => status === 200 || status === 204));
    assert.notEqual(came[1].status, 204, 'one that has missed something');
    await start(system);
  }
  const whole = await t.watch(reader, { video: 'v', from: origin });
  const last = (await postMany(system, 'v', 1))[0];
  await whole.reaches(last.id);
  assert.equal(kinds(whole).length, 2 * system.readers.length);
});

scenario('an end holds after restarts', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const before = viewer.position;
  await post(system, 'v', 'one');
  await end(system);
  await isOver(viewer);
  await system.restart('SIGKILL');
  await until(async () => (await answers(reader)) === 204, 'the reader to be back');
  await refused(tryPost(system.comment, 'v', 'ann'), 403, 'video_ended');
  const back = await new Viewer({ video: 'v', from: before }).connect(reader);
  await isOver(back);
  assert.deepEqual([back.comments.length, kinds(back)], [1, ['end']]);
});

scenario('simulated viewers of a video that has ended do not come back', { setups: ['embedded'] }, async (t) => {
  let asked = 0, reports = 0;
  const server = http.createServer(({ url }, response) => {
    if (url === '/register') return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ readerUrl: address }));
    asked += url === '/connect';
    reports += url === '/client-statistics' && asked === 3;
    response.writeHead(url === '/connect' ? 204 : 200).end();
  }).listen(0, '127.0.0.1');
  t.after(() => server.closeAllConnections() ?? server.close());
  await once(server, 'listening');
  const address = `http://127.0.0.1:${server.address().port}`;
  const clients = startClients(t, { manager: address, comment: address, statistics: address }, { viewers: 3, videos: 1, rate: 0, 'statistics-interval-ms': 100 });
  await clients.until(() => reports > 1, 'three attempts, and a report after them');
  assert.equal((await clients.stop()).figures.refused, 0);
});
