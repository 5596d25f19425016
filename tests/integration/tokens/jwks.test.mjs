// --jwks-url: keys from a server that is slow, fails, lies, and rotates them under load.
// CI also: processes. There each process fetches them for itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { once } from 'node:events';
import { call, postResults } from '../lib/api.mjs';
import { claims, keySet, makeKey, makeToken } from '../lib/jwt.mjs';
import { scenario } from '../lib/scenario.mjs';
import { makeAuthority } from '../lib/tls.mjs';
import { until } from '../lib/time.mjs';

// A server of keys. `answer`, a handler, may be replaced at any time.
async function keyServer(t, tls) {
  const found = { answer: null, asked: [] };
  const handle = (request, response) => {
    found.asked.push(request.url);
    found.answer(response, request);
  };
  const server = tls ? https.createServer(tls, handle) : http.createServer(handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => new Promise((done) => (server.close(done), server.closeAllConnections())));
  return Object.assign(found, { url: `http${tls ? 's' : ''}://127.0.0.1:${server.address().port}/keys.json` });
}

const serving = (...keys) => (response) => response.end(keySet(...keys));
const send = async (system, token, comment = 'hi') => {
  const { status, json } = await call('POST', `${system.comment}/comment`, { json: { videoid: 'v', comment }, headers: { authorization: `Bearer ${token}` } });
  return json.code ? `${status} ${json.code}` : `${status}`;
};

scenario('keys are rotated under load, and no honest request is refused', { ms: 60_000 }, async (t) => {
  const server = await keyServer(t);
  let key = makeKey('ES256', 'k0');
  server.answer = serving(key);
  const system = await t.system({ flags: { 'jwks-url': server.url } });
  const answers = [];
  let stop = false;
  const poster = async () => {
    while (!stop) answers.push(await send(system, makeToken(key)));
  };
  const posters = [poster(), poster(), poster()];
  for (let i = 1; i <= 4; i++) {
    const next = makeKey(i % 2 ? 'HS256' : 'ES256', `k${i}`), posted = answers.length;
    server.answer = serving(key, next);
    key = next; // tokens of the new key come at once
    await until(() => answers.length >= posted + 6, 'posts with the new key');
  }
  stop = true;
  await Promise.all(posters);
  assert.deepEqual([...new Set(answers)], ['201']);
  assert.ok(server.asked.every((path) => path === '/keys.json'));
  const asked = server.asked.length, processes = system.program.signal('SIGHUP');
  await until(() => server.asked.length >= asked + processes, 'the keys to be fetched at SIGHUP');
});

scenario('a long comment is read in full after the keys have been waited for', async (t) => {
  const server = await keyServer(t);
  const first = makeKey('ES256', 'first'), next = makeKey('ES256', 'next'), comment = 'long '.repeat(390).trim();
  server.answer = serving(first);
  const system = await t.system({ flags: { 'jwks-url': server.url } });
  assert.equal(await send(system, makeToken(first), comment), '201');
  server.answer = serving(first, next);
  assert.equal(await send(system, makeToken(next), comment), '201');
});

scenario('a post that waits for keys is counted once, by what became of it', async (t) => {
  const server = await keyServer(t);
  const first = makeKey('ES256', 'first'), next = makeKey('ES256', 'next');
  server.answer = serving(first);
  const system = await t.system({ flags: { 'jwks-url': server.url } });
  assert.equal(await send(system, makeToken(first)), '201');
  server.answer = serving(first, next);
  assert.equal(await send(system, makeToken(next)), '201');
  assert.equal(await send(system, makeToken(makeKey('ES256', 'never'))), '401 token_invalid');
  assert.deepEqual(await postResults(system), { accepted: 2, not_allowed: 1 });
  server.answer = (response) => response.writeHead(503).end();
  assert.equal(await send(system, makeToken(makeKey('ES256', 'late'))), '503 keys_unavailable');
  assert.deepEqual(await postResults(system), { accepted: 2, not_allowed: 2 });
});

