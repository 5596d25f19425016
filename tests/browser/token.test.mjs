import assert from 'node:assert/strict';
import { owner, post } from '../integration/lib/api.mjs';
import { claims, makeKey, makeToken } from '../integration/lib/jwt.mjs';
import { lockedSystem } from '../integration/lib/locked.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { openPage } from './page.mjs';

const SESSION_S = 25;

scenario('an EventSource with a short token lives through its expiry, a redirect and a reader\'s death, until the session ends', { ms: 90_000 }, async (t) => {
  const key = makeKey('ES256', 'k');
  const { system } = await lockedSystem(t, [key], { stable: true });
  const poster = makeToken(key), headers = { authorization: `Bearer ${poster}` };
  const say = (text) => post(system, 'v', text, { user: 'ann', headers });
  const reader = await owner(system, 'v'), other = system.others(reader)[0];
  const page = await openPage(t);
  const now = Math.floor(Date.now() / 1000), exp = now + 5;
  const token = makeToken(key, claims({ iat: now, exp }, { can: ['read'], until: now + SESSION_S }));

  // One that is redirected, and one that stays: it comes back with the token, which has expired meanwhile.
  await page.watch(`${other}/connect?videoid=v&token=${token}`);
  await page.page.evaluate((url) => {
    window.stays = { comments: [], ends: 0 };
    const source = (window.stays.source = new EventSource(url));
    source.onmessage = ({ data }) => JSON.parse(data).type ?? window.stays.comments.push(JSON.parse(data));
    source.addEventListener('end', () => window.stays.ends++);
    window.ends = 0;
    window.source = () => source;
  }, `${reader}/connect?videoid=v&token=${token}`);
  const both = () => page.page.evaluate(() => ({ moved: seen, stays: window.stays, states: [source.readyState, window.stays.source.readyState] }));
  const see = (stored, what) => until(async () => {
    const { moved, stays } = await both();
    return [moved, stays].every(({ comments }) => comments.length >= stored.length);
  }, what, 20_000);

  await until(async () => (await both()).states.every((state) => state === 1), 'both streams', 20_000);
  const stored = [await say('before')];
  await see(stored, 'the first comment');
  await until(() => Date.now() > exp * 1000, 'the token to expire', 10_000);
  stored.push(await say('the token has expired'));
  await see(stored, 'the second comment');
  await system.restart('SIGKILL');
  stored.push(await say('the reader is back'));
  await see(stored, 'the comment after the reader\'s death');
  const { moved, stays } = await both();
  assert.deepEqual(moved.comments, stored);
  assert.deepEqual(stays.comments, stored);
  assert.equal(moved.connects[0].origin, reader, 'it was redirected');
  assert.ok(moved.connects.length > 1);

  await until(async () => (await both()).states.every((state) => state === 2), 'both to stay away after 204', (SESSION_S + 20) * 1000);
  assert.ok(Date.now() > (now + SESSION_S) * 1000);
  assert.equal((await both()).stays.ends, 1);
});
