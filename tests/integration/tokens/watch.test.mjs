// Who may watch: a stream needs a token with the right to read its video, wherever it begins.
// CI also: processes.
import assert from 'node:assert/strict';
import { call, post } from '../lib/api.mjs';
import { claims, makeKey, makeToken } from '../lib/jwt.mjs';
import { lockedSystem, refused, serviceToken } from '../lib/locked.mjs';
import { until } from '../lib/time.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';
import { Viewer } from '../lib/viewer.mjs';

const now = () => Math.floor(Date.now() / 1000);
const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});

// Where streams begin: each reader, and the comment port of `up`, by itself and under a reader's name.
const doors = (system) => [...system.readers.slice(0, 2), ...(setup === 'processes' ? [] : [system.comment, `${system.comment}/reader-1`])];

// What a stream that is asked for in each of the possible ways answers: {status, json, headers, text}.
const ways = {
  get: (base, query, headers) => call('GET', `${base}/connect?${new URLSearchParams(query)}`, { headers }),
  post: (base, query, headers) => call('POST', `${base}/connect`, { json: query, headers }),
};

const shortToken = (key, more = {}, chorus = {}) => makeToken(key, claims({ iat: now(), exp: now() + 60, ...more }, chorus));

// A viewer's connect as {status, json, text}, with its first event if there is one.
async function connect(t, base, { token, cookie, ...options } = {}) {
  const headers = { ...bearer(token), ...(cookie && { cookie: `chorus_token=${cookie}` }), ...options.headers };
  const viewer = await new Viewer({ video: 'v1', transport: 'http', ...options, headers }).connect(base);
  t.after(() => viewer.close());
  if (viewer.status === 200) await viewer.wait(() => viewer.connected, 'the first event');
  return Object.assign(viewer, { json: viewer.text ? JSON.parse(viewer.text) : undefined });
}

scenario('no stream begins without a token that has the right to read its video', async (t) => {
  const key = makeKey('ES256', 'k');
  const { system } = await lockedSystem(t, [key]);
  for (const base of doors(system))
    for (const ask of Object.values(ways)) {
      const withToken = (token, query = {}) => ask(base, { userid: 'ann', videoid: 'v1', ...query }, bearer(token));
      await refused(withToken(), 401, 'token_missing');
      await refused(withToken('garbage'), 401, 'token_invalid');
      await refused(withToken(makeToken(makeKey('ES256', 'k'))), 401, 'token_invalid');
      await refused(withToken(makeToken({ alg: 'none', kid: 'k', sign: () => Buffer.alloc(0) })), 401, 'token_invalid');
      await refused(withToken(makeToken(key, claims({ exp: now() - 1 }))), 401, 'token_expired');
      await refused(withToken(makeToken(key, claims({ nbf: now() + 60 }))), 401, 'token_not_yet_valid');
      await refused(withToken(makeToken(key, claims({ aud: 'other' }))), 401, 'token_wrong_audience');
      await refused(withToken(makeToken(key, claims({}, { videos: ['v2', 'v1-*'] }))), 403, 'not_allowed');
      await refused(withToken(makeToken(key, claims({}, { can: ['post', 'moderate'] }))), 403, 'not_allowed');
      await refused(withToken(makeToken(key), { userid: 'bob' }), 403, 'other_user');
      await refused(withToken(undefined, { last_event_id: `${Date.now()}-1` }), 401, 'token_missing');
    }
  assert.equal((await call('HEAD', `${system.readers[0]}/connect?videoid=v1`)).status, 401);
});

scenario('keys are rotated while streams begin, and none is refused or cut', { ms: 60_000 }, async (t) => {
  let key = makeKey('HS256', 'k0');
  const { system, write } = await lockedSystem(t, [key]);
  const base = system.readers[0], statuses = [];
  const stays = await connect(t, base, { user: 'ann', token: makeToken(key) });
  let stop = false;
  const comer = async () => {
    while (!stop) {
      const viewer = await connect(t, base, { user: 'ann', token: makeToken(key) });
      statuses.push(viewer.status);
      viewer.close();
    }
  };
  const comers = [comer(), comer()];
  for (let i = 1; i <= 10; i++) {
    const next = makeKey(i % 2 ? 'ES256' : 'HS256', `k${i}`), begun = statuses.length;
    write(key, next);
    key = next;
    await until(() => statuses.length >= begun + 4, () => 'streams with the new key');
  }
  stop = true;
  await Promise.all(comers);
  assert.deepEqual([...new Set(statuses)], [200]);
  await refused(connect(t, base, { user: 'ann', token: makeToken(makeKey('HS256', 'k0')) }), 401, 'token_invalid');
  await stays.reaches((await post(system, 'v1', 'after ten keys', { user: 'ann', headers: bearer(makeToken(key)) })).id);
  assert.equal(stays.ended, false);
});

scenario('a stream is of the token\'s user', async (t) => {
  const key = makeKey('ES256', 'k');
  const { system } = await lockedSystem(t, [key]);
  const token = makeToken(key, claims({}, { can: ['read'], videos: ['v*'] }));
  for (const base of doors(system))
    for (const method of ['GET', 'POST']) {
      const userOf = async (options) => (await connect(t, base, { method, ...options })).connected?.json.userid;
      assert.equal(await userOf({ token, user: 'ann' }), 'ann');
      assert.equal(await userOf({ token, user: undefined, fields: { userid: 'ann' } }), 'ann');
      assert.equal(await userOf({ token: serviceToken, user: 'bot' }), 'bot');
      await refused(connect(t, base, { method, token: serviceToken, user: 'no id' }), 400, 'invalid_field');
    }
  assert.equal((await call('HEAD', `${system.comment}/connect?videoid=v1`, { headers: bearer(token) })).status, setup === 'processes' ? 404 : 200);
});

