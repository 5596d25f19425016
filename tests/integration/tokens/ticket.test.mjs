// A redirect carries a ticket in place of the token: for one reader, for one video, and used once.
// CI also: processes. There the readers share the key through Redis.
import assert from 'node:assert/strict';
import { call, owner, post } from '../lib/api.mjs';
import { claims, makeKey, makeToken } from '../lib/jwt.mjs';
import { lockedSystem, refused } from '../lib/locked.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { watch, Viewer } from '../lib/viewer.mjs';

const now = () => Math.floor(Date.now() / 1000);
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const shortToken = (key, chorus = {}, more = {}) => makeToken(key, claims({ iat: now(), exp: now() + 60, ...more }, { can: ['read'], ...chorus }));

// A system, the reader that has the video v, and another one.
async function redirecting(t, options = {}) {
  const key = makeKey('HS256', 'k');
  const { system } = await lockedSystem(t, [key], options);
  const all = makeToken(key);
  await watch(system.readers[0], { video: 'v', user: 'ann', headers: bearer(all) }).then((viewer) => viewer.close());
  const has = await owner(system, 'v', { headers: bearer(all) });
  return { key, system, all, has, other: system.others(has)[0], third: system.others(has)[1] };
}

// Where the other reader redirects to; it does so as soon as it has the key.
async function redirected(other, { query = {}, headers = {} }) {
  const ask = () => call('GET', `${other}/connect?${new URLSearchParams({ videoid: 'v', ...query })}`, { headers });
  let answer;
  await until(async () => (answer = await Promise.race([ask(), new Promise((resolve) => setTimeout(resolve, 1000))]))?.status === 307, () => `a redirect of ${other}: ${answer?.text}`);
  return answer.headers.location;
}

async function open(t, url, options = {}) {
  const { origin, pathname, searchParams } = new URL(url);
  assert.equal(pathname, '/connect');
  const viewer = await new Viewer({ transport: 'http', user: undefined, fields: Object.fromEntries(searchParams), ...options }).connect(origin);
  t.after(() => viewer.close());
  if (viewer.status === 200) await viewer.wait(() => viewer.connected, 'the first event');
  return Object.assign(viewer, { json: viewer.text ? JSON.parse(viewer.text) : undefined });
}

scenario('a viewer is redirected with a ticket, which is used once', async (t) => {
  const { key, system, all, has, other, third } = await redirecting(t);
  const token = shortToken(key, { until: now() + 600 });
  for (const options of [{ query: { token } }, { headers: { cookie: `chorus_token=${token}` } }, { headers: bearer(token) }]) {
    const location = await redirected(other, options);
    assert.equal(new URL(location).origin, has);
    assert.ok(!location.includes(token) && !location.includes('token='), location);
    const viewer = await open(t, location);
    assert.deepEqual([viewer.status, viewer.connected?.json.userid], [200, 'ann'], viewer.text);
    const comment = await post(system, 'v', 'hi', { user: 'ann', headers: bearer(all) });
    await viewer.reaches(comment.id);
    // Used again, at another reader, for another video, as another user, and changed.
    await refused(open(t, location), 401, 'ticket_invalid');
    const moved = (base, more = {}) => {
      const url = new URL(location.replace(has, base));
      for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
      return open(t, url.href);
    };
    const fresh = await redirected(other, options), ticket = new URL(fresh).searchParams.get('ticket');
    await refused(moved(third, { ticket }), 401, 'ticket_invalid');
    await refused(moved(has, { ticket, videoid: 'w' }), 403, 'not_allowed');
    await refused(moved(has, { ticket, userid: 'bob' }), 403, 'other_user');
    for (let i = 0; i < ticket.length; i += 17) {
      const changed = `${ticket.slice(0, i)}${ticket[i] === 'A' ? 'B' : 'A'}${ticket.slice(i + 1)}`;
      await refused(moved(has, { ticket: changed }), 401, 'ticket_invalid');
    }
    assert.equal((await moved(has, { ticket })).status, 200);
    // One that comes back does so with the same address and a position; a reader that has it no longer makes another.
    const again = await open(t, location, { from: viewer.position });
    assert.equal(again.status, 200);
  }
});

scenario('a ticket ends with the session of its token', async (t) => {
  const { key, has, other } = await redirecting(t);
  const location = await redirected(other, { query: { token: shortToken(key, { until: now() + 3 }) } });
  const viewer = await open(t, location, { session: true });
  await viewer.wait(() => viewer.ended, 'the end', 10_000);
  assert.deepEqual(viewer.over, { type: 'end', reason: 'token' });
  assert.equal((await open(t, location, { from: viewer.position })).status, 204);
  assert.ok(location.startsWith(has));
});

scenario('where the client sends its token itself there is no ticket', async (t) => {
  const { all, other } = await redirecting(t);
  const viewer = await new Viewer({ video: 'v', user: 'ann', transport: 'http', headers: bearer(all), query: { events: 'move' } }).connect(other);
  t.after(() => viewer.body.destroy());
  assert.equal(viewer.status, 200);
  const { text } = await call('GET', `${other}/connect?videoid=v&events=move`, { headers: bearer(all) });
  const { type, url } = JSON.parse(text.match(/^data: (.*)$/m)[1]);
  assert.equal(type, 'move');
  assert.doesNotMatch(url, /ticket|token/);
});

scenario('after a restart of its reader a ticket is for those that come back', { disk: true }, async (t) => {
  const { key, system, other } = await redirecting(t, { stable: true });
  const location = await redirected(other, { query: { token: shortToken(key, { until: now() + 600 }) } });
  const unused = await redirected(other, { query: { token: shortToken(key, { until: now() + 600 }) } });
  const viewer = await open(t, location);
  await system.restart('SIGKILL');
  await until(async () => (await open(t, location, { from: viewer.position })).status === 200, 'the viewer is back');
  await refused(open(t, unused), 401, 'ticket_invalid');
});
