// Long: 15.
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { until } from '../integration/lib/time.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { findings } from './axe.mjs';
import { Column, embed, embedFake } from './embedding.mjs';
import { curl } from './page.mjs';

const MARKS = '\u0300\u0489\u0334'.repeat(100);
const HOSTILE = [
  ['<script>alert(1)</script>', '<img src=x onerror=alert(1)>'],
  ['\u202egnp.exe\u2066', '\u202eevil\u2066'],
  [`Z${MARKS}a${MARKS}lgo`, `Z${MARKS.slice(0, 20)}`],
  ['w'.repeat(2_000), 'n'.repeat(64)],
  ['👩‍👩‍👧‍👦'.repeat(79), '👨‍👩‍👧‍👦👨‍👩‍👧‍👦'],
  ['a\n\r\n\n'.repeat(300), ' \t '],
  ['مرحبا (1) [2] abc', 'ليلى'],
  ['javascript:alert(1) ${alert(1)} {{alert(1)}}', '\u200b\u200b'],
  ['__proto__', 'constructor'],
];

scenario('hostile names and texts stay text, in their own row and width', { ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { 'text-rules': 'none', 'text-lines': 0, 'text-marks': 0 } });
  const column = await embed(t, system, { elements: '<live-comments video="v" user="me" name="Me"></live-comments>' });
  column.page.on('dialog', () => assert.fail('a script of a comment has run'));
  await column.live();
  for (const [text, name] of HOSTILE) await curl(system, 'v', text, { name });
  const rows = await column.wait((all) => all.length === HOSTILE.length, 'all of them');
  assert.deepEqual(rows.map(({ text }) => text), HOSTILE.map(([text]) => text));
  const boxes = await column.host.evaluate((host) => {
    const { left, right } = host.shadowRoot.querySelector('.list').getBoundingClientRect();
    return Array.from(host.shadowRoot.querySelectorAll('.row'), (row) => {
      const box = row.getBoundingClientRect(), text = row.querySelector('.text').getBoundingClientRect(), name = row.querySelector('.name').getBoundingClientRect();
      return { inside: [text, name].every((each) => each.left >= left && each.right <= right), clipped: getComputedStyle(row).contain, height: box.height,
        elements: row.querySelector('.text').childElementCount + row.querySelector('.name').childElementCount, shown: row.querySelector('.name').textContent,
        isolated: [getComputedStyle(row.querySelector('.name')).unicodeBidi, getComputedStyle(row.querySelector('.text')).unicodeBidi] };
    });
  });
  for (const [i, box] of boxes.entries()) {
    assert.ok(box.inside && box.height < 220, `row ${i}: ${JSON.stringify(box)}`);
    assert.deepEqual([box.elements, box.clipped, box.isolated], [0, 'content', ['isolate', 'plaintext']]);
    assert.ok(box.shown.trim() && !/[\u202a-\u202e\u2066-\u2069\n]/.test(box.shown), `row ${i} has an author: ${JSON.stringify(box.shown)}`);
  }
  // Long ones are folded, and open.
  const more = column.find('.row').nth(3).locator('.more');
  assert.equal(await more.getAttribute('aria-expanded'), 'false');
  await more.click();
  assert.equal(await more.textContent(), 'Show less');
  await column.host.evaluate((host) => (host.style.width = '390px'));
  assert.equal(await more.isVisible(), true, 'what is unfolded can be folded at any width');
  const height = await column.find('.row').nth(3).evaluate((row) => row.getBoundingClientRect().height);
  assert.ok(height > 400, `${height} px`);
  assert.equal(await column.list.evaluate((list) => list.scrollWidth <= list.clientWidth), true, 'nothing to scroll sideways');
  assert.equal(await column.find('.row').nth(0).locator('.more').count(), 0);
});

