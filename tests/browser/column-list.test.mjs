// Long: 15.
import assert from 'node:assert/strict';
import { until } from '../integration/lib/time.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { embedFake } from './embedding.mjs';

const emitMany = (column, count, word = 'comment') =>
  column.fake(`(fake, {count, word}) => { for (let i = 0; i < count; i++) fake.emit(word + ' ' + i, {user: 'u' + i % 7, replayed: true}) }`, { count, word });

scenario('the list follows the newest within 70 px of the end, else it stands still and counts', async (t) => {
  const column = await embedFake(t);
  await emitMany(column, 60);
  await column.wait((rows) => rows.length === 60, 'all rows');
  assert.ok((await column.fromEnd()) <= 1, 'at the end');
  await column.scroll(-65);
  await column.fake((fake) => fake.emit('near enough'));
  await column.wait((rows) => rows.at(-1).text === 'near enough', 'the next');
  await until(async () => (await column.fromEnd()) <= 1, 'the end again');

  await column.scroll(-200);
  await column.jump.waitFor();
  assert.equal(await column.jump.textContent(), 'Back to the newest');
  const top = await column.list.evaluate((list) => list.scrollTop);
  await column.fake((fake) => fake.emit('one'));
  await column.jump.getByText('1 new comment').waitFor();
  await column.fake((fake) => fake.emit('two'));
  await column.jump.getByText('2 new comments').waitFor();
  assert.equal(await column.list.evaluate((list) => list.scrollTop), top, 'it stands still');
  assert.equal((await column.texts()).at(-1), 'near enough');

  await column.jump.click();
  await column.wait((rows) => rows.slice(-2).map(({ text }) => text).join() === 'one,two', 'both');
  await until(async () => (await column.fromEnd()) <= 1, 'the end');
  assert.equal(await column.jump.isVisible(), false);
  assert.equal(await column.list.evaluate((list) => list.matches(':focus')), true, 'the focus is not lost with the button');

  await column.scroll(-200);
  await column.jump.waitFor();
  await column.fake((fake) => fake.emit('three'));
  await column.scroll(10_000);
  await column.wait((rows) => rows.at(-1).text === 'three', 'what came, once the reader is at the end');
});

scenario('at most 200 rows, without a hole, however many come while one reads', async (t) => {
  const column = await embedFake(t);
  await emitMany(column, 1_000);
  let rows = await column.wait((all) => all.at(-1)?.text === 'comment 999', 'the newest');
  assert.deepEqual([rows.length, rows[0].text, rows[0].continued], [200, 'comment 800', false]);
  await column.scroll(-400);
  await column.jump.waitFor();
  await emitMany(column, 700, 'later');
  await column.jump.getByText('700 new comments').waitFor();
  assert.equal((await column.texts()).at(-1), 'comment 999');
  await column.jump.click();
  rows = await column.wait((all) => all.at(-1)?.text === 'later 699', 'the newest');
  assert.deepEqual([rows.length, rows[0].text], [200, 'later 500']);
});

scenario('what grows below a reader at the end is followed: a row that fails, a banner, a long text', async (t) => {
  const column = await embedFake(t);
  await emitMany(column, 60);
  await column.say('will fail');
  await column.fake((fake) => fake.refuse(0, { status: 403, message: 'You may not write here.' }));
  await column.find('.failed').waitFor();
  await column.fake((fake) => fake.state({ name: 'reconnecting', retryInMs: 60_000 }));
  await column.find('.banner').getByText(/Trying again in \d+ s/).waitFor();
  await column.input.fill('a line\n'.repeat(20));
  await until(async () => (await column.fromEnd()) <= 1, 'the end in sight');
  await column.input.fill('');
  await until(async () => (await column.fromEnd()) <= 1, 'the end in sight');
  assert.equal(await column.jump.isVisible(), false);
});

