// Comments that wait: for a moderator (hold), or for some time (delay_ms).
// CI also: up-redis, processes.
// Also on: sentinel, cluster. Its parts are in different slots.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, owner, post } from '../lib/api.mjs';
import { claims, keySet, makeKey, makeToken } from '../lib/jwt.mjs';
import { accepted, ban, commentApis, decide, held, patchRoom, refused, tryPost, waits } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { scaled, until } from '../lib/time.mjs';

scenario('a held comment is shown when a moderator allows it, and has no number before', async (t) => {
  const system = await t.system({ comments: 3 });
  const apis = commentApis(system);
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await patchRoom(system, 'v', { hold: true });
  const one = await waits(tryPost(apis[0], 'v', 'ann', 'one'), 'moderator');
  const two = await waits(tryPost(apis.at(-1), 'v', 'bob', 'two'), 'moderator');
  const listed = await held(system, 'v');
  assert.deepEqual(listed.map(({ id, comment: { userid, comment }, then }) => [id, userid, comment, then]).sort(),
    [[one.id, 'ann', 'one', 'deny'], [two.id, 'bob', 'two', 'deny']].sort());
  const allowed = (await decide({ comment: apis.at(-1) }, 'v', one.id, true)).json.comment;
  assert.match(allowed.id, /-1$/);
  await viewer.reaches(allowed.id);
  assert.deepEqual(viewer.comments, [allowed]);
  assert.equal((await decide(system, 'v', two.id, false)).status, 200);
  await refused(decide(system, 'v', two.id, true), 404, 'not_held');
  await refused(decide(system, 'v', one.id, true), 404, 'not_held');
  await refused(call('POST', `${system.comment}/videos/v/held/${one.id}`, { json: { allow: 'yes' } }), 400, 'invalid_field');
  assert.deepEqual(await held(system, 'v'), []);
  await patchRoom(system, 'v', { hold: false });
  assert.match((await post(system, 'v', 'three')).id, /-2$/);
});

scenario('a repeat of a held comment by its key waits once, and gets the number afterwards', async (t) => {
  const system = await t.system();
  await patchRoom(system, 'v', { hold: true });
  const headers = { 'idempotency-key': 'k' };
  const { id } = await waits(tryPost(system.comment, 'v', 'ann', 'hi', { headers }), 'moderator');
  assert.equal((await waits(tryPost(system.comment, 'v', 'ann', 'hi', { headers }), 'moderator')).id, id);
  assert.equal((await held(system, 'v')).length, 1);
  const { json: { comment } } = await decide(system, 'v', id, true);
  assert.deepEqual(await accepted(tryPost(system.comment, 'v', 'ann', 'hi', { headers })), comment);
});

scenario('a held comment of a user who has been banned since is not allowed', async (t) => {
  const system = await t.system();
  await patchRoom(system, 'v', { hold: true });
  const { id } = await waits(tryPost(system.comment, 'v', 'ann'), 'moderator');
  await ban(system, 'v', 'ann');
  await refused(decide(system, 'v', id, true), 403, 'banned');
  assert.deepEqual(await held(system, 'v'), []);
});

scenario('delayed comments are shown in their order after the delay, and to no one before', async (t) => {
  const system = await t.system({ comments: 3 });
  const apis = commentApis(system);
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await patchRoom(system, 'v', { delay_ms: 1000 });
  const begun = performance.now();
  const texts = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const [i, text] of texts.entries()) assert.ok((await waits(tryPost(apis[i % apis.length], 'v', 'ann', text), 'delay')).forMs <= 1000);
  await viewer.sees(texts.length);
  assert.deepEqual(viewer.comments.map(({ comment }) => comment), texts);
  assert.ok(viewer.events.find(({ json }) => json.comment === 'a').at - begun >= 900);
  assert.deepEqual(await held(system, 'v'), []);
});

scenario('what waits survives kill -9, and none of it is lost or doubled', { disk: true, ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true, comments: 3 });
  await patchRoom(system, 'v', { delay_ms: 3000 });
  for (let i = 0; i < 10; i++) await waits(tryPost(system.comment, 'v', `u${i}`, `text ${i}`), 'delay');
  await system.restart('SIGKILL');
  const texts = await until(async () => {
    const { json } = await call('GET', `${system.comment}/videos/v/comments?limit=100`);
    return json.comments?.length >= 10 && json.comments.map(({ comment }) => comment);
  }, () => 'all that waited');
  assert.deepEqual(texts.sort(), Array.from({ length: 10 }, (_, i) => `text ${i}`));
  await until(async () => !(await held(system, 'v')).length, () => 'an empty queue');
  assert.match((await post(system, 'w', 'x')).id, /-1$/);
});

scenario('streams of moderators get how many wait, others do not', async (t) => {
  const key = makeKey('HS256', 'k'), file = join(t.folder(), 'keys.json');
  writeFileSync(file, keySet(key));
  const system = await t.system({ flags: { 'jwt-keys': file } });
  const bearer = (sub, can) => ({ authorization: `Bearer ${makeToken(key, claims({ sub }, { can }))}` });
  const moderator = bearer('mod', ['read', 'post', 'moderate']), ann = bearer('ann', ['read', 'post']);
  const query = { events: 'held,room', redirect: 'never' };
  const watch = (user, headers) => t.watch(system.readers[0], { video: 'v', user, headers, query });
  const [one, other] = [await watch('mod', moderator), await watch('ann', ann)];
  await patchRoom(system, 'v', { hold: true }, moderator);
  const count = (n) => one.wait(() => one.moments.filter(({ type }) => type === 'held').at(-1)?.held === n, `${n} that wait`);
  const { id } = await waits(tryPost(system.comment, 'v', 'ann', 'hi', { headers: ann }), 'moderator');
  await count(1);
  await waits(tryPost(system.comment, 'v', 'ann', 'again', { headers: ann }), 'moderator');
  await count(2);
  await accepted(tryPost(system.comment, 'v', 'mod', 'of a moderator', { headers: moderator }));
  await refused(decide(system, 'v', id, true, ann), 403, 'not_allowed');
  assert.equal((await decide(system, 'v', id, false, moderator)).status, 200);
  await count(1);
  await other.wait(() => other.moments.some(({ hold }) => hold), 'the room', scaled(10_000));
  assert.ok(other.moments.every(({ type }) => type === 'room'));
});
