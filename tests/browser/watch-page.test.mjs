// Set-ups: embedded, up-redis.
// CI also: up-redis. What one posts and another sees passes through the engine.
// The viewer page: what one sees and does there.
import assert from 'node:assert/strict';
import { post } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { FAILED_REQUEST, openBrowser, openWatch } from './watch.mjs';

scenario('what is posted in one browser is seen in another, under the name chosen there', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  const ann = await openWatch(t, system), bob = await openWatch(t, system);
  await ann.column.find('.rename').click();
  await ann.column.find('.name-input').fill('Ann 🌻 Smith');
  await ann.column.find('.name-input').press('Enter');
  await ann.column.say('Hello from Lisbon!');
  const seen = await bob.column.wait((rows) => rows.length === 1, 'the comment');
  assert.deepEqual([seen[0].name, seen[0].text, seen[0].own], ['Ann 🌻 Smith', 'Hello from Lisbon!', false]);
  const [own] = await ann.column.wait((rows) => rows.length === 1 && rows[0].id, 'the comment, confirmed');
  assert.deepEqual([own.id, own.own, own.name], [seen[0].id, true, 'Ann 🌻 Smith']);

  await ann.page.reload();
  await ann.column.wait((rows) => rows[0]?.id === own.id && rows[0].own && rows[0].name === 'Ann 🌻 Smith', 'the same comment, still own');
  assert.equal(await ann.badge.textContent(), 'Live');
  await until(async () => (await ann.viewers.textContent()) === '2 watching', 'two viewers');
});

scenario('what breaks a rule for texts is refused with its sentence, and kept to be mended', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  const { column } = await openWatch(t, system, { expect: [FAILED_REQUEST] });
  const text = 'a\u202e backwards';
  await column.say(text);
  await column.find('.failed').getByText('Not sent. The text changes the direction of writing beyond its end').waitFor();
  await column.find('.failed').getByText('Edit').click();
  assert.equal(await column.input.inputValue(), text);
});

scenario('the row of videos switches between them without a reload, and back works', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  const context = await openBrowser(t);
  await post(system, 'one', 'about one');
  await post(system, 'two', 'about two');
  await openWatch(t, system, { context, video: 'two' });
  const watch = await openWatch(t, system, { context, video: 'one' });
  await watch.sees('about one');
  await watch.page.evaluate(() => (window.sameDocument = true));
  await watch.videos.getByRole('link', { name: /two/ }).click();
  await watch.sees('about two');
  assert.equal(await watch.path(), '/watch/two');
  assert.equal(await watch.title.textContent(), 'two');
  assert.match(await watch.page.title(), /^two\b/);
  assert.equal(await watch.videos.locator('[aria-current=page]').getAttribute('data-video'), 'two');
  assert.deepEqual((await watch.column.texts()).filter((text) => text === 'about one'), [], 'the comments of the other video are gone');
  await watch.page.goBack();
  await watch.sees('about one');
  assert.equal(await watch.path(), '/watch/one');
  assert.equal(await watch.page.evaluate(() => window.sameDocument), true);
  await watch.column.say('still here');
  await watch.sees('still here');

  await watch.page.locator('#open-video').fill('three');
  await watch.page.locator('#open-video').press('Enter');
  await watch.page.locator('#badge.live').waitFor();
  assert.equal(await watch.path(), '/watch/three');
  await watch.page.locator('#open-video').fill('not an id');
  await watch.page.locator('#open-video').press('Enter');
  await watch.page.getByText('1 to 128 of the characters').waitFor();
  assert.equal(await watch.path(), '/watch/three');
});

scenario('/ is the video that most people watch, and links of earlier versions work', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  const first = await openWatch(t, system, { path: '/' });
  assert.equal(await first.path(), '/watch/video1', 'while nothing is watched');
  const context = await openBrowser(t);
  await openWatch(t, system, { context, video: 'popular' });
  await openWatch(t, system, { context, video: 'popular' });
  await until(async () => (await (await fetch(`${system.comment}/videos`)).json()).videos[0]?.videoid === 'popular', 'the list of videos');
  const again = await openWatch(t, system, { path: '/' });
  assert.equal(await again.path(), '/watch/popular');

  const old = await openWatch(t, system, { path: '/?video=popular&user=ann' });
  assert.equal(await old.title.textContent(), 'popular');
  await old.column.say('from a link');
  const [row] = await again.column.wait((rows) => rows.length === 1, 'the comment');
  assert.equal(row.name, 'ann');
});

scenario('an id that cannot be one is explained on its page', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  for (const path of ['/watch/a%20b', '/watch/%E0%A4%A', '/watch/<b>']) {
    const watch = await openWatch(t, system, { path, live: false, expect: [FAILED_REQUEST] });
    await watch.problem.getByText('is not a video').waitFor();
    assert.match(await watch.problem.textContent(), /characters A-Z a-z 0-9/);
  }
});