scenario('runs of one author have one head; the first row always has one', async (t) => {
  const column = await embedFake(t);
  await column.fake((fake) => {
    for (const [user, name] of [['a', 'Ann'], ['a', 'Ann'], ['b', 'Ann'], ['b', 'Ann'], ['b', 'Bob']]) fake.emit('x', { user, name });
    fake.emit('much later', { user: 'b', name: 'Bob', agoMs: -20 * 60_000, replayed: true });
  });
  const rows = await column.wait((all) => all.length === 6, 'six rows');
  assert.deepEqual(rows.map(({ continued }) => continued), [false, true, false, true, false, false]);
  assert.equal(await column.find('.row').nth(1).locator('.name').isVisible(), false);
  await column.fake((fake) => {
    for (let i = 0; i < 199; i++) fake.emit(`${i}`, { user: 'c', replayed: true });
  });
  await column.wait((all) => all.length === 200 && all.at(-1).text === '198', 'the rest');
  await column.fake((fake) => fake.emit('199', { user: 'c', replayed: true }));
  const last = await column.wait((all) => all.at(-1).text === '199', 'one more');
  assert.deepEqual([last[0].text, last[0].continued, last[1].continued], ['0', false, true]);
});

scenario('a flood is sampled to what a person can read, and says so; own comments always show', async (t) => {
  const column = await embedFake(t);
  // For three seconds, 200 comments a second.
  await column.fake(async (fake) => {
    const start = performance.now();
    let frames = 0;
    window.frames = { count: 0 };
    const frame = () => {
      frames++;
      if (performance.now() - start < 3_000) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    for (let sent = 0; sent < 600; await new Promise((resolve) => setTimeout(resolve, 10))) {
      for (const due = (performance.now() - start) / 5; sent < due; sent++) fake.emit(`flood ${sent}`, { user: `u${sent}` });
      if (sent > 300 && !window.mine) {
        window.mine = true;
        fake.emit('mine', { user: 'me', own: true });
      }
    }
  });
  await column.find('.sample').getByText(/^Showing \d+ of \d+ a second$/).waitFor();
  const [shown, all] = (await column.find('.sample').textContent()).match(/\d+/g).map(Number);
  assert.ok(shown <= 30 && all > 60 && shown < all, `${shown} of ${all}`);
  const rows = await column.rows();
  assert.ok(rows.length > 40 && rows.length < 130, `${rows.length} rows`);
  assert.ok(rows.some(({ text, own }) => text === 'mine' && own));
  await column.find('.sample').waitFor({ state: 'hidden' });

  // A screen reader got a few sentences of it.
  const spoken = await column.find('[aria-live=polite]').textContent();
  assert.match(spoken, /^u\d+: flood \d+, and \d+ more$/);
  assert.equal(await column.list.getAttribute('aria-live'), 'off');
});

scenario('what the server has left out counts as not shown', async (t) => {
  const column = await embedFake(t);
  await column.fake((fake) => fake.emit('of a sample', { more: 37 }));
  await column.find('.sample').getByText(/^Showing 1 of 38 a second$/).waitFor();
  await column.find('.sample').waitFor({ state: 'hidden' });
});

scenario('missed comments are said where they are missing, and load into their place', async (t) => {
  const column = await embedFake(t);
  await column.fake((fake) => {
    fake.emit('before');
    fake.gap({ from: '1-2', to: '1-6', missed: 5, reason: 'slow' });
    fake.emit('after');
  });
  await column.find('.gap').getByText('5 comments missed').waitFor();
  await column.find('.gap').getByText('Load them').click();
  assert.deepEqual(await column.fake((fake) => fake.query), { after: '1-1', before: '1-7', limit: 200 });
  await column.fake((fake) => fake.reject(new Error('not now')));
  await column.find('.gap').getByText('Try again').click();
  const some = (column_, ids, more) => column_.fake((fake, { ids, more }) => fake.resolve({ more, comments: ids.map((id) => ({ id: `1-${id}`, userid: 'u', comment: `missed ${id}`, timestamp: new Date().toISOString() })) }), { ids, more });
  await some(column, [2, 3], true);
  await column.find('.gap').getByText('3 comments missed').waitFor();
  await column.find('.gap').getByText('Load them').click();
  assert.deepEqual(await column.fake((fake) => fake.query), { after: '1-3', before: '1-7', limit: 200 });
  await some(column, [5, 6], false);
  await column.find('.gap').getByText('1 comment missed, no longer kept').waitFor();
  const order = await column.host.evaluate((host) => Array.from(host.shadowRoot.querySelectorAll('.rows > li'), (li) => li.querySelector('.text')?.textContent ?? 'gap'));
  assert.deepEqual(order, ['before', 'missed 2', 'missed 3', 'missed 5', 'missed 6', 'gap', 'after']);
  assert.equal(await column.find('.gap button').count(), 0);
});

scenario('what a gap brings back never makes the list longer than 200 rows, nor tears a hole', async (t) => {
  const column = await embedFake(t);
  await column.fake((fake) => {
    for (let i = 1; i <= 40; i++) fake.emit(`old ${i}`, { user: `o${i}`, replayed: true });
    fake.gap({ from: '1-41', to: '1-240', missed: 200, reason: 'slow' });
    for (let i = 1; i <= 100; i++) fake.emit(`new ${i}`, { user: `n${i}`, replayed: true });
  });
  await column.wait((rows) => rows.length === 140, 'all rows');
  await column.find('.gap button').click();
  await column.fake((fake) => fake.resolve({ more: false, comments: Array.from({ length: 200 }, (_, i) => ({ id: `1-${41 + i}`, userid: 'u', comment: `missed ${i}`, timestamp: new Date().toISOString() })) }));
  const texts = (await column.wait((rows) => rows.some(({ text }) => text === 'missed 199'), 'what was missed')).map(({ text }) => text);
  assert.equal(texts.length, 200);
  assert.deepEqual([texts[0], texts.at(-1)], ['missed 0', 'missed 199']);
  await column.jump.click();
  const after = (await column.wait((rows) => rows.at(-1).text === 'new 100', 'the newest')).map(({ text }) => text);
  assert.deepEqual([after.length, after[0], after[99], after[100]], [200, 'missed 100', 'missed 199', 'new 1']);
});

scenario('states look different and say what they mean', async (t) => {
  const column = await embedFake(t);
  const chip = column.find('.state');
  const look = async () => [await chip.textContent(), await chip.evaluate((each) => `${getComputedStyle(each).color} ${getComputedStyle(each, '::before').cssText}`)];
  const looks = [];
  await column.fake((fake) => fake.options.onViewers(1204));
  await column.find('.viewers').getByText('1,204 watching').waitFor();
  for (const [state, banner] of [
    [{ name: 'connecting' }, null], [{ name: 'live' }, null], [{ name: 'reconnecting', retryInMs: 60_000 }, /Connection lost. Trying again in \d\d s/],
    [{ name: 'ended' }, /ended/], [{ name: 'refused', error: new Error('x') }, /x/],
  ]) {
    await column.page.evaluate(([name, retryInMs, text]) => window.fake.state({ name, retryInMs, error: new Error(text) }), [state.name, state.retryInMs, state.error?.message]);
    looks.push((await look()).join());
    if (banner) await column.find(`.banner.${state.name}`).getByText(banner).waitFor();
    else assert.equal(await column.find('.banner').isVisible(), false);
  }
  assert.equal(new Set(looks).size, 5, looks.join('\n'));
  assert.equal(await column.input.isDisabled(), true);
});

scenario('another attempt keeps what is shown and typed, and goes on from there', async (t) => {
  const column = await embedFake(t);
  await column.fake((fake) => {
    fake.emit('shown');
    fake.position = '1-1';
  });
  await column.wait((rows) => rows.length === 1, 'a row');
  await column.input.fill('half a sen');
  await column.fake((fake) => {
    fake.old = true;
    fake.state({ name: 'reconnecting', retryInMs: 60_000 });
  });
  await column.find('.banner button').click();
  await column.live();
  assert.deepEqual(await column.fake((fake) => [fake.old, fake.options.since]), [null, '1-1'].map((each) => each ?? undefined));
  await column.fake((fake) => fake.emit('next'));
  await column.wait((rows) => rows.length === 2, 'the old row and the next');
  assert.equal(await column.input.inputValue(), 'half a sen');
  await column.host.evaluate((element) => (element.video = 'another'));
  await column.wait((rows) => rows.length === 0, 'no row of the other video');
  assert.equal(await column.input.inputValue(), 'half a sen');
});
