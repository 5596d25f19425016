// Set-ups: embedded, up-redis.
// Long: 15.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { post, postMany } from '../integration/lib/api.mjs';
import { claims, makeKey, makeToken } from '../integration/lib/jwt.mjs';
import { lockedSystem } from '../integration/lib/locked.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { Column, documentOf, embed, launch, serve } from './embedding.mjs';

scenario('<live-comments> in a page of another origin with a strict policy shows comments and posts them', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  await postMany(system, 'v', 3, { atOnce: 1 });
  const browser = await launch(t);
  const ann = await embed(t, system, { browser, elements: '<live-comments video="v" user="ann" name="Ann Smith"></live-comments>' });
  const bob = await embed(t, system, { browser });
  await Promise.all([ann.live(), bob.live()]);
  await ann.say('Great video!');
  await ann.wait((rows) => rows.some(({ text, own, state }) => text === 'Great video!' && own && !state), 'the own comment, confirmed');
  const [row] = (await bob.wait((rows) => rows.length >= 1, 'the comment in another browser')).slice(-1);
  assert.deepEqual([row.text, row.name, row.own], ['Great video!', 'Ann Smith', false]);
  await bob.say('Indeed.');
  await ann.wait((rows) => rows.at(-1).text === 'Indeed.' && /^Guest \d{4}$/.test(rows.at(-1).name), 'the answer, with a made name');
});

scenario('<live-comments> works in a file on disk, whose origin is null', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const file = join(t.folder(), 'page.html');
  writeFileSync(file, documentOf(system, '<live-comments video="v"></live-comments>'));
  const page = await (await launch(t)).newPage();
  await page.goto(pathToFileURL(file).href);
  const column = new Column(page);
  await column.live();
  await post(system, 'v', 'hello, file');
  await column.wait((rows) => rows.at(-1)?.text === 'hello, file', 'a comment');
  await column.say('hello, server');
  await column.wait((rows) => rows.some(({ text, state }) => text === 'hello, server' && !state), 'the own comment, confirmed');
});

scenario('<live-comments> works in a sandboxed frame, which has no storage and no Web Locks', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const url = await serve(t, { '/': '<!doctype html><title>outer</title><iframe sandbox="allow-scripts allow-forms" src="/inner" width="400" height="600"></iframe>', '/inner': documentOf(system, '<live-comments video="v"></live-comments>') });
  const page = await (await launch(t)).newPage(), wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.goto(url);
  const column = new Column(page.frames()[1]);
  await column.live();
  await post(system, 'v', 'hello, frame');
  await column.wait((rows) => rows.at(-1)?.text === 'hello, frame', 'a comment');
  await column.say('hello from it');
  await column.wait((rows) => rows.some(({ text, state }) => text === 'hello from it' && !state), 'the own comment, confirmed');
  assert.deepEqual(wrong, []);
});

scenario('attributes may change at any time, and elements move without a new stream', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const column = await embed(t, system, {
    elements: '<live-comments id="a" video="one" user="u" name="Ann"></live-comments><live-comments id="b" video="two" readonly></live-comments>',
  });
  const a = new Column(column.page, '#a'), b = new Column(column.page, '#b');
  await Promise.all([a.live(), b.live()]);
  await post(system, 'one', 'first video');
  await post(system, 'two', 'second video');
  await a.wait((rows) => rows.length === 1 && rows[0].text === 'first video', 'its own video only');
  await b.wait((rows) => rows.length === 1 && rows[0].text === 'second video', 'its own video only');
  assert.equal(await b.input.isVisible(), false, 'readonly');

  const same = await column.page.evaluate(() => {
    const element = document.querySelector('#b'), { live } = element;
    document.body.prepend(element);
    return Promise.resolve().then(() => element.live === live && document.body.firstElementChild === element);
  });
  assert.equal(same, true, 'moved, and the same stream');

  await column.page.evaluate(() => {
    document.querySelector('#b').readonly = false;
    document.querySelector('#a').name = 'Ann Smith-Jones';
    document.querySelector('#a').video = 'two';
  });
  await a.live();
  await a.say('and now here');
  await b.wait((rows) => rows.at(-1).text === 'and now here' && rows.at(-1).name === 'Ann Smith-Jones', 'the comment of the other element');
  assert.equal((await a.texts()).includes('first video'), false, 'nothing of the other video');
  await b.say('both write');
  await a.wait((rows) => rows.at(-1).text === 'both write', 'the other way round');

  await column.page.evaluate(() => document.querySelector('#b').remove());
  assert.equal(await column.page.evaluate(() => document.querySelector('#b')), null);
  await a.say('still here');
  await a.wait((rows) => rows.some(({ text, state }) => text === 'still here' && !state), 'a comment after the other element is gone');
});

