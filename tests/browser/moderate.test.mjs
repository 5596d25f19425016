// The moderators' page: what is done there, and what viewers and authors notice of it.
// Long: 15.
import assert from 'node:assert/strict';
import { post } from '../integration/lib/api.mjs';
import { claims, makeKey, makeToken } from '../integration/lib/jwt.mjs';
import { lockedSystem } from '../integration/lib/locked.mjs';
import { accepted, ban, bans, getRoom, patchRoom, refused, tryPost, waits } from '../integration/lib/room.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { FAILED_REQUEST, openBrowser, openWatch } from './watch.mjs';

const openDesk = (t, system, options) => openWatch(t, system, { path: '/moderate/v', ...options });
// Some of what is asked is refused on purpose.
const withRefusals = { expect: [FAILED_REQUEST] };
const aimed = ({ column }) => column.find('.row:focus .text').textContent();
const outcome = ({ page }, text) => page.locator('#said').getByText(text).waitFor();
const kept = async (system) => (await (await fetch(`${system.comment}/videos/v/comments`)).json()).comments.map(({ comment }) => comment);

scenario('with the keyboard alone: a comment is deleted on all screens, its user timed out and banned, another one pinned', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  for (const [text, user] of [['fine', 'ann'], ['rude', 'bob'], ['ruder', 'eve'], ['last', 'ann']]) await post(system, 'v', text, { user });
  const context = await openBrowser(t);
  const viewer = await openWatch(t, system, { context }), desk = await openDesk(t, system, { context, ...withRefusals });
  await viewer.sees('rude');
  await desk.sees('rude', 'last');
  const { keyboard } = desk.page;
  await keyboard.press('k');
  assert.equal(await aimed(desk), 'last');
  assert.ok(await desk.page.locator('#unpin').isDisabled(), 'nothing is pinned yet');
  await keyboard.press('p');
  await desk.page.locator('#unpin:enabled').waitFor({ state: 'attached' });
  await until(async () => (await viewer.column.find('.pinned .text').textContent({ timeout: 500 }).catch(() => '')) === 'last', 'the pinned comment');
  await keyboard.press('ArrowUp');
  assert.equal(await aimed(desk), 'ruder');
  await keyboard.press('b');
  await keyboard.press('Enter');
  await outcome(desk, 'eve is banned.');
  await refused(tryPost(system.comment, 'v', 'eve'), 403, 'banned');
  await keyboard.press('k');
  assert.equal(await aimed(desk), 'rude', 'the comment has its focus back after the dialog');
  await keyboard.press('t');
  await outcome(desk, 'bob is timed out for 10 minutes.');
  const { json } = await refused(tryPost(system.comment, 'v', 'bob'), 403, 'banned');
  assert.ok(Math.abs(Date.parse(json.until) - Date.now() - 600_000) < 30_000, json.until);
  await keyboard.press('d');
  for (const { column } of [viewer, desk]) await column.wait((rows) => rows.map(({ text }) => text).join() === 'fine,ruder,last', 'the comment to leave');
  assert.equal(await aimed(desk), 'ruder', 'the next one is aimed at');
  assert.deepEqual(await kept(system), ['fine', 'ruder', 'last']);

  await keyboard.press('4');
  await desk.page.getByRole('button', { name: 'Lift the ban of eve' }).press('Enter');
  await outcome(desk, 'The ban of eve is lifted.');
  await accepted(tryPost(system.comment, 'v', 'eve', 'sorry'));
  assert.deepEqual((await bans(system, 'v')).map(({ userid }) => userid), ['bob']);
  await keyboard.press('?');
  await desk.page.getByText('delete it').waitFor();
});

scenario('what comes does not move the comment below the pointer, and what goes leaves its place', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  for (let i = 0; i < 40; i++) await post(system, 'v', `comment ${i}`, { user: `u${i % 2}` });
  const desk = await openDesk(t, system, withRefusals);
  await desk.sees('comment 39');
  const row = desk.column.find('.text').getByText('comment 35');
  await row.hover();
  const before = await row.boundingBox();
  for (const text of ['new 1', 'new 2', 'new 3']) await post(system, 'v', text);
  await desk.column.jump.getByText('3 new comments').waitFor();
  const above = (await desk.column.rows()).find(({ text }) => text === 'comment 33');
  await fetch(`${system.comment}/videos/v/comments/${above.id}`, { method: 'DELETE' });
  await desk.column.find('.place').waitFor();
  assert.deepEqual(await row.boundingBox(), before);
  assert.ok(!(await desk.column.texts()).includes('comment 33'));
  await desk.column.find('.aimed').getByRole('button', { name: 'Delete' }).click();
  await desk.column.wait((rows) => rows.every(({ text }) => text !== 'comment 35'), 'the comment to leave');
  // Chromium may leave these out when the element below the pointer has gone.
  await desk.page.evaluate(() => ['pointerout', 'pointerleave'].forEach((name) => addEventListener(name, (event) => event.stopImmediatePropagation(), true)));
  await desk.page.mouse.move(1200, 700);
  await desk.sees('new 3');
  assert.equal(await desk.column.find('.place').count(), 0);
});

