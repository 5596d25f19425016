// With tokens: who may set a room and ban, and whom a room binds.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../lib/api.mjs';
import { claims, keySet, makeKey, makeToken } from '../lib/jwt.mjs';
import { accepted, ban, bans, getRoom, lift, patchRoom, refused, tryPost } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('moderators of the video and services may, and are not bound; others may not', async (t) => {
  const key = makeKey('HS256', 'k'), file = join(t.folder(), 'keys.json'), secret = 'between-services';
  writeFileSync(file, keySet(key));
  const system = await t.system({ flags: { 'jwt-keys': file, 'internal-token': secret } });
  const bearer = (sub, chorus) => ({ authorization: `Bearer ${makeToken(key, claims({ sub }, chorus))}` });
  const ann = bearer('ann'), vip = bearer('vip', { badges: ['vip'] }), service = { authorization: `Bearer ${secret}` };
  const moderator = bearer('mod', { can: ['read', 'post', 'moderate'], videos: ['v'] });
  const post = (user, headers) => tryPost(system.comment, 'v', user, 'hi', { headers });

  for (const headers of [undefined, ann, bearer('mod', { can: ['read', 'post', 'moderate'], videos: ['w'] })]) {
    const [status, code] = headers ? [403, 'not_allowed'] : [401, 'token_missing'];
    const url = `${system.comment}/videos/v`;
    await refused(call('PATCH', `${url}/room`, { json: { frozen: true }, headers }), status, code);
    await refused(call('PUT', `${url}/bans/ann`, { json: {}, headers }), status, code);
    await refused(call('DELETE', `${url}/bans/ann`, { headers }), status, code);
    await refused(call('GET', `${url}/bans`, { headers }), status, code);
    await refused(call('GET', `${url}/audit`, { headers }), status, code);
    for (const what of ['start', 'end']) await refused(call('POST', `${url}/${what}`, { headers }), status, code);
  }
  const react = (headers, userid) => call('POST', `${system.comment}/videos/v/reactions`, { json: { userid, kind: 'heart' }, headers });
  await refused(react(undefined, 'eve'), 401, 'token_missing');
  await refused(react(bearer('eve', { can: ['read', 'post'] }), 'eve'), 403, 'not_allowed');
  await refused(react(bearer('eve', { can: ['react'] }), 'ann'), 403, 'other_user');
  await refused(react(bearer('eve', { can: ['react'], videos: ['w'] }), 'eve'), 403, 'not_allowed');
  assert.equal((await react(bearer('eve', { can: ['react'] }))).status, 202);
  await getRoom(system, 'v', ann);
  await patchRoom(system, 'v', { slow_ms: 600_000, only: ['vip', 'member'], frozen: true }, moderator);
  await refused(post('vip', vip), 403, 'frozen');
  for (const [user, headers] of [['mod', moderator], ['mod', moderator], ['any', service]]) await accepted(post(user, headers));
  await patchRoom(system, 'v', { frozen: false }, service);
  await refused(post('ann', ann), 403, 'not_in_room');
  await accepted(post('vip', vip));
  await refused(post('vip', vip), 429, 'slow_mode');

  await patchRoom(system, 'v', { slow_ms: 0, only: [] }, moderator);
  await ban(system, 'v', 'ann', {}, moderator);
  await refused(post('ann', ann), 403, 'banned');
  await bans(system, 'v', moderator);
  await lift(system, 'v', 'ann', service);
  await accepted(post('ann', ann));
  const { audit } = (await call('GET', `${system.comment}/videos/v/audit`, { headers: moderator })).json;
  assert.deepEqual(audit.map(({ by, what }) => `${by} ${what}`), ['null lift', 'mod ban', 'mod room', 'null room', 'mod room']);

  await refused(call('POST', `${system.comment}/videos/v/end`, { headers: ann }), 403, 'not_allowed');
  assert.equal((await call('POST', `${system.comment}/videos/v/end`, { headers: moderator })).status, 204);
  for (const [user, headers] of [['ann', ann], ['mod', moderator], ['any', service]]) await refused(post(user, headers), 403, 'video_ended');
});
