// The viewer page on bad days: what is slow, lost, refused or away between it and the servers.
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { owner, post } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { FAILED_REQUEST, openBrowser, openWatch } from './watch.mjs';

// As a gateway answers when what is behind it restarts: with a page of its own, and without CORS.
const BAD_GATEWAY = { status: 502, contentType: 'text/html', body: '<h1>502 Bad Gateway</h1>' };

scenario('a proxy answers 502 once, at first and in place of a lost stream: the page comes back, and misses nothing', { ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true });
  let refuse = 1, refused = 0;
  const watch = await openWatch(t, system, {
    expect: [FAILED_REQUEST, /CORS policy/, /ERR_(CONNECTION|INCOMPLETE|EMPTY)/],
    route: (page) => page.route(/\/connect\?/, (route) => {
      if (refuse-- <= 0) return route.continue();
      refused++;
      return route.fulfill(BAD_GATEWAY);
    }),
  });
  assert.equal(refused, 1);
  await post(system, 'v', 'before');
  await watch.sees('before');
  refuse = 1;
  await system.restart('SIGKILL');
  await post(system, 'v', 'while away');
  await watch.sees('before', 'while away');
  await watch.column.live();
  assert.equal(refused, 2);
  assert.deepEqual(await watch.column.texts(), ['before', 'while away'], 'in order, and once');
  assert.equal(await watch.column.find('.gap').count(), 0);
});

scenario('a slow POST: the comment is shown at once as on its way, Enter twice sends once, and it is confirmed', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  let release, posts = 0;
  const held = new Promise((resolve) => (release = resolve));
  const watch = await openWatch(t, system, {
    route: (page) => page.route('**/comment', async (route) => {
      posts++;
      await held;
      await route.continue();
    }),
  });
  await watch.column.input.fill('slowly');
  await watch.column.input.press('Enter');
  await watch.column.input.fill('slowly');
  await watch.column.input.press('Enter');
  await watch.column.wait(([row]) => row?.text === 'slowly' && row.state === 'sending', 'the comment on its way');
  await watch.column.wait((rows) => rows.length === 1, 'one of it');
  release();
  await watch.column.wait((rows) => rows.length === 1 && rows[0].id && !rows[0].state, 'the comment confirmed');
  assert.equal(posts, 1);
});

scenario('an answer to a POST is lost: it is sent again with the same key at most, and stored once', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const keys = [];
  const watch = await openWatch(t, system, {
    expect: [FAILED_REQUEST],
    route: (page) => page.route('**/comment', async (route) => {
      keys.push(route.request().headers()['idempotency-key']);
      if (keys.length > 1) return route.continue();
      await route.fetch(); // it has been stored, and its answer is lost
      return route.abort('connectionreset');
    }),
  });
  const other = await openWatch(t, system);
  await watch.column.say('only once');
  await watch.column.say('and the next');
  await other.sees('only once', 'and the next');
  await watch.column.wait((rows) => rows.length === 2 && rows.every(({ id, state }) => id && !state), 'both confirmed');
  assert.deepEqual((await other.column.texts()).sort(), ['and the next', 'only once']);
  // Where the stream brings it before it is sent again, it need not be.
  assert.equal(new Set(keys).size, 2, `a key for each comment, however often it is sent: ${keys}`);
});

scenario('the server is away: said in words, the text is kept, and all goes on when it is back', { ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true });
  const watch = await openWatch(t, system, { expect: [FAILED_REQUEST, /ERR_/] });
  await system.stop('SIGKILL');
  await watch.page.locator('#badge.reconnecting').waitFor();
  await watch.problem.getByText('does not answer').waitFor();
  assert.equal(await watch.badge.textContent(), 'Reconnecting');
  await watch.column.find('.banner').getByText(/[Tt]rying again/).waitFor();
  await watch.column.say('written while away');
  await watch.column.wait((rows) => rows[0]?.state, 'the comment kept');
  await system.restart();
  await watch.column.find('.banner').getByRole('button', { name: 'Try again' }).click().catch(() => {}); // or it has by itself
  await watch.column.live();
  assert.equal(await watch.problem.isVisible(), false);
  const again = watch.column.find('.failed').getByRole('button', { name: 'Send again' });
  if (await again.count()) await again.click();
  await watch.column.wait((rows) => rows.some(({ text, id }) => text === 'written while away' && id), 'the comment, stored');
});

scenario('a reader that this browser cannot reach is named', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const watch = await openWatch(t, system, {
    live: false, expect: [FAILED_REQUEST, /ERR_/],
    route: (page) => page.route(`${reader}/**`, (route) => route.abort('connectionrefused')),
  });
  await watch.problem.getByText(new URL(reader).port).waitFor();
  assert.match(await watch.problem.textContent(), /does not answer this browser/);
});

scenario('under an https page with an http reader, a proxy that does not pass /connect on is named', { ms: 60_000 }, async (t) => {
  const system = await t.system({ readers: 1, flags: { 'public-host': 'comments.example' } });
  const watch = await openWatch(t, system, {
    live: false, expect: [/./], ignoreHTTPSErrors: true,
    route: async (page) => {
      // Chromium takes the page for one that came over https.
      await page.route('https://watch.example/**', async (route) => {
        const url = new URL(route.request().url());
        if (url.pathname === '/connect') return route.fulfill({ status: 404, body: '{}' });
        const response = await route.fetch({ url: system.comment + url.pathname + url.search });
        return route.fulfill({ response });
      });
      page.goto = ((goto) => () => goto.call(page, 'https://watch.example/watch/v'))(page.goto);
    },
  });
  await watch.problem.getByText('https').waitFor();
  assert.match(await watch.problem.textContent(), /https:\/\/watch\.example\/connect and not at http:\/\/comments\.example:\d+; and that answers 404/);
});

scenario('eight tabs of one browser all get what is posted, and the eighth takes part', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const context = await openBrowser(t);
  const tabs = [];
  for (let i = 0; i < 8; i++) tabs.push(await openWatch(t, system, { context }));
  await post(system, 'v', 'to all');
  for (const tab of tabs) await tab.sees('to all');
  await tabs[7].column.say('from the eighth');
  for (const tab of tabs) await tab.sees('from the eighth');
  await tabs[0].page.close();
  await post(system, 'v', 'without the first');
  for (const tab of tabs.slice(1)) await tab.sees('to all', 'from the eighth', 'without the first');
  assert.deepEqual(await tabs[3].column.texts(), ['to all', 'from the eighth', 'without the first']);
});
