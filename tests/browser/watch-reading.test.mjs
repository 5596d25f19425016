// The viewer page: reading and writing there, by keyboard, on a phone, and whatever others write.
import assert from 'node:assert/strict';
import { post } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { openWatch } from './watch.mjs';

scenario('with the keyboard alone: skip to the comments, write, freeze the list, return, switch', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  for (let i = 0; i < 40; i++) await post(system, 'v', `comment ${i}`);
  await post(system, 'w', 'about w');
  const other = await openWatch(t, system, { video: 'w' });
  const watch = await openWatch(t, system);
  const { keyboard } = watch.page;
  await watch.sees('comment 39');
  await keyboard.press('Tab');
  assert.equal((await watch.focused()).text, 'Skip to the comments');
  await keyboard.press('Enter');
  await keyboard.press('Tab');
  assert.match((await watch.focused()).part, /\blist\b/, 'the list, which scrolls');
  await keyboard.press('Home');
  await until(() => watch.column.list.evaluate((list) => list.scrollTop === 0), 'the first comment'); // it glides there
  await watch.column.jump.waitFor();
  await post(system, 'v', 'while reading');
  await watch.column.jump.getByText('1 new comment').waitFor();
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await watch.sees('while reading');

  await watch.page.evaluate(() => document.activeElement.blur());
  await keyboard.press('c');
  assert.equal((await watch.focused()).tag, 'textarea');
  await keyboard.type('[typed?]');
  await keyboard.press('Enter');
  await watch.sees('[typed?]');
  await other.column.say('hello');
  await watch.page.evaluate(() => document.activeElement.blur());
  await watch.videos.locator('[data-video=w]').waitFor();
  await keyboard.press(']');
  await watch.sees('about w');
  await keyboard.press('?');
  await watch.page.locator('#help').waitFor();
  await watch.page.locator('#shortcuts').uncheck();
  await keyboard.press('Escape');
  await keyboard.press('[');
  await keyboard.press('?');
  assert.equal(await watch.page.locator('#help').isVisible(), false, 'shortcuts are off');
  assert.equal(await watch.path(), '/watch/w');

  // Everything that can be reached shows that it has been.
  await watch.page.evaluate(() => document.activeElement.blur());
  for (let i = 0; i < 14; i++) {
    await keyboard.press('Tab');
    const ring = await watch.page.evaluate(() => {
      let element = document.activeElement;
      while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return element === document.body || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || element.outerHTML.slice(0, 120);
    });
    assert.equal(ring, true, 'a ring');
  }
});

scenario('hostile names and texts stay text, in their own rows', { ms: 90_000 }, async (t) => {
  const system = await t.system({ flags: { 'text-rules': 'none', 'text-lines': 0, 'text-marks': 0 } });
  const hostile = [
    ['<img src=x onerror=alert(1)>', '<script>document.title = "taken"</script><b>bold</b>'],
    ['\u202Egnirts desrever', 'text \u202E turned round'],
    [`Z${'\u0351'.repeat(30)}`, `a${'\u0336\u0350'.repeat(300)}`],
    ['javascript:alert(1)', 'line\n\n\nfeeds\r\nand\ttabs'],
    ['\u2066isolate', '\u2067'.repeat(50)],
    ['👩‍👩‍👧‍👦'.repeat(2), '👩‍👩‍👧‍👦'.repeat(60)],
    ['W'.repeat(64), 'W'.repeat(2000)],
    ['{{constructor}}', "' onmouseover='alert(1)' x='"],
    ['   ', '\u00a0'],
  ];
  const watch = await openWatch(t, system);
  await watch.page.evaluate(() => (window.alert = () => (document.title = 'alerted')));
  for (const [i, [name, text]] of hostile.entries()) await post(system, 'v', text, { user: `u${i}`, name });
  await post(system, 'v', 'the last');
  const rows = await watch.column.wait((all) => all.some(({ text }) => text === 'the last'), 'all');
  assert.equal(rows.length, hostile.length + 1);
  hostile.forEach(([, text], i) => assert.equal(rows[i].text.replace(/\r/g, ''), text.replace(/\r/g, ''), `comment ${i}`));
  for (const { name } of rows) assert.doesNotMatch(name, /[\u202a-\u202e\u2066-\u2069\n]/, 'nothing in a name turns what follows');
  assert.ok(rows.every(({ name }) => name.trim()), 'everyone has a name that can be seen');
  assert.equal(await watch.page.title(), 'v · Chorus');
  const { found, wide, tall } = await watch.column.host.evaluate((host) => {
    const list = host.shadowRoot.querySelector('.list'), rows = [...host.shadowRoot.querySelectorAll('.row')];
    return {
      found: list.querySelectorAll('img, script, b, a, iframe, [onmouseover]').length,
      wide: list.scrollWidth - list.clientWidth, tall: Math.max(...rows.map((row) => row.offsetHeight)),
    };
  });
  assert.equal(found, 0);
  assert.ok(wide <= 0, `nothing sticks out: ${wide}`);
  assert.ok(tall < 400, `long ones are folded: ${tall}`);
  assert.equal(await watch.page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
});

scenario('the list freezes while one reads, counts what comes, and a button leads back', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  for (let i = 0; i < 60; i++) await post(system, 'v', `comment ${i}`);
  const watch = await openWatch(t, system);
  await watch.sees('comment 59');
  await watch.column.list.hover();
  await watch.page.mouse.wheel(0, -600);
  await watch.column.jump.waitFor();
  const top = await watch.column.list.evaluate((list) => list.scrollTop);
  for (let i = 0; i < 7; i++) await post(system, 'v', `new ${i}`);
  await watch.column.jump.getByText('7 new comments').waitFor();
  assert.equal(await watch.column.list.evaluate((list) => list.scrollTop), top);
  await watch.column.jump.click();
  await watch.sees('new 0', 'new 6');
  await until(async () => (await watch.column.fromEnd()) <= 1, 'the end of the list');
});

scenario('on a phone the comments have the rest of the screen, and writing stays in sight', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  const watch = await openWatch(t, system, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const box = async () => ({ stage: await watch.page.locator('#stage').boundingBox(), column: await watch.column.host.boundingBox(), input: await watch.column.input.boundingBox() });
  const whole = await box();
  assert.ok(whole.stage.y + whole.stage.height <= whole.column.y, 'below the video');
  assert.ok(whole.column.height > 400 && Math.round(whole.column.y + whole.column.height) === 844, JSON.stringify(whole));
  assert.ok(whole.column.width === 390);
  assert.equal(await watch.page.evaluate(() => document.documentElement.scrollWidth), 390);
  await watch.page.setViewportSize({ width: 390, height: 420 }); // as a keyboard leaves it
  await until(async () => {
    const { input, column } = await box();
    return input.y + input.height <= 420 && column.height > 250;
  }, 'the field in sight, and comments above it');
});

scenario('with reduced motion, or hidden, nothing is drawn again and again', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  const frames = async (options) => {
    const watch = await openWatch(t, system, options);
    return watch.page.evaluate(async () => {
      let drawn = 0;
      const { fillRect } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillRect = function (...args) {
        drawn++;
        return fillRect.apply(this, args);
      };
      for (let i = 0; i < 30; i++) await new Promise(requestAnimationFrame);
      return drawn;
    });
  };
  assert.equal(await frames({ reducedMotion: 'reduce' }), 0);
  assert.ok((await frames({ reducedMotion: 'no-preference' })) >= 5);
});