scenario('all name colours have a contrast of at least 4.5:1, in both themes and on every background', { ms: 60_000 }, async (t) => {
  const column = await embedFake(t, { elements: '<live-comments video="v" user="me" name="Me"></live-comments>' });
  await column.fake((fake) => {
    fake.emit('theirs', { user: 'x' });
    fake.emit('mine', { user: 'me', own: true });
  });
  await column.wait((rows) => rows.length === 2, 'two rows');
  for (const theme of ['light', 'dark']) {
    await column.host.evaluate((element, value) => (element.theme = value), theme);
    const worst = await column.host.evaluate((host) => {
      const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
      const luminance = (color) => {
        context.fillStyle = color;
        context.fillRect(0, 0, 1, 1);
        const [r, g, b] = Array.from(context.getImageData(0, 0, 1, 1).data, (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      const root = host.shadowRoot, [row, own] = root.querySelectorAll('.row'), style = (element) => getComputedStyle(element);
      const plain = luminance(style(host).backgroundColor), tinted = luminance(style(own).backgroundColor);
      const found = { names: 99, initials: 99 };
      for (let hue = 0; hue < 360; hue++) {
        row.style.setProperty('--_hue', hue);
        const name = luminance(style(row.querySelector('.name')).color), avatar = style(row.querySelector('.avatar'));
        found.names = Math.min(found.names, contrast(name, plain), contrast(name, tinted));
        found.initials = Math.min(found.initials, contrast(luminance(avatar.color), luminance(avatar.backgroundColor)));
      }
      for (const selector of ['.time', '.text', '.state', '.title', '.send', '.rename', 'textarea']) {
        const element = root.querySelector(selector);
        let behind = element;
        while (behind !== host && style(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement ?? host;
        found[selector] = contrast(luminance(style(element).color), luminance(style(behind).backgroundColor));
      }
      return found;
    });
    for (const [what, contrast] of Object.entries(worst)) assert.ok(contrast >= 4.5, `${theme}: ${what} ${contrast.toFixed(2)}`);
  }
});

scenario('a user has one colour everywhere, and users differ', async (t) => {
  const column = await embedFake(t);
  await column.fake((fake) => {
    for (const user of ['ann', 'bob', 'ann', 'cat', 'dan', 'eve']) fake.emit('x', { user, name: user });
  });
  await column.wait((rows) => rows.length === 6, 'all rows');
  const hues = await column.host.evaluate((host) => Array.from(host.shadowRoot.querySelectorAll('.row'), (row) => row.style.getPropertyValue('--_hue')));
  assert.equal(hues[0], hues[2]);
  assert.equal(new Set(hues).size, 5);
});

scenario('the theme follows the page, or the attribute; variables and parts reach inside', async (t) => {
  const column = await embedFake(t, { context: { colorScheme: 'dark' } });
  const background = () => column.host.evaluate((host) => getComputedStyle(host).backgroundColor);
  assert.equal(await background(), 'rgb(20, 23, 29)');
  await column.host.evaluate((host) => (host.theme = 'light'));
  assert.equal(await background(), 'rgb(255, 255, 255)');
  await column.page.emulateMedia({ colorScheme: 'light' });
  await column.host.evaluate((host) => (host.theme = 'auto'));
  assert.equal(await background(), 'rgb(255, 255, 255)');
  await column.page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('live-comments { --chorus-background: rgb(1, 2, 3) } live-comments::part(title) { text-transform: uppercase }');
    document.adoptedStyleSheets = [sheet];
  });
  assert.equal(await background(), 'rgb(1, 2, 3)');
  assert.equal(await column.find('.title').evaluate((title) => getComputedStyle(title).textTransform), 'uppercase');
});

scenario('everything is done by keyboard alone', async (t) => {
  const column = await embedFake(t, { elements: '<live-comments video="v" user="me"></live-comments>' });
  const { keyboard } = column.page;
  await column.fake((fake) => {
    for (let i = 0; i < 60; i++) fake.emit(`comment ${i}`, { user: `u${i}`, replayed: true });
    fake.emit('long '.repeat(200), { user: 'l', replayed: true });
  });
  await column.wait((rows) => rows.length === 61, 'all rows');
  const focused = () => column.host.evaluate((host) => host.shadowRoot.activeElement?.className);
  await keyboard.press('Tab');
  assert.equal(await focused(), 'list');
  await keyboard.press('Tab');
  assert.equal(await focused(), 'more');
  await keyboard.press('Enter');
  assert.equal(await column.find('.more').textContent(), 'Show less');
  await keyboard.press('Shift+Tab');
  await keyboard.press('Home');
  await column.jump.waitFor();
  await until(() => column.list.evaluate((list) => list.scrollTop === 0), 'the beginning');
  await keyboard.press('End');
  await column.jump.waitFor({ state: 'hidden' });
  await keyboard.press('Tab');
  await keyboard.press('Tab');
  assert.equal(await focused(), 'rename');
  await keyboard.press('Enter');
  await keyboard.type('Key Board');
  await keyboard.press('Enter');
  await keyboard.type('typed');
  await keyboard.press('Enter');
  assert.deepEqual(await column.fake((fake) => fake.posts.map(({ text, name }) => [text, name])), [['typed', 'Key Board']]);
});

scenario('its roles and names are those that assistive technology knows', async (t) => {
  const column = await embedFake(t);
  await column.page.getByRole('log', { name: 'Comments' }).waitFor();
  await column.page.getByRole('textbox', { name: 'Say something' }).waitFor();
  await column.page.getByRole('button', { name: 'Send' }).waitFor();
  await column.page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
});

scenario('with reduced motion nothing moves', async (t) => {
  const column = await embedFake(t, { context: { reducedMotion: 'reduce' } });
  await column.fake((fake) => fake.emit('x'));
  await column.wait((rows) => rows.length === 1, 'a row');
  assert.equal(await column.find('.row').evaluate((row) => getComputedStyle(row).animationName), 'none');
});

scenario('one column in another language, one in none', async (t) => {
  const column = await embedFake(t, { elements: '<live-comments id="a" video="v"></live-comments><live-comments id="b" video="v"></live-comments>' });
  const page = column.page, a = new Column(page, '#a'), b = new Column(page, '#b');
  await a.host.evaluate((element) => (element.words = { title: 'Kommentare', send: 'Senden', guest: (number) => `Gast ${number}` }));
  await a.find('.title').getByText('Kommentare').waitFor();
  await a.send.getByText('Senden').waitFor();
  assert.match(await a.find('.rename').textContent(), /^Gast \d+$/);
  assert.equal(await b.find('.title').textContent(), 'Comments');
  assert.equal(await a.input.getAttribute('placeholder'), 'Say something', 'what is not given stays');
});

scenario('axe finds nothing in the column, in either theme, with all that it can show', { ms: 60_000 }, async (t) => {
  for (const colorScheme of ['light', 'dark']) {
    const column = await embedFake(t, { context: { colorScheme }, elements: '<main><h1>A page of our own</h1><live-comments video="v" user="me"></live-comments></main>' });
    await column.fake((fake) => {
      for (const name of ['Ann', 'Bob', 'Ann']) fake.emit('A comment', { user: name, name });
      fake.emit('long '.repeat(200), { user: 'l' });
      fake.gap({ from: '1-5', to: '1-9', missed: 5, reason: 'slow' });
      fake.emit('after', { user: 'x' });
      fake.emit('mine', { user: 'me', own: true });
      fake.options.onViewers(12);
    });
    for (const text of ['fails', 'is on its way']) await column.say(text);
    await column.fake((fake) => fake.refuse(0, { status: 403, message: 'No.' }));
    await column.find('.failed').waitFor();
    await column.input.fill('x'.repeat(2_001));
    for (const state of [{ name: 'live' }, { name: 'connecting' }, { name: 'reconnecting', retryInMs: 60_000 }, { name: 'ended' }, { name: 'refused', error: {} }]) {
      await column.fake(`(fake, state) => fake.state({ ...state, error: new Error('why') })`, state);
      assert.deepEqual(await findings(column.page), [], `${colorScheme}, ${state.name}`);
    }
    await column.fake((fake) => fake.state({ name: 'live' }));
    await column.scroll(-400);
    await column.jump.waitFor();
    assert.deepEqual(await findings(column.page), [], `${colorScheme}, standing still`);
  }
});

scenario('at a width where a text fits, nothing offers to show more of it', async (t) => {
  const column = await embedFake(t);
  await column.fake((fake) => fake.emit('words '.repeat(60), { user: 'x' }));
  await column.find('.more').waitFor();
  await column.page.setViewportSize({ width: 1_200, height: 660 });
  await column.host.evaluate((host) => (host.style.width = '1100px'));
  await column.find('.more').waitFor({ state: 'hidden' });
  await column.host.evaluate((host) => (host.style.width = ''));
  await column.find('.more').waitFor();
});
