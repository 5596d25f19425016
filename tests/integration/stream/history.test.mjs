// CI also: up-redis, asan. The newest comments are read by the engine, and join the live stream.
import assert from 'node:assert/strict';
import { health, owner, post, postMany } from '../lib/api.mjs';
import { EventSourceViewer } from '../lib/eventsource.mjs';
import { parseId } from '../lib/journal.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

// Connects and reads up to the comment `newest`.
async function arrive(t, reader, newest, options) {
  const viewer = await t.watch(reader, { video: 'v', ...options });
  if (newest) await viewer.reaches(newest.id);
  return viewer;
}
const ask = (history) => ({ fields: { history } });

scenario('history=N: the newest N comments first, then live ones', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 100);
  for (const options of [ask(50), { ...ask(50), method: 'POST' }, { ...ask('50'), method: 'POST' }, { query: { history: 50 }, method: 'POST' }]) {
    const viewer = await arrive(t, reader, stored.at(-1), options);
    assert.deepEqual(viewer.comments, stored.slice(-50));
    assert.equal(viewer.connected.id, stored.at(-51).id, 'the position in front of the first one');
    stored.push(await post(system, 'v', 'live'));
    await viewer.reaches(stored.at(-1).id);
    assert.equal(viewer.comments.length, 51);
    assert.equal(viewer.gaps.length, 0);
  }
});

scenario('the number is from 0 to 1000; more is reduced, anything else ignored, and never refused', async (t) => {
  const system = await t.system({ flags: { 'log-entries': 5_000 } });
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 1_100, { atOnce: 32 });
  const last = stored.at(-1);
  const shown = [['1000', 1_000], ['1001', 1_000], ['99999999999999999999', 1_000], ['1', 1], ['007', 7], ['0', 0]];
  const ignored = ['', '-1', '+5', '1.5', '5x', ' 5', 'all', '\u0665'].map((text) => [text, 0]);
  for (const [history, count] of [...shown, ...ignored]) {
    const viewer = await arrive(t, reader, count && last, ask(history));
    assert.equal(viewer.status, 200);
    assert.equal(viewer.connected.id, stored.at(-1 - count).id, `history=${history}`);
    assert.deepEqual(viewer.comments, stored.slice(stored.length - count));
  }
  for (const [history, count] of [[7, 7], [5e3, 1_000], [-1, 0], [1.5, 0], [true, 0], [[5], 0], [{}, 0], [null, 0]]) {
    const viewer = await t.watch(reader, { video: 'v', method: 'POST', ...ask(history) });
    assert.equal(viewer.connected.id, stored.at(-1 - count).id, `history: ${JSON.stringify(history)}`);
  }
});

scenario('a video with fewer comments shows all, one without any starts live', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const early = await arrive(t, reader, undefined, ask(50));
  assert.equal(parseId(early.connected.id).seq, 0);
  const stored = await postMany(system, 'v', 3);
  const viewer = await arrive(t, reader, stored.at(-1), ask(50));
  assert.equal(viewer.connected.id, early.connected.id);
  await early.reaches(stored.at(-1).id);
  for (const each of [early, viewer]) assert.deepEqual(each.comments, stored);
});

scenario('a redirect keeps it', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 10);
  for (const method of ['GET', 'POST']) {
    const viewer = await arrive(t, system.others(reader)[0], stored.at(-1), { ...ask(3), method });
    assert.equal(viewer.redirects.length, 1);
    assert.deepEqual(viewer.comments, stored.slice(-3));
  }
});

scenario('a position that the viewer has seen wins: exactly what it missed', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 20);
  for (const via of ['header', 'query']) {
    const viewer = await arrive(t, reader, stored.at(-1), { ...ask(10), via, from: stored[16].id });
    assert.deepEqual(viewer.comments, stored.slice(17));
  }
  const malformed = await arrive(t, reader, stored.at(-1), { ...ask(10), from: 'x', resumes: false });
  assert.deepEqual(malformed.comments, stored.slice(-10));
});

scenario('many arrive while comments keep coming: no hole and no duplicate where the newest meet the live stream', async (t) => {
  const system = await t.system({ flags: { 'log-entries': 5_000 } });
  const reader = await owner(system, 'v');
  const before = await postMany(system, 'v', 30);
  const posting = postMany(system, 'v', 800, { atOnce: 4 });
  const viewers = await Promise.all(Array.from({ length: 80 }, async (_, i) => {
    const viewer = await t.watch(system.readers[i % 3], { video: 'v', fields: { history: 1 + i % 60, redirect: 'never' } });
    await viewer.sees(1 + i % 60);
    if (i % 2) return viewer;
    const again = await viewer.again().connect(reader); // as an EventSource does: with the same address
    t.after(() => again.close());
    return again;
  }));
  const stored = [...before, ...await posting];
  for (const viewer of viewers) {
    await viewer.reaches(stored.at(-1).id);
    assert.equal(viewer.gaps.length, 0);
    assert.deepEqual(viewer.comments, stored.slice(-viewer.comments.length));
  }
});