scenario('what waits appears without a reload, and is allowed or denied; a switch of the room is heard by viewers', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const context = await openBrowser(t);
  const viewer = await openWatch(t, system, { context }), desk = await openDesk(t, system, { context, ...withRefusals });
  const { page } = desk;
  await page.getByRole('button', { name: 'Room' }).click();
  await page.getByLabel('Hold comments').check();
  await viewer.column.find('.note').getByText('once a moderator allows them').waitFor();
  await page.getByLabel('Slow mode').fill('2.5');
  await page.getByLabel('Slow mode').press('Enter');
  await until(async () => (await getRoom(system, 'v')).slow_ms === 2_500, 'slow mode');
  await patchRoom(system, 'v', { slow_ms: 0, max_length: 20 });
  await until(async () => (await page.getByLabel('Length').inputValue()) === '20', 'what another moderator sets');
  for (const max_length of [7, 20]) {
    const room = { ...(await getRoom(system, 'v')), revision: 1, max_length };
    await page.locator('live-comments').evaluate((element, detail) => element.dispatchEvent(new CustomEvent('room', { detail })), { room });
    assert.equal(await page.getByLabel('Length').inputValue(), String(max_length), 'what the stream says after a failover');
  }

  await page.getByLabel('Length').fill('5000');
  await page.getByLabel('Length').press('Tab');
  await page.getByRole('alert').getByText('max_length').waitFor();
  assert.equal(await page.getByLabel('Length').inputValue(), '20', 'what is refused is undone');

  await page.getByRole('button', { name: 'Waiting' }).click();
  for (const [user, text] of [['ann', 'good'], ['bob', 'bad']]) await waits(tryPost(system.comment, 'v', user, text), 'moderator');
  await page.locator('#held').getByText('bad').waitFor();
  await page.keyboard.press('2');
  await page.keyboard.press('a');
  await page.keyboard.press('x');
  await outcome(desk, /The comment of (ann is allowed|bob is denied)\./); // the one that is answered last
  await viewer.sees('good');
  assert.deepEqual(await kept(system), ['good']);
  await until(async () => (await page.locator('#waiting-count').textContent()) === '', 'nothing to wait');
});

scenario('who may not moderate is told why, and can give a token; what is refused afterwards is undone', { ms: 60_000 }, async (t) => {
  const key = makeKey('HS256', 'k');
  const { system, write } = await lockedSystem(t, [key]);
  const token = (chorus, sub = 'mod') => makeToken(key, claims({ sub }, { videos: ['v'], can: ['read', 'post'], ...chorus }));
  const moderator = token({ can: ['read', 'post', 'moderate'] }), headers = { authorization: `Bearer ${moderator}` };
  await accepted(tryPost(system.comment, 'v', undefined, 'said', { headers }));
  const desk = await openDesk(t, system, { live: false, ...withRefusals });
  const { page } = desk;
  await page.getByRole('alert').getByText('Moderators need a token.').waitFor();
  assert.equal(await page.locator('live-comments').isVisible(), false);
  await page.getByLabel('Token of a moderator').fill(token());
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('does not give the right to moderate “v”').waitFor();
  await page.getByLabel('Token of a moderator').fill(moderator);
  await page.keyboard.press('Enter');
  await page.locator('#badge.live').waitFor();
  await page.reload();
  await desk.sees('said'); // the tab keeps the token

  const other = await openDesk(t, system, { path: `/moderate/v#token=${moderator}`, ...withRefusals });
  await other.sees('said');
  assert.equal(await other.page.evaluate(() => location.href), `${system.comment}/moderate/v`, 'no token is left in the address');
  await ban(system, 'v', 'eve', {}, headers);
  write(makeKey('HS256', 'k'));
  await until(async () => (await tryPost(system.comment, 'v', undefined, 'x', { headers })).status === 401, 'the key to be gone', 10_000);
  await other.page.keyboard.press('k');
  await other.page.keyboard.press('d');
  await other.page.locator('#failure').getByText(/token/i).waitFor();
  assert.equal(await other.column.find('.going').count(), 0, 'the comment is as it was');
});

scenario('on a phone a touch aims; what was done is listed where the server keeps that; an end is heard', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const context = await openBrowser(t, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
  await post(system, 'v', 'rude', { user: 'bob' });
  const audit = [
    { timestamp: '2025-11-23T21:06:40.000Z', by: 'mia', what: 'ban', userid: 'bob', seconds: 600, shadow: false },
    { timestamp: '2025-11-23T21:06:30.000Z', by: null, what: 'room', set: { slow_ms: 5_000 } },
    { timestamp: '2025-11-23T21:06:20.000Z', by: null, what: '<b>unknown' },
  ];
  const answer = (status, json) => (page) => page.route('**/videos/v/audit', (route) => route.fulfill({ status, json }));
  const without = await openDesk(t, system, { context, route: answer(404, { error: 'No such path.', code: 'not_found' }), ...withRefusals });
  await without.sees('rude');
  assert.equal(await without.page.getByRole('button', { name: 'Audit' }).isVisible(), false);

  const desk = await openDesk(t, system, { context, route: answer(200, { videoid: 'v', audit }) }), { page } = desk;
  await page.getByRole('button', { name: 'Audit' }).tap();
  await page.getByText('mia timed out bob for 10 minutes').waitFor();
  const all = await page.locator('#done li').allTextContents();
  assert.match(all.slice(1).join(), /a service set slow_ms to 5000,.*a service <b>unknown/);

  await page.getByRole('button', { name: 'Comments' }).tap();
  await desk.column.find('.row .text').tap();
  await desk.column.find('.acts').getByRole('button', { name: 'Delete' }).tap();
  await desk.column.wait((rows) => rows.length === 0, 'the comment to leave');
  await page.getByRole('button', { name: 'Room' }).tap();
  await page.getByRole('button', { name: 'End the video' }).tap();
  await page.getByRole('dialog').getByRole('button', { name: 'End the video' }).tap();
  await without.page.locator('#badge.ended').waitFor(); // stays open: tabs share a stream, but no end
  await page.getByRole('button', { name: 'Start the video' }).tap();
  await page.locator('#badge.live').waitFor();
});
