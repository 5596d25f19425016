// Bans and time-outs of a video.
// CI also: up-redis, processes.
// Also on: sentinel, cluster. The scripts' keys are in one slot.
import assert from 'node:assert/strict';
import { call, owner, post } from '../lib/api.mjs';
import { accepted, ban, bans, commentApis, lift, refused, tryPost } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('a banned user is refused at every comment API from the ban on, until it is lifted', async (t) => {
  const system = await t.system({ comments: 3 });
  const apis = commentApis(system);
  await accepted(tryPost(system.comment, 'v', 'ann'));
  assert.deepEqual(await ban(system, 'v', 'ann'), { userid: 'ann', until: null, shadow: false, videoid: 'v' });
  for (const api of apis) {
    const { json } = await refused(tryPost(api, 'v', 'ann'), 403, 'banned');
    assert.equal(json.until, null);
    await accepted(tryPost(api, 'v', 'bob'));
    await accepted(tryPost(api, 'other', 'ann'));
  }
  assert.deepEqual(await bans(system, 'v'), [{ userid: 'ann', until: null, shadow: false }]);
  await lift(system, 'v', 'ann');
  await lift(system, 'v', 'ann');
  for (const api of apis) await accepted(tryPost(api, 'v', 'ann'));
  assert.deepEqual(await bans(system, 'v'), []);
});

scenario('posts that race a ban are accepted before it and refused after it, and never between', async (t) => {
  const system = await t.system({ comments: 3 });
  const apis = commentApis(system);
  let going = true, banned = Infinity;
  const answers = [];
  const posters = apis.map(async (api) => {
    while (going) {
      const begun = performance.now();
      answers.push({ begun, ...(await tryPost(api, 'v', 'ann')) });
    }
  });
  await until(() => answers.length >= 20, () => 'some posts');
  const asked = performance.now();
  await ban(system, 'v', 'ann', { seconds: 600 });
  banned = performance.now();
  await until(() => answers.filter(({ begun }) => begun > banned).length >= 3 * apis.length, () => 'posts after the ban');
  going = false;
  await Promise.all(posters);
  for (const { begun, status, text } of answers) {
    assert.ok(status === 201 || status === 403, text);
    if (begun > banned) assert.equal(status, 403, `a post begun ${begun - banned} ms after the ban was acknowledged`);
  }
  const first = answers.find(({ status }) => status === 403);
  assert.ok(first.begun - asked < 1_000, 'ban to first 403');
  // Numbered are exactly those that were accepted.
  const last = await post(system, 'v', 'last', { user: 'bob' });
  assert.equal(last.id.split('-')[1], String(answers.filter(({ status }) => status === 201).length + 1));
});

scenario('a time-out says until when, and ends by itself', async (t) => {
  const system = await t.system();
  const { until: end } = await ban(system, 'v', 'ann', { seconds: 2 });
  const { json } = await refused(tryPost(system.comment, 'v', 'ann'), 403, 'banned');
  assert.equal(json.until, end);
  assert.ok(json.error.includes(end));
  assert.ok(Math.abs(Date.parse(end) - Date.now()) < 30_000);
  await until(async () => (await tryPost(system.comment, 'v', 'ann')).status === 201, () => 'the end of the time-out');
  assert.deepEqual(await bans(system, 'v'), []);
});

scenario('an author under a shadow ban gets 201, and the comment on streams of its own, and nobody else gets it', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v'), all = { rate: 'all' };
  const viewers = [await t.watch(reader, { video: 'v' }), await t.watch(reader, { video: 'v', query: all })], [viewer] = viewers;
  const own = [await t.watch(reader, { video: 'v', user: 'ann' }), await t.watch(reader, { video: 'v', user: 'ann', query: all })];
  assert.equal((await ban(system, 'v', 'ann', { shadow: true })).shadow, true);
  const comment = await accepted(tryPost(system.comment, 'v', 'ann', 'unseen', { name: 'Ann' }));
  assert.match(comment.id, /^1-\d+$/, 'an id that no comment has');
  assert.deepEqual({ ...comment, id: 0, timestamp: 0 }, { id: 0, userid: 'ann', videoid: 'v', name: 'Ann', comment: 'unseen', timestamp: 0 });
  const again = () => accepted(tryPost(system.comment, 'v', 'ann', 'again', { headers: { 'idempotency-key': 'k' } }));
  assert.equal((await again()).id, (await again()).id, 'of a repeat');
  const next = await post(system, 'v', 'seen', { user: 'bob' });
  assert.match(next.id, /-1$/);
  for (const each of [...viewers, ...own]) await each.reaches(next.id);
  for (const each of viewers) assert.deepEqual(each.comments, [next]);
  for (const each of own) {
    await each.wait(() => each.comments.length === 4, 'its own comment');
    const { json, id } = each.events.find((event) => event.json.comment === 'unseen');
    assert.deepEqual([json, id], [comment, undefined], 'as it was answered, and it moves no position');
  }
  const { json } = await call('GET', `${system.comment}/videos/v/comments`);
  assert.deepEqual(json.comments.map(({ comment }) => comment), ['seen']);
});

scenario('a ban with purge deletes the comments of the user, on screens too', async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  for (const text of ['one', 'two']) await post(system, 'v', text, { user: 'ann' });
  const kept = await post(system, 'v', 'kept', { user: 'bob' });
  assert.equal((await ban(system, 'v', 'ann', { purge: true })).purged, 2);
  await viewer.wait(() => viewer.events.at(-1).type === 'purge', 'the purge');
  assert.equal(viewer.events.at(-1).json.userid, 'ann');
  const { json } = await call('GET', `${system.comment}/videos/v/comments`);
  assert.deepEqual(json.comments, [kept]);
  await refused(tryPost(system.comment, 'v', 'ann'), 403, 'banned');
});

scenario('bans survive a restart of everything', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  await ban(system, 'v', 'ann');
  await ban(system, 'v', 'bob', { seconds: 3600, shadow: true });
  await system.restart();
  await refused(tryPost(system.comment, 'v', 'ann'), 403, 'banned');
  assert.deepEqual((await bans(system, 'v')).map(({ userid, shadow }) => [userid, shadow]).sort(), [['ann', false], ['bob', true]]);
});

scenario('what is wrong in a ban is named', async (t) => {
  const system = await t.system();
  const put = (user, json) => call('PUT', `${system.comment}/videos/v/bans/${user}`, { json });
  for (const seconds of [0, -1, 1.5, '5', true, 31_536_001]) {
    const { json } = await refused(put('ann', { seconds }), 400, 'invalid_field');
    assert.match(json.error, /^seconds must be/);
  }
  assert.match((await refused(put('ann', { shadow: 1 }), 400, 'invalid_field')).json.error, /^shadow/);
  assert.match((await refused(put('a%20b', {}), 400, 'invalid_field')).json.error, /^userid/);
  await refused(put('ann', []), 400, 'invalid_json');
  assert.deepEqual(await bans(system, 'v'), []);
});