scenario('an element reports what happens as events, and has properties', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const column = await embed(t, system, { elements: '' });
  await column.page.evaluate(() => {
    window.seen = [];
    const element = document.createElement('live-comments');
    for (const name of ['comment', 'state', 'gap']) element.addEventListener(name, ({ detail }) => seen.push([name, detail.name ?? detail.comment?.comment, detail.own]));
    Object.assign(element, { video: 'v', user: 'me', name: 'Me' });
    document.body.append(element);
  });
  await column.live();
  await post(system, 'v', 'theirs');
  await column.wait((rows) => rows.length === 1, 'a comment');
  assert.equal(await column.host.evaluate((element) => element.post('mine')), true);
  await column.wait((rows) => rows.length === 2 && !rows[1].state, 'the own comment');
  const seen = await column.page.evaluate(() => window.seen);
  assert.deepEqual(seen, [['state', 'connecting', null], ['state', 'live', null], ['comment', 'theirs', false], ['comment', 'mine', true]].map((each) => each.map((v) => v ?? undefined)));
  assert.equal(await column.host.evaluate((element) => element.state.name), 'live');
});

scenario('what cannot work is said in words: no video, a wrong user id', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const column = await embed(t, system, { elements: '<live-comments></live-comments>', expect: [/400/] });
  await column.find('.banner.refused').getByText('No video is chosen yet.').waitFor();
  await column.host.evaluate((element) => Object.assign(element, { video: 'v', user: 'not an id' }));
  await column.find('.banner.refused').getByText(/userid|user id/i).waitFor();
  assert.equal(await column.input.isDisabled(), true);
  await column.host.evaluate((element) => (element.user = 'an-id'));
  await column.live();
  assert.equal(await column.input.isDisabled(), false);
});

scenario('the newest 50 on arrival; after the server was away, what was missed, once', { ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true });
  const stored = await postMany(system, 'v', 60);
  const column = await embed(t, system, { expect: [/ERR_|Failed to load/] });
  const before = await column.wait((rows) => rows.length === 50, 'the newest 50');
  assert.deepEqual(before.map(({ id }) => id), stored.slice(-50).map(({ id }) => id));
  await system.stop('SIGKILL');
  await column.find('.state.reconnecting').waitFor();
  await column.find('.banner.reconnecting').getByText(/Connection lost/).waitFor();
  await column.say('typed while it was away');
  await system.restart();
  const more = await postMany(system, 'v', 20);
  await column.live();
  const after = await column.wait((rows) => rows.filter(({ own }) => !own).length === 70 && rows.some(({ text, state }) => text === 'typed while it was away' && !state), 'all', 25_000);
  assert.deepEqual(after.filter(({ own }) => !own).map(({ id }) => id), [...stored.slice(-50), ...more].map(({ id }) => id));
  assert.equal(await column.find('.gap').count(), 0);
});

scenario('a page that was asleep says what is no longer kept, where it is missing', { ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { 'log-entries': 10, 'log-min-age-ms': 0 } });
  await post(system, 'v', 'before');
  const column = await embed(t, system);
  await column.wait((rows) => rows.length === 1, 'a comment');
  await column.page.evaluate(() => window.dispatchEvent(new Event('pagehide')));
  const stored = await postMany(system, 'v', 3_000, { atOnce: 32 });
  await column.page.evaluate(() => window.dispatchEvent(new Event('pageshow')));
  await column.wait((rows) => rows.at(-1).id === stored.at(-1).id, 'what is kept', 25_000);
  await column.find('.gap').getByText(/^[\d,]+ comments missed, no longer kept$/).waitFor();
  const [missed] = (await column.find('.gap').textContent()).match(/[\d,]+/);
  assert.equal(Number(missed.replace(',', '')) + (await column.rows()).length - 1, 3_000);
});

scenario('<live-comments> takes a token that a page sets before or after the script is there, and its user', { setups: ['embedded'], ms: 60_000 }, async (t) => {
  const key = makeKey('ES256', 'k');
  const { system } = await lockedSystem(t, [key]);
  const elements = '<live-comments id="early" video="v"></live-comments><live-comments id="late" video="v"></live-comments>';
  const token = makeToken(key), file = `<!doctype html><meta charset="utf-8">${elements}
<script>document.querySelector('#early').token = async () => ${JSON.stringify(token)};</script>
<script type="module" src="${system.comment}/live-comments.js"></script>`;
  const page = await (await launch(t)).newPage();
  await page.goto(await serve(t, { '/': file }));
  const early = new Column(page, '#early'), late = new Column(page, '#late');
  const setToken = (value) => page.evaluate((text) => (document.querySelector('#late').token = text), value);
  await early.live();
  await page.waitForFunction(() => document.querySelector('#late').state.name === 'refused');
  await setToken(token);
  await late.live();
  await early.say('With a token.');
  for (const column of [early, late]) {
    const shown = await column.wait((rows) => rows.find(({ text }) => text === 'With a token.'), 'the comment');
    assert.ok(shown.find(({ text }) => text === 'With a token.').own);
  }
  await setToken(makeToken(key, claims({ sub: 'bob' })));
  await page.waitForFunction(() => document.querySelector('#late').userid === 'bob');
  await late.live();
});
