// CI also: processes. A statistics service by itself has a fan-out of its own.
// Long: 14.
import assert from 'node:assert/strict';
import { call, owner, post } from '../lib/api.mjs';
import { watchDashboard } from '../lib/dashboard.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause, until } from '../lib/time.mjs';

const snapshot = async (system) => (await call('GET', `${system.statistics}/dashboard`)).json;

scenario('the dashboard shows what viewers and posters do', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const dashboard = await watchDashboard(t, system);
  assert.equal(dashboard.status, 200);
  assert.match(dashboard.headers['content-type'], /^text\/event-stream/);
  const hello = await dashboard.until('hello', () => true, 'the first event');
  assert.equal(hello.service, 'chorus');
  assert.equal(hello.demo, false);
  const history = await dashboard.until('history', () => true, 'the history');
  assert.equal(history.fields[0], 'at');

  const reader = await owner(system, 'v');
  const viewers = [];
  for (let i = 0; i < 5; i++) viewers.push(await t.watch(reader, { video: 'v' }));
  // Three comments a second to five viewers, until the rates are those of a whole interval.
  let posting = true;
  const posted = (async () => {
    for (let i = 0; posting; i++) {
      await post(system, 'v', `comment ${i}`);
      await pause(333);
    }
  })();
  try {
    const sample = await dashboard.until('sample', (s) => s.viewers === 5 && s.commentsPerSecond > 1 && s.commentsPerSecond < 4 &&
      s.deliveriesPerSecond > 5 && s.deliveriesPerSecond < 20, 'figures of this traffic', 40_000);
    assert.equal(sample.videos, 1);
    assert.equal(sample.readersLive, 3);
    assert.equal(sample.readersLost, 0);
    assert.equal(sample.imbalance, 3, 'one of three readers has all viewers');
    assert.equal(sample.storeAvailable, true);
    assert.equal(sample.droppedViewers, 0);
    assert.ok(sample.p50Ms >= 0 && sample.p50Ms <= sample.p99Ms && sample.p99Ms < 30_000, `${sample.p50Ms} ${sample.p99Ms}`);
    const row = sample.readers.find(({ url }) => url === reader);
    assert.deepEqual([row.state, row.viewers, row.share, row.videos, row.storeAvailable], ['live', 5, 1, 1, true]);
    assert.ok(row.memoryUsed > 0 && row.memoryMax > row.memoryUsed && row.generation > 0);
    assert.deepEqual(sample.readers.map(({ instanceId }) => instanceId), ['reader-1', 'reader-2', 'reader-3']);
  } finally {
    posting = false;
    await posted;
  }

  // A reconnect is counted, and the snapshot is the same sample.
  await viewers[0].close();
  const again = await viewers[0].again().connect(reader);
  t.after(() => again.close());
  await dashboard.until('sample', (s) => s.resumedViewers === 1, 'the reconnect', 20_000);
  const shown = await until(async () => {
    const all = await snapshot(system);
    return all.viewers === 5 && all;
  }, 'five viewers again');
  const { notices, service, version, instanceId, demo, ...rest } = shown;
  assert.deepEqual(Object.keys(rest), Object.keys(dashboard.sample));
  assert.ok(Array.isArray(notices) && service === 'chorus' && version && instanceId && demo === false);
  assert.deepEqual((await call('HEAD', `${system.statistics}/events`)).status, 200);
});

scenario('each dashboard that connects gets the notices so far, also between two samples', { ms: 40_000 }, async (t) => {
  const system = await t.system();
  let newest = await watchDashboard(t, system);
  for (const video of ['first', 'second', 'third']) {
    await newest.until('history', () => true, 'the history');
    await owner(system, video);
    await newest.until('notice', (n) => n.kind === 'assigned' && n.video === video, `the assignment of ${video}`);
    newest = await watchDashboard(t, system);
    const { notices } = await newest.until('history', () => true, 'the history with it');
    assert.ok(notices.some((notice) => notice.video === video), `${video} in ${JSON.stringify(notices)}`);
  }
});

scenario('a dashboard that comes back gets the samples that it missed', { ms: 40_000 }, async (t) => {
  const system = await t.system();
  const first = await watchDashboard(t, system);
  const seen = await first.until('sample', () => true, 'a sample');
  await first.close();
  await until(async () => (await snapshot(system)).at > seen.at, 'a sample that it misses');
  const second = await watchDashboard(t, system, { 'last-event-id': first.events.at(-1).id ?? '' });
  const history = await second.until('history', () => true, 'the history');
  const times = history.rows.map(([at]) => at);
  assert.ok(times.includes(seen.at) && times.at(-1) > seen.at, JSON.stringify(times));
  assert.deepEqual(times, [...times].sort((a, b) => a - b));
  const sample = await second.until('sample', () => true, 'the newest sample, at once');
  assert.ok(sample.at >= times.at(-1));
  const [hello] = second.events;
  assert.equal(hello.type, 'hello');
  assert.match(hello.id, /^\d+-\d+$/);
});
