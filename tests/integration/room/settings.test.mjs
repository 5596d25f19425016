// A video's room: what moderators set, and what a comment is refused by.
// CI also: up-redis, processes.
// Also on: sentinel, cluster. The scripts' keys are in one slot.
import assert from 'node:assert/strict';
import { call, post } from '../lib/api.mjs';
import { accepted, commentApis, getRoom, patchRoom, refused, tryPost } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';

const OPEN = { over: false, pinned: null, slow_ms: 0, rate: 0, max_length: 0, only: [], unique: false, delay_ms: 0, hold: false, frozen: false, readable_rate: 0, revision: 0, videoid: 'v' };

scenario('a patch changes the fields that it names; null is the default', async (t) => {
  const system = await t.system();
  assert.deepEqual(await getRoom(system, 'v'), OPEN);
  assert.deepEqual(await patchRoom(system, 'v', {}), OPEN);
  assert.deepEqual(await patchRoom(system, 'v', { slow_ms: 5000, only: ['vip', 'host'], later: [{}] }), { ...OPEN, slow_ms: 5000, only: ['vip', 'host'], revision: 1 });
  const all = { slow_ms: 1000, rate: 7, max_length: 200, only: [], unique: true, delay_ms: 2000, hold: true, frozen: true, readable_rate: 10 };
  assert.deepEqual(await patchRoom(system, 'v', all), { ...OPEN, ...all, revision: 2 });
  const nothing = Object.fromEntries(Object.keys(all).map((name) => [name, null]));
  assert.deepEqual(await patchRoom(system, 'v', nothing), { ...OPEN, revision: 3 });
  assert.deepEqual(await getRoom(system, 'v'), { ...OPEN, revision: 3 });
});

scenario('patches at the same time lose nothing of each other', async (t) => {
  const system = await t.system({ comments: 3 });
  const apis = commentApis(system);
  const fields = [{ slow_ms: 1 }, { rate: 2 }, { max_length: 3 }, { delay_ms: 4 }, { readable_rate: 5 }, { hold: true }, { unique: true }, { only: ['x'] }];
  await Promise.all(fields.map((json, i) => patchRoom({ comment: apis[i % apis.length] }, 'v', json)));
  assert.deepEqual(await getRoom(system, 'v'), { ...OPEN, ...Object.assign({}, ...fields), revision: fields.length });
});

scenario('what is wrong in a patch is named', async (t) => {
  const system = await t.system();
  const wrong = {
    slow_ms: [-1, 3_600_001, 1.5, '5', true, [], {}], rate: [10_001], max_length: [2001], delay_ms: [60_001], readable_rate: ['x'],
    only: ['vip', [1], [''], ['a b'], ['x'.repeat(33)], Array(9).fill('x'), {}], unique: [1, 'yes'], hold: [0], frozen: ['true', []],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const { json } = await refused(call('PATCH', `${system.comment}/videos/v/room`, { json: { [name]: value } }), 400, 'invalid_field');
      assert.ok(json.error.startsWith(`${name} must be `), json.error);
    }
  }
  for (const body of ['', '[]', '1', '{"slow_ms":', '{"slow_ms":1} x'])
    await refused(call('PATCH', `${system.comment}/videos/v/room`, { body, headers: { 'content-type': 'application/merge-patch+json' } }), 400, 'invalid_json');
  assert.equal((await getRoom(system, 'v')).revision, 0);
});

scenario('slow mode over all comment APIs admits one comment of a user, and says how long to wait', async (t) => {
  const system = await t.system({ comments: 3 });
  const apis = commentApis(system);
  await patchRoom(system, 'v', { slow_ms: 60_000 });
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => tryPost(apis[i % apis.length], 'v', 'ann', `${i}`)));
  assert.equal(answers.filter(({ status }) => status === 201).length, 1);
  const later = answers.filter(({ status }) => status === 429);
  assert.equal(later.length, 11);
  for (const { json, headers } of later) {
    assert.equal(json.code, 'slow_mode');
    assert.ok(headers['retry-after'] > 10 && headers['retry-after'] <= 60, headers['retry-after']);
  }
  await accepted(tryPost(system.comment, 'v', 'bob'));
  await patchRoom(system, 'v', { slow_ms: 0 });
  await accepted(tryPost(system.comment, 'v', 'ann'));
});

scenario('each setting refuses with a code of its own, at every comment API, and what was refused has no number', async (t) => {
  const system = await t.system({ comments: 3 });
  const apis = commentApis(system);
  await patchRoom(system, 'v', { frozen: true });
  for (const api of apis) await refused(tryPost(api, 'v', 'ann'), 403, 'frozen');
  await patchRoom(system, 'v', { frozen: false, only: ['vip'] });
  await refused(tryPost(system.comment, 'v', 'ann'), 403, 'not_in_room');
  await patchRoom(system, 'v', { only: null, max_length: 3 });
  const { json } = await refused(tryPost(system.comment, 'v', 'ann', 'äöüß'), 422, 'too_long');
  assert.match(json.error, /\b3 characters/);
  await accepted(tryPost(system.comment, 'v', 'ann', 'äöü'));
  await patchRoom(system, 'v', { max_length: 0, unique: true });
  const same = await Promise.all(apis.map((api, i) => tryPost(api, 'v', `u${i}`, 'Same text')));
  assert.equal(same.filter(({ status }) => status === 201).length, 1, 'of those at the same moment one');
  for (const api of apis) await refused(tryPost(api, 'v', 'bob', ' same  TEXT'), 409, 'repeated');
  await patchRoom(system, 'v', { unique: false, rate: 1 });
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => tryPost(apis[i % apis.length], 'v', `u${i}`)));
  const later = answers.filter(({ status }) => status === 429);
  assert.ok(later.length >= 1);
  assert.equal(later[0].json.code, 'video_too_fast');
  await patchRoom(system, 'v', { rate: 0 });
  assert.match((await post(system, 'v', 'last')).id, new RegExp(`-${3 + answers.length - later.length}$`));
});

scenario('a repeat by its Idempotency-Key gets the first answer, whatever was set since', async (t) => {
  const system = await t.system();
  const headers = { 'idempotency-key': 'k' };
  const first = await accepted(tryPost(system.comment, 'v', 'ann', 'hi', { headers }));
  await patchRoom(system, 'v', { frozen: true });
  assert.deepEqual(await accepted(tryPost(system.comment, 'v', 'ann', 'hi', { headers })), first);
});

scenario('a room survives a restart of everything', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  const room = await patchRoom(system, 'v', { slow_ms: 3_600_000, only: ['x'], frozen: true });
  await system.restart();
  assert.deepEqual(await getRoom(system, 'v'), room);
  await refused(tryPost(system.comment, 'v', 'ann'), 403, 'frozen');
});
