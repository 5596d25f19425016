// Reactions: summed over the comment APIs, for viewers who ask, of the moment.
// CI also: up-redis, processes.
import assert from 'node:assert/strict';
import { call, owner, post } from '../lib/api.mjs';
import { commentApis, refused } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause, until } from '../lib/time.mjs';

const react = (url, user, kind, video = 'v', n = undefined) => call('POST', `${url}/videos/${video}/reactions`, { json: { userid: user, kind, n } });
const events = (viewer) => viewer.moments.filter(({ type }) => type === 'reactions');
const sumsOf = (viewer) => events(viewer).reduce((sums, { reactions }) => {
  for (const [kind, count] of Object.entries(reactions)) sums[kind] = (sums[kind] ?? 0) + count;
  return sums;
}, {});

scenario('reactions of a second come as one event, with the eight most frequent kinds, and to who asks', async (t) => {
  const system = await t.system({ comments: 3 });
  const reader = await owner(system, 'v'), apis = commentApis(system);
  const viewer = await t.watch(reader, { video: 'v', query: { events: 'reactions' } });
  const other = await t.watch(reader, { video: 'v' });
  const begun = performance.now();
  const posts = [];
  for (let i = 0; i < 10; i++) for (let n = 0; n <= i; n++) posts.push(react(apis[posts.length % apis.length], `u${i}-${n}`, `kind-${i}`));
  for (const { status } of await Promise.all(posts)) assert.equal(status, 202);
  await until(() => sumsOf(viewer)['kind-9'] === 10, () => `all reactions: ${JSON.stringify(sumsOf(viewer))}`, 5_000);
  for (const { reactions } of events(viewer)) assert.ok(Object.keys(reactions).length <= 8);
  const most = Math.ceil((performance.now() - begun) / 1_000) + 1;
  assert.ok(events(viewer).length <= most, `${events(viewer).length} events in ${most - 1} s`);
  assert.equal(other.events.length, 1);
  const late = await t.watch(reader, { video: 'v', query: { events: 'reactions' } });
  assert.equal((await react(apis[0], 'ann', 'heart')).status, 202);
  await until(() => sumsOf(late).heart === 1, 'the next one');
  assert.deepEqual(Object.keys(sumsOf(late)), ['heart']); // nothing of before
});

scenario('to many viewers reactions go with the next comment, or by themselves every five seconds', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewers = await Promise.all(Array.from({ length: 101 }, () => t.watch(reader, { video: 'v', query: { events: 'reactions' } })));
  const [viewer] = viewers;
  const here = (kind) => until(() => sumsOf(viewer)[kind] === 1, () => `${kind}: ${JSON.stringify(sumsOf(viewer))}`, 8_000);
  await react(system.comment, 'ann', 'first');
  await here('first');
  const first = performance.now();
  await react(system.comment, 'ann', 'second');
  while (performance.now() < first + 2_200) { // it is told within a second, and waits
    assert.equal(sumsOf(viewer).second, undefined);
    await pause(50);
  }
  await post(system, 'v', 'a comment');
  await here('second');
  const second = performance.now();
  assert.ok(second - first < 4_500, `the comment takes it along, after ${second - first} ms`);
  await until(() => viewers.every((each) => sumsOf(each).second === 1), 'all');
});

scenario('a request may tell of several reactions, as many as its user may have at once', async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v', query: { events: 'reactions' } });
  for (const n of [0, 21, 1.5, -1, '2']) assert.match((await refused(react(system.comment, 'ann', 'heart', 'v', n), 400, 'invalid_field')).json.error, /^n must be/);
  assert.equal((await react(system.comment, 'ann', 'heart', 'v', 7)).status, 202);
  await refused(react(system.comment, 'ann', 'heart', 'v', 20), 429, 'too_fast');
  await until(() => sumsOf(viewer).heart === 7, () => JSON.stringify(sumsOf(viewer)));
  assert.equal((await react(system.comment, 'bob', 'heart', 'v', 20)).status, 202);
});

scenario('a reaction has a kind, and a user not too many a second', async (t) => {
  const system = await t.system();
  await refused(call('POST', `${system.comment}/videos/v/reactions`, { json: { userid: 'ann' } }), 400, 'missing_field');
  for (const kind of ['', 'a b', 'x'.repeat(33), 7]) await refused(react(system.comment, 'ann', kind), 400, 'invalid_field');
  await refused(react(system.comment, 'a b', 'heart'), 400, 'invalid_field');
  const answers = await Promise.all(Array.from({ length: 40 }, () => react(system.comment, 'ann', 'heart')));
  const later = answers.filter(({ status }) => status === 429);
  assert.ok(later.length >= 10, `${later.length} are refused`);
  await refused(later[0], 429, 'too_fast');
  assert.equal((await react(system.comment, 'bob', 'heart')).status, 202);
  const { text } = await call('GET', `${system.comment}/metrics`);
  assert.match(text, new RegExp(`^chorus_comment_reactions_total\\{.*\\} ${41 - later.length}$`, 'm'));
});
