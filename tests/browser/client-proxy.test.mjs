// The client behind a proxy that fails.
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { call, post, postMany } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { Browser } from './live.mjs';
import { startRelay } from './relay.mjs';

const posts = (relay) => relay.seen.filter(({ method, path }) => method === 'POST' && path === '/comment');

scenario('a proxy cuts the stream, and answers 502 once: the client resumes where it was', { ms: 60_000 }, async (t) => {
  const system = await t.system(), relay = await startRelay(t, system);
  const tab = await (await Browser.start(t)).open({ server: relay.url, video: 'v', user: 'u' });
  await tab.live();
  const stored = [await post(system, 'v', 'before')];
  await tab.shows(stored);
  relay.on('/connect', { status: 502 });
  relay.cut();
  stored.push(...(await postMany(system, 'v', 30)));
  assert.deepEqual(await tab.shows(stored, 20_000), stored);
  const { gaps, states } = await tab.seen();
  assert.deepEqual(gaps, []);
  assert.ok(states.some(({ code }) => code === 'http_502'), JSON.stringify(states));
  assert.ok(relay.seen.filter(({ path }) => path === '/connect').length >= 3);
});

scenario('a slow POST is sent once, one whose answer is lost again with its key; each is stored once', { ms: 60_000 }, async (t) => {
  const system = await t.system(), relay = await startRelay(t, system);
  const tab = await (await Browser.start(t)).open({ server: relay.url, video: 'v', user: 'u' });
  await tab.live();
  relay.on('/comment', { delay: 3_000 });
  const slow = await tab.post('slow');
  assert.equal(posts(relay).length, 1);
  relay.on('/comment', { lose: true });
  const lost = await tab.post('lost');
  const keys = posts(relay).map(({ key }) => key);
  assert.deepEqual([keys.length, keys[1]], [3, keys[2]]);
  assert.deepEqual(await tab.shows([slow, lost]), [slow, lost]);
  assert.deepEqual((await call('GET', `${system.comment}/videos/v/comments`)).json.comments, [slow, lost]);
  assert.deepEqual(await tab.page.evaluate(() => live.comments({ limit: 1 })), { videoid: 'v', comments: [lost], more: true });
});