scenario('a few reads of the log serve many that arrive', { setups: ['up-redis'] }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 60);
  for (let round = 0; round < 2; round++) {
    const viewers = await Promise.all(Array.from({ length: 200 }, () => arrive(t, reader, stored.at(-1), ask(50))));
    for (const viewer of viewers) assert.deepEqual(viewer.comments, stored.slice(-50));
    stored.push(await post(system, 'v', 'more'));
  }
  const [, calls] = /cmdstat_xrevrange:calls=(\d+)/.exec(await system.redis.command('INFO', 'commandstats'));
  assert.ok(calls < 20, `${calls} reads for 400 viewers`); // one, unless the machine is so busy that it takes many seconds
});

// The run of frames in the reader's memory is what the log keeps only for some seconds.
scenario('comments that have expired are not shown', async (t) => {
  const system = await t.system({ flags: { 'log-age-ms': 1_000 } });
  const reader = await owner(system, 'v');
  const watching = await t.watch(reader, { video: 'v' });
  const [old] = await postMany(system, 'v', 1);
  await watching.reaches(old.id);
  await until(async () => {
    const viewer = await t.watch(reader, { video: 'v', ...ask(5) });
    const isGone = viewer.connected.id === old.id;
    viewer.close();
    return isGone;
  }, 'the comment to expire', 20_000);
  const next = await post(system, 'v', 'next');
  const viewer = await arrive(t, reader, next, ask(5));
  assert.deepEqual(viewer.comments, [next]);
  assert.equal(viewer.gaps.length, 0);
});

scenario('with a log shorter than what is asked for, all that is kept', async (t) => {
  const system = await t.system({ flags: { 'log-entries': 10, 'log-min-age-ms': 0 } });
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 100);
  const viewer = await arrive(t, reader, stored.at(-1), ask(50));
  assert.deepEqual(viewer.comments, stored.slice(-viewer.comments.length));
  assert.ok(viewer.comments.length >= 10 && viewer.comments.length < 50, `${viewer.comments.length} comments`);
  assert.equal(viewer.gaps.length, 0);
});

for (const signal of ['SIGTERM', 'SIGKILL']) {
  scenario(`after ${signal} the newest comments are of both epochs`, { disk: true }, async (t) => {
    const system = await t.system({ stable: true, redis: { fsync: 'always' } });
    const reader = await owner(system, 'v');
    const before = await postMany(system, 'v', 10);
    await system.restartAll(signal);
    const quiet = await arrive(t, reader, before.at(-1), ask(4));
    assert.deepEqual(quiet.comments, before.slice(-4));
    const after = await postMany(system, 'v', 3);
    await quiet.reaches(after.at(-1).id); // the reader has all three, which were answered before it got them
    const viewer = await arrive(t, reader, after.at(-1), ask(5));
    assert.deepEqual(viewer.comments, [...before.slice(-2), ...after]);
    const newer = await arrive(t, reader, after.at(-1), ask(3));
    assert.deepEqual(newer.comments, after);
    assert.equal(newer.connected.id, before.at(-1).id);
    for (const each of [quiet, viewer, newer]) assert.equal(each.gaps.length, 0);
  });
}

scenario('an EventSource with history=N that is cut gets what it missed, not the newest again', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  const before = await postMany(system, 'v', 10);
  const source = new EventSourceViewer(await owner(system, 'v'), { video: 'v', query: { history: '5' } });
  t.after(() => source.close());
  await source.sees(5);
  await system.restart('SIGKILL');
  const after = await postMany(system, 'v', 10);
  await source.sees(15);
  assert.deepEqual(source.comments, [...before.slice(-5), ...after]);
  assert.equal(source.gaps.length, 0);
});

scenario('when the store is away a viewer that arrives starts live after some seconds', { setups: ['up-redis', 'processes'] }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 5);
  await arrive(t, reader, stored.at(-1), ask(1)); // the reader has seen no more than this one
  await system.redis.stop();
  await until(async () => (await health(reader)).status === 'degraded', 'the reader to notice');
  const viewer = await t.watch(reader, { video: 'v', ...ask(50) });
  assert.equal(viewer.connected.id, stored.at(-1).id);
  await system.redis.start();
  const next = await until(() => post(system, 'v', 'back').catch(() => undefined), 'a comment to be accepted', 20_000);
  await viewer.reaches(next.id, 20_000);
});