scenario('while the server fails the keys before remain, and it is asked at a bounded rate', { ms: 60_000 }, async (t) => {
  const server = await keyServer(t), elsewhere = await keyServer(t);
  const key = makeKey('ES256', 'k'), other = makeKey('ES256', 'other'), token = makeToken(key);
  elsewhere.answer = serving(other);
  server.answer = serving(key);
  const system = await t.system({ flags: { 'jwks-url': server.url } });
  assert.equal(await send(system, token), '201');
  const processes = server.asked.length;
  const failures = {
    'an error': (response) => response.writeHead(500).end(keySet(other)),
    'a redirect': (response) => response.writeHead(302, { location: elsewhere.url }).end(),
    'a huge answer': (response) => response.end(JSON.stringify({ keys: [other.jwk], more: 'x'.repeat(300_000) })),
    'no JSON': (response) => response.end('<html>'),
    'no keys': (response) => response.end('{"keys":[]}'),
    silence: () => {},
    'a cut': (response) => response.destroy(),
  };
  for (const [name, answer] of Object.entries(failures)) {
    server.answer = answer;
    const began = performance.now(), asked = server.asked.length;
    assert.equal(await send(system, makeToken(other)), '503 keys_unavailable', name);
    assert.equal(await send(system, token), '201', name);
    assert.ok(server.asked.length > asked, name);
    assert.ok(server.asked.length - asked <= processes * Math.ceil((performance.now() - began) / 1000 + 1), `${name}: asked ${server.asked.length - asked} times`);
  }
  assert.deepEqual(elsewhere.asked, []);
  server.answer = serving(key); // many tokens of an invented key ask for one fetch a second
  const began = performance.now(), asked = server.asked.length;
  const invented = await Promise.all(Array.from({ length: 200 }, (_, i) => send(system, makeToken({ ...other, kid: `invented-${i}` }))));
  assert.deepEqual([...new Set(invented)], ['401 token_invalid']);
  assert.ok(server.asked.length - asked <= processes * Math.ceil((performance.now() - began) / 1000 + 1));
  server.answer = serving(key, other);
  assert.equal(await send(system, makeToken(other)), '201');
});

scenario('what a token says of keys is not asked', async (t) => {
  const server = await keyServer(t), attacker = await keyServer(t);
  const key = makeKey('ES256', 'k'), own = makeKey('ES256', 'own');
  server.answer = serving(key);
  attacker.answer = serving(own);
  const system = await t.system({ flags: { 'jwks-url': server.url } });
  for (const header of [{ jku: attacker.url }, { x5u: attacker.url }, { jwk: own.jwk }, { kid: attacker.url }])
    assert.equal(await send(system, makeToken(own, claims({ iss: attacker.url }), header)), '401 token_invalid');
  assert.deepEqual(attacker.asked, []);
});

scenario('a system starts without keys, and waits for them', { ms: 60_000 }, async (t) => {
  const server = await keyServer(t);
  const key = makeKey('ES256', 'k');
  server.answer = (response) => response.writeHead(503).end();
  const system = await t.system({ flags: { 'jwks-url': server.url, 'jwks-interval-ms': 200 } });
  assert.equal(await send(system, makeToken(key)), '503 keys_unavailable');
  server.answer = serving(key);
  await until(async () => (await send(system, makeToken(key))) === '201', 'the keys');
  const next = makeKey('ES256', 'k'); // the same name: only the interval finds it
  server.answer = serving(next);
  await until(async () => (await send(system, makeToken(next))) === '201', 'the next keys');
  assert.equal(await send(system, makeToken(key)), '401 token_invalid');
});

scenario('over TLS the server has to be the one that the URL names', { ms: 60_000 }, async (t) => {
  const { of: [good, bad] } = makeAuthority(t.folder(), ['IP:127.0.0.1', 'DNS:other.example']);
  const key = makeKey('EdDSA', 'k');
  const over = (files) => keyServer(t, { key: readFileSync(files.key), cert: readFileSync(files.certificate) });
  const trusted = await over(good), mistaken = await over(bad);
  trusted.answer = mistaken.answer = serving(key);
  const system = await t.system({ flags: { 'jwks-url': trusted.url, 'jwks-ca': good.ca } });
  assert.equal(await send(system, makeToken(key)), '201');
  for (const flags of [{ 'jwks-url': mistaken.url, 'jwks-ca': good.ca }, { 'jwks-url': trusted.url }]) {
    const other = await t.system({ flags });
    assert.equal(await send(other, makeToken(key)), '503 keys_unavailable');
  }
  assert.deepEqual(mistaken.asked, []);
});
