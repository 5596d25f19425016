// CI also: processes. There the manager and the comment API each have the keys, and the one calls the other.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { call, health } from '../lib/api.mjs';
import { claims, makeKey, makeToken } from '../lib/jwt.mjs';
import { lockedSystem, refused } from '../lib/locked.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const send = (system, token, json = {}, headers = {}) =>
  call('POST', `${system.comment}/comment`, {
    json: { videoid: 'v1', comment: 'hi', ...json },
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
  });

scenario('user, name and badges of a comment are those of its token', async (t) => {
  const keys = ['HS256', 'RS256', 'ES256', 'EdDSA'].map((alg) => makeKey(alg, alg));
  const { system } = await lockedSystem(t, keys);
  for (const key of keys) {
    const { status, json, text } = await send(system, makeToken(key, claims({}, { name: 'Ann', badges: ['vip'] })), { name: 'Mallory' });
    assert.equal(status, 201, text);
    assert.equal(json.comment.userid, 'ann');
    assert.equal(json.comment.name, 'Ann');
    assert.deepEqual(json.comment.badges, ['vip']);
  }
  const token = makeToken(keys[0]);
  assert.equal((await send(system, token, { userid: 'ann' })).status, 201);
  assert.equal((await send(system, null, {}, { cookie: `a=b; chorus_token=${token}` })).status, 201);
  assert.equal((await send(system, 'between-services', { userid: 'bot' })).json.comment.userid, 'bot');
  await refused(send(system, token, { userid: 'bob' }), 403, 'other_user');
  await refused(send(system, null, { userid: 'ann' }), 401, 'token_missing');
  const origin = 'https://elsewhere.example';
  await refused(send(system, null, {}, { cookie: `chorus_token=${token}`, origin }), 401, 'token_missing');
  await refused(send(system, null, {}, { cookie: `chorus_token=${token}`, 'sec-fetch-site': 'same-site' }), 401, 'token_missing');
});

scenario('no other token is accepted', async (t) => {
  const [hs, rs, other] = [makeKey('HS256', 'hs'), makeKey('RS256', 'rs'), makeKey('HS256', 'hs')];
  const { system } = await lockedSystem(t, [hs, rs], { flags: { 'jwt-issuer': 'https://id.example', 'jwt-audience': 'chorus' } });
  const now = Math.floor(Date.now() / 1000);
  const good = (more, chorus) => claims({ iss: 'https://id.example', aud: 'chorus', ...more }, chorus);
  assert.equal((await send(system, makeToken(hs, good()))).status, 201);
  // The public key as a secret, in the forms in which it may be known.
  for (const secret of [rs.publicKey.export({ type: 'spki', format: 'pem' }), JSON.stringify(rs.jwk), Buffer.from(rs.jwk.n, 'base64url')]) {
    const confused = { alg: 'HS256', kid: 'rs', sign: (text) => createHmac('sha256', secret).update(text).digest() };
    await refused(send(system, makeToken(confused, good())), 401, 'token_invalid');
    await refused(send(system, makeToken({ ...confused, kid: undefined }, good())), 401, 'token_invalid');
  }
  const unsigned = { alg: 'none', kid: 'hs', sign: () => Buffer.alloc(0) };
  await refused(send(system, makeToken(unsigned, good())), 401, 'token_invalid');
  await refused(send(system, makeToken(other, good())), 401, 'token_invalid');
  await refused(send(system, makeToken({ ...hs, kid: 'gone' }, good())), 401, 'token_invalid');
  await refused(send(system, makeToken(hs, good({ exp: now - 1 }))), 401, 'token_expired');
  await refused(send(system, makeToken(hs, good({ nbf: now + 60 }))), 401, 'token_not_yet_valid');
  await refused(send(system, makeToken(hs, good({ iss: 'https://id.example/' }))), 401, 'token_wrong_issuer');
  await refused(send(system, makeToken(hs, good({ aud: ['other'] }))), 401, 'token_wrong_audience');
  await refused(send(system, makeToken(hs, good({ pad: 'x'.repeat(4000) }))), 401, 'token_invalid');
  await refused(send(system, makeToken(hs, good()).slice(0, -1)), 401, 'token_invalid');
  await refused(send(system, 'garbage'), 401, 'token_invalid');
  await refused(send(system, makeToken(hs, good({}, { videos: ['v2', 'v1-*'] }))), 403, 'not_allowed');
  await refused(send(system, makeToken(hs, good({}, { can: ['read', 'moderate'] }))), 403, 'not_allowed');
  await refused(send(system, makeToken(hs, good(), { crit: ['exp'] })), 401, 'token_invalid');
  const { text } = await call('GET', `${system.comment}/metrics`);
  assert.equal(Number(text.match(/posts_total\{[^}]*result="not_allowed"\} (\d+)/)?.[1]), 19, text.match(/.*posts_total.*/g).join('\n'));
  assert.match(text, /posts_total\{[^}]*result="invalid"\} 0\n/);
});

scenario('registering and reading comments need the right to read; services need their token', async (t) => {
  const key = makeKey('ES256', 'k');
  const { system } = await lockedSystem(t, [key], { flags: { 'internal-from': '10.255.255.255' } });
  const list = (token) => call('GET', `${system.comment}/videos/v1/comments`, { headers: token ? { authorization: `Bearer ${token}` } : {} });
  const register = (token) => call('POST', `${system.comment}/register`, { json: { videoid: 'v1' }, headers: token ? { authorization: `Bearer ${token}` } : {} });
  for (const ask of [list, register]) {
    await refused(ask(), 401, 'token_missing');
    await refused(ask(makeToken(key, claims({}, { can: ['post'] }))), 403, 'not_allowed');
    assert.equal((await ask(makeToken(key, claims({}, { can: ['read'] })))).status, 200);
    assert.equal((await ask('between-services')).status, 200);
  }
  assert.equal((await send(system, makeToken(key), { videoid: 'new' })).status, 201);
  await until(async () => (await call('GET', `${system.comment}/resolve/new`, { headers: { authorization: 'Bearer between-services' } })).status === 200, () => 'the comment API registers the video, with its own token');
});

scenario('keys are rotated under load, and no honest request is refused', { ms: 60_000 }, async (t) => {
  let key = makeKey('HS256', 'k0');
  const { system, write, path } = await lockedSystem(t, [key]);
  let stop = false;
  const answers = [];
  const poster = async () => {
    while (!stop) answers.push((await send(system, makeToken(key))).status);
  };
  const posters = [poster(), poster()];
  for (let i = 1; i <= 20; i++) {
    const next = makeKey(i % 2 ? 'ES256' : 'HS256', `k${i}`), posted = answers.length;
    write(key, next); // both; and a token of the new one may come at once
    key = next;
    await until(() => answers.length >= posted + 4, () => 'posts with the new key');
    if (i === 10) writeFileSync(`${path}.new`, '{'); // an edit that goes wrong
    if (i === 10) renameSync(`${path}.new`, path);
  }
  stop = true;
  await Promise.all(posters);
  assert.deepEqual([...new Set(answers)], [201]);
  await refused(send(system, makeToken({ ...makeKey('HS256', 'k0') })), 401, 'token_invalid');
  assert.ok(readFileSync(path, 'utf8').includes('k20'));
  writeFileSync(path, '{');
  system.program.signal('SIGHUP');
  await until(async () => (await health(system.comment)).reloadFailed, 'SIGHUP to read the file');
});
