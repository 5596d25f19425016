// Set-ups: processes. One reader of a fleet dies, and its videos move.
// CI: no. token.test.mjs has a browser already; this one waits for a lease to end.
import assert from 'node:assert/strict';
import { owner, post } from '../integration/lib/api.mjs';
import { claims, makeKey, makeToken } from '../integration/lib/jwt.mjs';
import { lockedSystem, serviceToken } from '../integration/lib/locked.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { openPage } from './page.mjs';

scenario('an EventSource with a short token outlives its reader, whose video is another\'s when it is back', { ms: 90_000 }, async (t) => {
  const key = makeKey('ES256', 'k');
  const { system } = await lockedSystem(t, [key], { stable: true });
  const headers = { authorization: `Bearer ${makeToken(key)}` };
  const say = (text) => post(system, 'v', text, { user: 'ann', headers });
  const ownerNow = async () => (await fetch(`${system.comment}/resolve/v`, { headers: { authorization: `Bearer ${serviceToken}` } }).then((answer) => answer.json())).readerUrl;
  const reader = await owner(system, 'v'), name = `reader-${system.readers.indexOf(reader) + 1}`;
  const page = await openPage(t);
  const now = Math.floor(Date.now() / 1000);
  const token = makeToken(key, claims({ iat: now, exp: now + 5 }, { can: ['read'], until: now + 600 }));
  const url = `${system.others(reader)[0]}/connect?videoid=v&token=${token}`;
  // Until the readers share a key for tickets, viewers stay where they come.
  await until(async () => {
    const answer = await fetch(url, { redirect: 'manual' });
    await answer.body?.cancel();
    return answer.status === 307;
  }, 'a redirect', 10_000);
  await page.watch(url);
  const seen = () => page.page.evaluate(() => seen);
  await until(async () => (await seen()).connects.length === 1, 'the stream', 20_000);
  const stored = [await say('before')];
  await until(async () => (await seen()).comments.length === 1, 'the first comment', 20_000);
  assert.equal((await seen()).connects[0].origin, reader, 'it was redirected');

  await system.program.end1(name, 'SIGKILL');
  await until(async () => (await ownerNow()) !== reader, 'another reader for the video', 20_000);
  stored.push(await say('its reader is dead'));
  await until(() => Date.now() > (now + 5) * 1000, 'the token to expire', 10_000);
  await system.program.again(name);
  stored.push(await say('its reader is back'));
  await until(async () => (await seen()).comments.length === stored.length, async () => `all comments: ${JSON.stringify(await seen())}`, 30_000);
  assert.deepEqual((await seen()).comments, stored);
  assert.deepEqual((await seen()).gaps, []);
});