scenario('a token in an address is short-lived, one in a cookie of the same origin', async (t) => {
  const key = makeKey('HS256', 'k');
  const { system } = await lockedSystem(t, [key]);
  const short = shortToken(key), long = makeToken(key, claims({ iat: now() }));
  for (const base of doors(system)) {
    // Whichever reader has the video: a redirect would lose the token, or pass it on.
    for (const options of [{ query: { token: short } }, { cookie: long }, ...['same-origin', 'none'].map((site) => ({ cookie: long, headers: { 'sec-fetch-site': site } }))]) {
      const viewer = await connect(t, base, { user: 'ann', ...options });
      assert.deepEqual([viewer.status, viewer.connected?.json.userid], [200, 'ann'], viewer.text);
      for (const { headers } of viewer.redirects) assert.doesNotMatch(headers.location, /token/);
    }
    await refused(connect(t, base, { query: { token: long } }), 401, 'token_too_long_lived');
    await refused(connect(t, base, { query: { token: makeToken(key, claims({ exp: now() + 60 })) } }), 401, 'token_too_long_lived');
    await refused(connect(t, base, { query: { token: serviceToken } }), 401, 'token_invalid');
    for (const headers of [{ origin: 'https://elsewhere.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])
      await refused(connect(t, base, { cookie: long, headers }), 401, 'token_missing');
  }
});

scenario('a stream resumes with an expired token until the end of its session, which is a 204', async (t) => {
  const key = makeKey('HS256', 'k');
  const { system } = await lockedSystem(t, [key]);
  for (const base of doors(system)) {
    const { connected: { id } } = await connect(t, base, { token: makeToken(key), user: 'ann' });
    const old = (until, chorus) => shortToken(key, { iat: now() - 100, exp: now() - 40 }, { until, ...chorus });
    for (const via of ['header', 'query']) {
      const resume = (token, options) => connect(t, base, { user: 'ann', from: id, via, query: { token }, ...options });
      assert.equal((await resume(old(now() + 3600))).status, 200);
      assert.equal((await resume(old(now() - 1))).status, 204);
      assert.equal((await resume(old(undefined))).status, 204);
      assert.equal((await resume(undefined, { query: {}, token: old(now() + 3600) })).status, 200);
      await refused(resume(undefined, { query: {}, token: old(now() - 1) }), 401, 'token_expired');
      assert.equal((await resume(undefined, { query: {}, cookie: old(now() - 1) })).status, 204);
      await refused(resume(old(now() + 3600, { videos: ['v2'] })), 403, 'not_allowed');
      await refused(resume(makeToken(key, claims({ iat: now() - 1000, exp: now() - 1 }, { until: now() + 3600 }))), 401, 'token_too_long_lived');
    }
    await refused(connect(t, base, { user: 'ann', query: { token: old(now() + 3600) } }), 401, 'token_expired');
    await refused(connect(t, base, { user: 'ann', from: 'garbage', query: { token: old(now() + 3600) } }), 401, 'token_expired');
    await refused(connect(t, base, { user: 'ann', token: makeToken(key, claims({}, { until: now() - 1 })) }), 401, 'token_expired');
  }
});

scenario('a stream ends when its session does, with an event where it can have one', async (t) => {
  const key = makeKey('HS256', 'k');
  const { system } = await lockedSystem(t, [key]);
  const base = system.readers[0];
  const token = shortToken(key, {}, { until: now() + 2 });
  const stays = await connect(t, base, { token: makeToken(key), user: 'ann' });
  const started = await connect(t, base, { user: 'ann', query: { token }, session: true });
  const old = await connect(t, base, { user: 'ann', query: { token }, session: true, transport: 'http/1.0' });
  await post(system, 'v1', 'the last one', { user: 'ann', headers: bearer(makeToken(key)) });
  for (const viewer of [started, old]) {
    await viewer.wait(() => viewer.ended, 'the end', 10_000);
    assert.deepEqual([viewer.over, viewer.comments.length], [{ type: 'end', reason: 'token' }, 1]);
  }
  assert.equal((await connect(t, base, { user: 'ann', query: { token }, from: started.connected.id })).status, 204);
  await until(() => /stream_closed .*reason=token_ended/.test(system.stderr + system.stdout), 'the line of its end');
  assert.equal(stays.ended, false);
});

scenario('a page of any origin may send its token in a header, and no cookies', async (t) => {
  const { system } = await lockedSystem(t, [makeKey('HS256', 'k')]);
  for (const base of doors(system)) {
    const preflight = await call('OPTIONS', `${base}/connect`, {
      headers: { origin: 'https://app.example', 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
    });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers['access-control-allow-headers'], /\bauthorization\b/);
    const refusal = await call('GET', `${base}/connect?videoid=v1`, { headers: { origin: 'https://app.example' } });
    for (const { headers } of [preflight, refusal]) {
      assert.equal(headers['access-control-allow-origin'], '*');
      assert.equal(headers['access-control-allow-credentials'], undefined);
    }
  }
});
