// A video that is over: its page says so, connects no more, and replays the comments; an element does it beside a recording.
import assert from 'node:assert/strict';
import { moderate, post } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { pause, until } from '../integration/lib/time.mjs';
import { findings } from './axe.mjs';
import { Column, launch, serve } from './embedding.mjs';
import { openBrowser, openWatch } from './watch.mjs';

const PAUSE_MS = 300; // between two comments

// A video that has been started and has ended, with five comments, of which the second was deleted and the third pinned.
async function record(system, whileLive) {
  await moderate(system, 'v', 'POST', 'start');
  const started = Date.now(), said = [];
  for (let i = 0; i < 5; i++) {
    said.push({ ...await post(system, 'v', `comment ${i}`, { user: `u${i}` }), at: Date.now() - started });
    await pause(PAUSE_MS);
  }
  await moderate(system, 'v', 'DELETE', `comments/${said[1].id}`);
  await moderate(system, 'v', 'PUT', 'pin', { id: said[2].id });
  await whileLive?.();
  await moderate(system, 'v', 'POST', 'end');
  return said;
}
const LEFT = ['comment 0', 'comment 2', 'comment 3', 'comment 4'];
const shows = (column, texts, what) => column.wait((rows) => rows.map(({ text }) => text).join() === texts.join(), what);

scenario('a live viewer hears the end, the page says so and replays; the next start is seen after a reload', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const context = await openBrowser(t);
  const watch = await openWatch(t, system, { context }), { page, column } = watch;
  const connects = [];
  await record(system, async () => {
    await watch.sees('comment 4');
    page.on('request', (request) => /\/(connect|register)\b/.test(request.url()) && connects.push(request.url()));
  });
  await page.getByText('This video is over.').waitFor();
  await column.find('.banner').getByText('The comments have ended.').waitFor();
  assert.equal(await watch.badge.textContent(), 'Ended');
  assert.equal(await column.input.isDisabled(), true);
  const asked = connects.length;
  assert.ok(asked <= 2, `${connects.join(' ')}: asked whether that is so`);

  const late = await openWatch(t, system, { context, live: false });
  await late.page.locator('#badge.ended').waitFor();
  await shows(late.column, LEFT, 'how far they went');

  await page.getByRole('button', { name: 'Replay the comments' }).press('Enter');
  await page.locator('#badge.replaying').waitFor();
  assert.match(page.url(), /\/watch\/v\?replay/);
  assert.equal(await column.input.isVisible(), false);
  await page.waitForFunction(() => document.activeElement.closest('#player'));
  const slider = page.getByRole('slider', { name: 'Position' });
  await until(async () => Number(await slider.getAttribute('max')) >= 1, 'its length');
  await page.keyboard.press('k');
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  assert.deepEqual(await findings(page), [], 'axe');
  await slider.press('End');
  await shows(column, LEFT, 'all but what was deleted');
  await column.find('.pinned .text').getByText('comment 2').waitFor();
  assert.match(await column.find('.row .time').first().textContent(), /^0:0\d$/);
  await slider.press('Home');
  await column.wait((rows) => rows.length <= 1, 'the beginning');
  assert.equal(await column.find('.pinned').isVisible(), false);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Speed');
  await page.getByLabel('Speed').selectOption('4');
  await page.getByRole('button', { name: 'Play', exact: true }).press('Enter');
  await shows(column, LEFT, 'what is played');
  assert.equal(connects.length, asked, 'it does not connect');

  await page.getByRole('button', { name: 'Leave the replay' }).click();
  await page.getByText('This video is over.').waitFor();
  await moderate(system, 'v', 'POST', 'start');
  await page.reload();
  await page.locator('#badge.live').waitFor(); // whatever the other tab has heard
  await column.say('here again');
  await watch.sees('here again');
});

// Twenty seconds of silence, as a <video> plays them.
function silence(seconds = 20, rate = 8_000) {
  const wav = Buffer.alloc(44 + seconds * rate, 128);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + seconds * rate, 4);
  wav.write('WAVEfmt ', 8);
  for (const [at, value, size] of [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, rate, 4], [28, rate, 4], [32, 1, 2], [34, 8, 2], [40, seconds * rate, 4]]) wav.writeUIntLE(value, at, size);
  wav.write('data', 36);
  return wav;
}

scenario('<live-comments replay> goes by a <video>, with an offset, and reads from an archive', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const said = await record(system);
  const url = await serve(t, {
    '/': `<!doctype html><title>A recording</title><link rel="icon" href="data:,"><video id="recording" muted></video>
      <live-comments video="v" replay="recording" offset-ms="-5000" archive="http://archive.test" user="u3"></live-comments><script type="module" src="${system.comment}/live-comments.js"></script>`,
    '/silence.wav': silence(),
  });
  const page = await (await launch(t)).newPage(), asked = [];
  await page.route('http://archive.test/**', async (route) => {
    asked.push(new URL(route.request().url()));
    const { pathname, search } = asked.at(-1), answer = await fetch(system.comment + pathname + search);
    await route.fulfill({ status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() });
  });
  page.on('request', (request) => assert.doesNotMatch(request.url(), /connect|register/));
  await page.goto(url);
  const column = new Column(page);
  // Seeking needs a source that is there as a whole.
  await page.evaluate(async () => {
    const video = document.querySelector('video');
    video.src = URL.createObjectURL(await (await fetch('/silence.wav')).blob());
    await new Promise((resolve) => video.addEventListener('canplay', resolve, { once: true }));
  });
  const at = (seconds) => page.evaluate((time) => (document.querySelector('video').currentTime = time), seconds);
  await column.find('.state.replaying').waitFor();
  assert.equal((await column.rows()).length, 0, 'nothing before the start');
  await at(5 + (said[3].at + PAUSE_MS / 2) / 1000);
  const rows = await shows(column, LEFT.slice(0, 3), 'what there was up to there');
  assert.deepEqual(rows.map(({ own }) => own), [false, false, true]);
  assert.match(await column.find('.row .time').last().textContent(), /^0:0[56]$/);
  await page.evaluate(() => document.querySelector('video').play());
  await shows(column, LEFT, 'what comes');
  await column.find('.state.ended').waitFor();
  await at(2);
  await shows(column, [], 'the time before the start');
  assert.ok(asked.length >= 2 && asked.length < 20 && asked.every(({ pathname }) => pathname === '/videos/v/replay'), asked.join(' '));
});
