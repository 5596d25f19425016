// What moderators did to a video, as it is listed.
// CI also: up-redis, memory.
// Also on: sentinel, cluster. Its parts are in different slots.
import assert from 'node:assert/strict';
import { call, moderate, post } from '../lib/api.mjs';
import { ban, decide, held, lift, patchRoom, tryPost, waits } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';

const audit = async (system) => (await call('GET', `${system.comment}/videos/v/audit`)).json.audit;

scenario('all that is done is listed, newest first, with what it was about', async (t) => {
  const system = await t.system({ stable: true });
  assert.deepEqual(await audit(system), []);
  const { id } = await post(system, 'v', 'one');
  await moderate(system, 'v', 'PUT', 'pin', { id });
  await moderate(system, 'v', 'DELETE', 'pin');
  for (let i = 0; i < 2; i++) await moderate(system, 'v', 'DELETE', `comments/${id}`);
  await ban(system, 'v', 'ann', { seconds: 60, shadow: true, purge: true });
  for (let i = 0; i < 2; i++) await lift(system, 'v', 'ann');
  await patchRoom(system, 'v', { hold: true, only: [] });
  await patchRoom(system, 'v', { hold: true });
  const waiting = [];
  for (const text of ['a', 'b']) waiting.push(await waits(tryPost(system.comment, 'v', 'bob', text), 'moderator'));
  const { comment } = (await decide(system, 'v', waiting[0].id, true)).json;
  await decide(system, 'v', waiting[1].id, false);
  assert.deepEqual(await held(system, 'v'), []);
  await moderate(system, 'v', 'POST', 'start');
  await moderate(system, 'v', 'POST', 'end');
  const all = await audit(system);
  const times = all.map(({ timestamp }) => timestamp);
  assert.deepEqual(times, [...times].sort().reverse());
  assert.deepEqual(all.map(({ timestamp, ...rest }) => rest), [
    { by: null, what: 'end' },
    { by: null, what: 'start' },
    { by: null, what: 'deny', userid: 'bob', held: waiting[1].id },
    { by: null, what: 'allow', userid: 'bob', held: waiting[0].id, target: comment.id },
    { by: null, what: 'room', set: { only: [], hold: true } },
    { by: null, what: 'lift', userid: 'ann' },
    { by: null, what: 'purge', userid: 'ann' },
    { by: null, what: 'ban', userid: 'ann', seconds: 60, shadow: true },
    { by: null, what: 'retract', target: id },
    { by: null, what: 'pin', target: null },
    { by: null, what: 'pin', target: id },
  ]);
  if (process.env.CHORUS_ENGINE === 'memory') return;
  await system.restart('SIGKILL');
  assert.deepEqual(await audit(system), all, 'after a restart, too');
});
