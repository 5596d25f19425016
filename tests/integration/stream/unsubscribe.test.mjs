// CI also: up-redis. A subscription to Redis ends as well.
import assert from 'node:assert/strict';
import { owner, post, statistics } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const LIMIT = 1_000;

async function subscribed(system, reader, video) {
  const { readerApis } = await statistics(system);
  const instanceId = `reader-${system.readers.indexOf(reader) + 1}`;
  const topics = readerApis.readers.find((entry) => entry.instanceId === instanceId)?.subscribedTopics ?? [];
  return topics.some((topic) => topic === video || topic === `video:${video}`);
}

scenario('a reader subscribes with a video\'s first viewer, and unsubscribes --unsubscribe-ms after its last', async (t) => {
  const system = await t.system({ flags: { 'unsubscribe-ms': LIMIT, 'statistics-interval-ms': 100 } });
  const reader = await owner(system, 'v');
  await post(system, 'v', 'a comment is no reason to subscribe');
  await until(async () => (await statistics(system)).readerApis.readers.length === 3, 'all readers to report');
  assert.equal(await subscribed(system, reader, 'v'), false);

  const [one, two] = [await t.watch(reader, { video: 'v' }), await t.watch(reader, { video: 'v' })];
  await until(() => subscribed(system, reader, 'v'), 'the subscription');
  for (const other of system.others(reader)) assert.equal(await subscribed(system, other, 'v'), false, 'only its owner');
  one.close();
  two.close();
  const left = performance.now();
  await until(async () => !(await subscribed(system, reader, 'v')), 'the end of the subscription');
  assert.ok(performance.now() - left > LIMIT * 0.8, 'not before the time');

  const back = await t.watch(reader, { video: 'v' });
  await back.reaches((await post(system, 'v', 'hello again')).id);
  assert.ok(await until(() => subscribed(system, reader, 'v'), 'the next subscription'));
});

scenario('a viewer that returns in time keeps the subscription', async (t) => {
  const system = await t.system({ flags: { 'unsubscribe-ms': 600, 'statistics-interval-ms': 100 } });
  const reader = await owner(system, 'v');
  let viewer = await t.watch(reader, { video: 'v' });
  for (let i = 0; i < 30; i++) {
    viewer = await viewer.again().connect(reader);
    t.after(viewer.close.bind(viewer));
    await viewer.reaches((await post(system, 'v', `${i}`)).id);
  }
  assert.equal(viewer.comments.length, 30);
});
