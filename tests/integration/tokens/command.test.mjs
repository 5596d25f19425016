// `chorus token` makes tokens, and says what is wrong with one.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../lib/api.mjs';
import { claims, keySet, makeKey, makeToken } from '../lib/jwt.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const ok = async (...words) => {
  const { code, stdout, stderr } = await run(['token', ...words]);
  assert.equal(code, 0, stdout + stderr);
  return stdout;
};
const fails = async (code, pattern, ...words) => {
  const result = await run(['token', ...words]);
  assert.equal(result.code, code, result.stdout + result.stderr);
  assert.match(result.stdout + result.stderr, pattern);
};

scenario('a token that the command makes, with a key that it makes, is accepted', async (t) => {
  for (const algorithm of ['HS256', 'RS256', 'ES256', 'EdDSA']) {
    const keys = join(t.folder(), 'keys.json');
    const open = await ok('keys', keys, '--algorithm', algorithm, '--kid', 'mine');
    assert.equal(statSync(keys).mode & 0o777, 0o600);
    await fails(1, /File exists/, 'keys', keys);
    const shared = algorithm === 'HS256' ? keys : join(t.folder(), 'public.json');
    if (shared !== keys) {
      const [secret, given] = ['secret', 'given'].map((name) => join(t.folder(), name));
      assert.equal(await ok('keys', secret, '--algorithm', algorithm, '--public', given), '');
      assert.deepEqual(Object.keys(JSON.parse(readFileSync(given, 'utf8')).keys[0]), Object.keys(JSON.parse(open).keys[0]));
      await fails(1, /secret: File exists/, 'keys', secret, '--public', given);
      await fails(1, /given: File exists/, 'keys', `${secret}2`, '--public', given);
      assert.equal(existsSync(`${secret}2`), false);
      assert.equal(statSync(given).size > 2, true, 'what was there remains');
      assert.equal(JSON.parse(open).keys[0].d, undefined);
      writeFileSync(shared, open);
      await fails(1, /no secret part/, '--jwt-keys', shared, '--user', 'ann', '--video', 'v1');
    }
    const token = (await ok('--jwt-keys', keys, '--user', 'ann', '--video', 'v1,show-*', '--for', '1m', '--name', 'Ann', '--badges', 'vip')).trim();
    assert.match(await ok('check', token, '--jwt-keys', shared, '--video', 'show-2'), /"sub":"ann".*\nvalid until 20/);
    await fails(1, /not give the right to post for v2/, 'check', token, '--jwt-keys', shared, '--video', 'v2', '--can', 'post');
    await fails(1, /not give the right to moderate/, 'check', token, '--jwt-keys', shared, '--video', 'v1', '--can', 'read,moderate');
    await fails(1, /another user, ann/, 'check', token, '--jwt-keys', shared, '--user', 'bob');
    if (algorithm !== 'ES256') continue;
    const system = await t.system({ flags: { 'jwt-keys': shared } });
    const { status, json } = await call('POST', `${system.comment}/comment`, { json: { videoid: 'v1', comment: 'hi' }, headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual([status, json.comment.userid, json.comment.name, json.comment.badges], [201, 'ann', 'Ann', ['vip']]);
  }
});

scenario('it says what is wrong with a token, and makes none that would be refused', async (t) => {
  const path = join(t.folder(), 'keys.json'), key = makeKey('HS256', 'k'), other = makeKey('HS256', 'k');
  writeFileSync(path, keySet(key));
  const check = ['--jwt-keys', path, 'check'];
  const now = Math.floor(Date.now() / 1000);
  await ok(...check, makeToken(key));
  await fails(1, /token_expired/, ...check, makeToken(key, claims({ exp: now - 1 })));
  await fails(1, /token_not_yet_valid/, ...check, makeToken(key, claims({ nbf: now + 60 })));
  await fails(1, /"sub":"ann"[^]*signature is wrong/, ...check, makeToken(other));
  await fails(1, /token_wrong_audience/, ...check, makeToken(key, claims({ aud: 'chorus' })));
  await ok(...check, makeToken(key, claims({ aud: 'chorus', iss: 'me' })), '--jwt-audience', 'chorus', '--jwt-issuer', 'me');
  await fails(1, /not JSON[^]*token_invalid/, ...check, 'garbage');
  for (const [right, ...others] of [['read', 'post'], ['post', 'read', 'react'], ['react', 'read', 'post'], ['moderate', 'read', 'post', 'react'], ['everything', 'moderate']])
    await fails(1, new RegExp(`not give the right to ${right} for v`), ...check, makeToken(key, claims({ chorus: { videos: ['v'], can: others } })), '--video', 'v', '--can', right);
  await fails(1, /header is not one that is understood/, ...check, makeToken(key, claims(), { crit: ['exp'] }));
  await fails(1, /would be refused/, '--jwt-keys', path, '--user', 'ann', '--video', 'a b');
  for (const words of [['--user', 'ann'], ['nonsense'], ['keys'], ['keys', path, '--algorithm', 'HS256', '--public', path], ['--for', '1w', '--user', 'ann', '--video', 'v'], ['--can', 'fly']])
    await fails(2, /Try `chorus token --help`/, ...words);
  await fails(1, /--jwt-keys/, '--user', 'ann', '--video', 'v');
});
