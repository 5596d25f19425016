// Every endpoint that takes a token refuses every bad one, in the same words.
// CI also: processes. There each role has its own port and keys.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { call } from '../lib/api.mjs';
import { claims, makeKey, makeToken } from '../lib/jwt.mjs';
import { lockedSystem } from '../lib/locked.mjs';
import { scenario } from '../lib/scenario.mjs';

const issuer = 'https://id.example', audience = 'chorus', now = Math.floor(Date.now() / 1000);
const good = (more, chorus) => claims({ iss: issuer, aud: audience, ...more }, { can: ['read', 'post', 'moderate'], ...chorus });

const flags = { 'jwt-issuer': issuer, 'jwt-audience': audience, 'internal-from': '10.255.255.255' };

// By what is wrong: the token, and the answer.
function badTokens(hs, rs) {
  const confused = (secret, kid) => ({ alg: 'HS256', kid, sign: (text) => createHmac('sha256', secret).update(text).digest() });
  const unsigned = (alg) => ({ alg, kid: 'hs', sign: () => Buffer.alloc(0) });
  const pem = rs.publicKey.export({ type: 'spki', format: 'pem' });
  return {
    'no token': [undefined, '401 token_missing'],
    garbage: ['garbage', '401 token_invalid'],
    'the algorithm none': [makeToken(unsigned('none'), good()), '401 token_invalid'],
    'the algorithm None, without a kid': [makeToken({ ...unsigned('None'), kid: undefined }, good()), '401 token_invalid'],
    'no signature': [makeToken(unsigned('HS256'), good()), '401 token_invalid'],
    'a public key as a secret': [makeToken(confused(pem, 'rs'), good()), '401 token_invalid'],
    'a public key as a secret, without a kid': [makeToken(confused(pem, undefined), good()), '401 token_invalid'],
    'another algorithm than the key has': [makeToken({ ...hs, alg: 'RS256' }, good()), '401 token_invalid'],
    'another key': [makeToken(makeKey('HS256', 'hs'), good()), '401 token_invalid'],
    'an unknown kid': [makeToken({ ...hs, kid: 'gone' }, good()), '401 token_invalid'],
    'another issuer': [makeToken(hs, good({ iss: `${issuer}/` })), '401 token_wrong_issuer'],
    'no issuer': [makeToken(hs, good({ iss: undefined })), '401 token_wrong_issuer'],
    'another audience': [makeToken(hs, good({ aud: ['other'] })), '401 token_wrong_audience'],
    'no audience': [makeToken(hs, good({ aud: undefined })), '401 token_wrong_audience'],
    'the past': [makeToken(hs, good({ exp: now - 1 })), '401 token_expired'],
    'no end': [makeToken(hs, good({ exp: undefined })), '401 token_invalid'],
    'the future (nbf)': [makeToken(hs, good({ nbf: now + 600 })), '401 token_not_yet_valid'],
    'the future (iat)': [makeToken(hs, good({ iat: now + 600 })), '401 token_not_yet_valid'],
    'too many bytes': [makeToken(hs, good({ pad: 'x'.repeat(4000) })), '401 token_invalid'],
    'another video': [makeToken(hs, good({}, { videos: ['w', 'v-*'] })), '403 not_allowed'],
    'no video': [makeToken(hs, good({}, { videos: undefined })), '403 not_allowed'],
    'no right': [makeToken(hs, good({}, { can: ['react'] })), '403 not_allowed'],
  };
}

// What takes a token: name, request, and the status for a good one. Removing comes last.
function endpoints(system) {
  const connect = (base) => `${base}/connect?userid=ann&videoid=v&redirect=never`;
  const places = [['comment', system.comment], ['manager', system.manager]];
  return [
    ['POST /comment', 'POST', `${system.comment}/comment`, { videoid: 'v', comment: 'hi' }, 201],
    ...places.flatMap(([role, base]) => [
      [`POST /register, ${role}`, 'POST', `${base}/register`, { videoid: 'v' }, 200],
      [`GET /resolve, ${role}`, 'GET', `${base}/resolve/v`, undefined, 200],
    ]),
    ['GET /videos/v/comments', 'GET', `${system.comment}/videos/v/comments`, undefined, 200],
    ['GET /videos/v', 'GET', `${system.comment}/videos/v`, undefined, 200],
    ['PUT /videos/v', 'PUT', `${system.comment}/videos/v`, { state: 'open' }, 200],
    ...system.readers.slice(0, 1).flatMap((base) => [
      ['GET /connect', 'GET', connect(base), undefined, 200],
      ['POST /connect', 'POST', `${base}/connect`, { userid: 'ann', videoid: 'v', redirect: 'never' }, 200],
    ]),
    ['DELETE /videos/v', 'DELETE', `${system.comment}/videos/v`, undefined, 200],
  ];
}

// Status and code; a stream is left as soon as it begins.
async function ask(method, url, json, token) {
  const headers = { ...(json && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) };
  const left = new AbortController();
  const response = await fetch(url, { method, headers, body: json && JSON.stringify(json), signal: left.signal });
  const code = response.ok ? undefined : (await response.json()).code;
  left.abort();
  return { status: response.status, code, challenge: response.headers.get('www-authenticate') };
}

scenario('no endpoint accepts a bad token', { ms: 60_000 }, async (t) => {
  const hs = makeKey('HS256', 'hs'), rs = makeKey('RS256', 'rs');
  const { system } = await lockedSystem(t, [hs, rs], { flags });
  const bad = Object.entries(badTokens(hs, rs));
  for (const [name, method, url, json, success] of endpoints(system)) {
    for (const [what, [token, expected]] of bad) {
      const { status, code, challenge } = await ask(method, url, json, token);
      assert.equal(`${status} ${code}`, expected, `${name}: ${what}`);
      assert.match(challenge, /^Bearer/, `${name}: ${what}`);
    }
    for (const key of [hs, rs]) assert.equal((await ask(method, url, json, makeToken(key, good()))).status, success, name);
  }
});

scenario('lists of all videos show nothing for a bad token', async (t) => {
  const hs = makeKey('HS256', 'hs'), rs = makeKey('RS256', 'rs');
  const { system } = await lockedSystem(t, [hs, rs], { flags });
  for (const base of [system.comment, system.statistics]) {
    for (const [what, [token]] of Object.entries(badTokens(hs, rs))) {
      const headers = token ? { authorization: `Bearer ${token}` } : {};
      assert.deepEqual((await call('GET', `${base}/videos`, { headers })).json.videos, [], what);
      assert.equal((await call('GET', `${base}/statistics`, { headers })).json.readerApis.readers, undefined, what);
    }
  }
});
