// Long: 20.
import assert from 'node:assert/strict';
import { until } from '../integration/lib/time.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { embed, embedFake } from './embedding.mjs';

const posts = (column) => column.fake((fake) => fake.posts.map(({ text, name }) => ({ text, name })));

scenario('Enter twice sends once; the comment shows at once, and is confirmed in its place', async (t) => {
  const column = await embedFake(t);
  await column.input.fill('Great!');
  await column.input.press('Enter');
  await column.input.press('Enter');
  await column.input.fill('Great!');
  await column.input.press('Enter'); // the same text while the first is on its way
  assert.deepEqual(await posts(column), [{ text: 'Great!', name: 'Me' }]);
  let [row] = await column.wait((rows) => rows.length === 1, 'the own comment');
  assert.deepEqual([row.own, row.state, row.id], [true, 'sending', undefined]);
  await column.fake((fake) => {
    fake.emit('from another', { user: 'x' });
    fake.answer(0);
    fake.emit('and one more', { user: 'x' });
  });
  const rows = await column.wait((all) => all.length === 3 && !all[1].state, 'it, confirmed');
  assert.deepEqual(rows.map(({ text, id }) => `${text} ${id}`), ['from another 1-1', 'Great! 1-2', 'and one more 1-3']);
});

scenario('Shift+Enter makes a line; nothing is sent of white space, nor while an input method composes', async (t) => {
  const column = await embedFake(t);
  await column.input.pressSequentially('one');
  await column.input.press('Shift+Enter');
  await column.input.pressSequentially('two');
  await column.input.dispatchEvent('keydown', { key: 'Enter', isComposing: true });
  assert.deepEqual(await posts(column), []);
  await column.input.press('Enter');
  await column.input.fill(' \n ');
  await column.input.press('Enter');
  assert.equal(await column.send.isDisabled(), true);
  assert.deepEqual(await posts(column), [{ text: 'one\ntwo', name: 'Me' }]);
});

scenario('an answer that the stream does not repeat leaves one row, where it belongs', async (t) => {
  const column = await embedFake(t);
  await column.say('lost by the stream');
  await column.fake((fake) => fake.answer(0, { stream: false }));
  await column.wait(([row]) => row?.state === 'sent', 'answered');
  await column.fake((fake) => fake.emit('later', { user: 'x' }));
  const rows = await column.wait((all) => all.length === 2, 'two rows');
  assert.deepEqual(rows.map(({ text, state, own }) => [text, state ?? 'in the list', own]), [['lost by the stream', 'in the list', true], ['later', 'in the list', false]]);
});

scenario('a failed comment keeps its text: it is sent again, edited or discarded', async (t) => {
  const column = await embedFake(t);
  await column.say('first');
  await column.fake((fake) => fake.refuse(0, { status: 503, message: 'The store is full.' }));
  await column.find('.failed').getByText('Not sent. The store is full.').waitFor();
  await column.find('.failed').getByText('Send again').click();
  await until(async () => (await posts(column)).length === 2, 'the second attempt');
  await column.fake((fake) => fake.refuse(1, { status: 0 }));
  await column.find('.failed').getByText('Not sent. The server cannot be reached.').waitFor();
  await column.find('.failed').getByText('Edit').click();
  assert.deepEqual([await column.input.inputValue(), (await column.rows()).length], ['first', 0]);
  assert.equal(await column.input.evaluate((input) => input.matches(':focus')), true);
  await column.input.press('Enter');
  await column.fake((fake) => fake.refuse(2, { status: 400, message: 'No.' }));
  await column.find('.failed').getByText('Discard').click();
  await column.wait((rows) => rows.length === 0, 'no row');
  assert.equal(await column.input.evaluate((input) => input.matches(':focus')), true, 'the focus is not lost with the button');
});

scenario('a slow answer is said, and never blocks the next comment', async (t) => {
  const column = await embedFake(t);
  await column.say('slow');
  await column.find('.sending').getByText('Sending…').waitFor();
  await column.find('.sending').getByText('No answer yet, trying again…').waitFor();
  await column.say('quick');
  await column.fake((fake) => fake.answer(1));
  await column.wait((rows) => rows.some(({ text, state }) => text === 'quick' && !state) && rows.some(({ text, state }) => text === 'slow' && state), 'the second one');
  await column.fake((fake) => fake.answer(0));
  await column.wait((rows) => rows.length === 2 && rows.every(({ state }) => !state), 'both');
});

scenario('a limit counts down and keeps the text', async (t) => {
  const column = await embedFake(t);
  await column.say('too fast');
  await column.fake((fake) => fake.refuse(0, { status: 429, message: 'Too many.', retryAfterMs: 3_000 }));
  await column.find('.note').getByText('You can comment again in 3 s. Your text stays here.').waitFor();
  assert.deepEqual([await column.input.inputValue(), (await column.rows()).length, await column.send.textContent()], ['too fast', 0, '3 s']);
  await column.input.press('Enter');
  await column.send.getByText('1 s').waitFor();
  assert.equal((await posts(column)).length, 1, 'nothing was sent before its time');
  await column.send.getByText('Send').waitFor();
  assert.equal(await column.find('.note').textContent(), '');
  await column.input.press('Enter');
  await column.fake((fake) => fake.answer(1));
  await column.wait((rows) => rows.length === 1 && !rows[0].state, 'the comment');
});

scenario('a limit does not overwrite what was typed meanwhile', async (t) => {
  const column = await embedFake(t);
  await column.say('too fast');
  await column.input.fill('typed meanwhile');
  await column.fake((fake) => fake.refuse(0, { status: 429, message: 'Too many comments.', retryAfterMs: 60_000 }));
  await column.find('.failed').getByText('Too many comments.').waitFor();
  assert.equal(await column.input.inputValue(), 'typed meanwhile');
});

scenario('bytes are counted near the limit, as UTF-8', async (t) => {
  const column = await embedFake(t);
  const note = () => column.find('.note').textContent();
  await column.input.fill('é'.repeat(800));
  assert.equal(await note(), '');
  await column.input.fill('é'.repeat(900));
  assert.equal(await note(), '200 bytes left');
  await column.input.fill('é'.repeat(1_000));
  assert.deepEqual([await note(), await column.send.isDisabled()], ['0 bytes left', false]);
  await column.input.fill('é'.repeat(1_000) + 'a');
  assert.deepEqual([await note(), await column.send.isDisabled()], ['1 byte too long', true]);
  await column.input.press('Enter');
  assert.equal((await posts(column)).length, 0);
});

scenario('a name of any kind becomes one that the server accepts, and is kept', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const column = await embed(t, system);
  await column.live();
  const named = async (name) => {
    await column.find('.rename').click();
    await column.find('.name-input').fill(name);
    await column.find('.name-input').press('Enter');
    await column.say(`I am ${name.length}`);
    const rows = await column.wait((all) => all.at(-1)?.text === `I am ${name.length}` && !all.at(-1).state, `the comment of ${JSON.stringify(name)}`);
    return rows.at(-1).name;
  };
  const family = '👨‍👩‍👧‍👦';
  assert.equal(await named('Zoë 🚀'), 'Zoë 🚀');
  assert.equal(await named(`${family}${family}${family}`), `${family}${family}`, 'cut between characters, not within');
  assert.equal(await named('x'.repeat(63) + 'é'), 'x'.repeat(63));
  assert.equal(await named('\u202eevil\u0000\n name\u2066'), 'evil name');
  assert.equal(await named('\u200b\u3164 '), 'evil name', 'a name that cannot be seen changes nothing');
  const user = await column.host.evaluate((element) => element.userid);
  await column.page.reload();
  await column.live();
  assert.equal(await column.find('.rename').textContent(), 'evil name');
  assert.equal(await column.host.evaluate((element) => element.userid), user);
  await column.wait((rows) => rows.length === 5 && rows.every(({ own }) => own), 'the own comments, as own ones');
});

scenario('the limit of a real server keeps the text too', { ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { 'user-rate': 1 } });
  const column = await embed(t, system, { expect: [/429/] });
  await column.live();
  for (let i = 0; !(await column.find('.limited').count()) && i < 20; i++) await column.say(`number ${i}`);
  await column.find('.note').getByText(/You can comment again in \d+ s/).waitFor();
  const text = await column.input.inputValue();
  assert.match(text, /^(number \d+)+$/, 'what was refused, before what was typed meanwhile');
  await column.send.getByText('Send').waitFor();
  await column.input.press('Enter');
  await column.wait((rows) => rows.some((row) => row.text === text && !row.state), 'the text that had to wait');
});

scenario('a comment whose answer is lost is stored once, and confirmed', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const lost = { count: 0 };
  const route = (page) => page.route('**/comment', async (call) => {
    if (call.request().method() !== 'POST' || lost.count++) return call.continue();
    await call.fetch();
    await call.abort();
  });
  const column = await embed(t, system, { route, expect: [/ERR_FAILED/] });
  await column.live();
  await column.say('only once');
  await until(async () => lost.count >= 2, 'a second attempt');
  await column.wait((rows) => rows.length === 1 && rows[0].text === 'only once' && rows[0].own && !rows[0].state, 'one row');
  await column.say('and the next');
  const rows = await column.wait((all) => all.length === 2 && all.every(({ state }) => !state), 'two rows');
  assert.deepEqual(rows.map(({ id }) => id.split('-')[1]), ['1', '2']);
});

scenario('what moderators have set is said near the field, and a comment that has to wait says so', async (t) => {
  const column = await embedFake(t);
  const note = () => column.host.locator('.note').textContent();
  const room = (fields) => column.page.evaluate((more) => window.fake.options.onRoom({ type: 'room', only: [], ...more }), fields);
  await room({ slow_ms: 5000 });
  assert.match(await note(), /^Slow mode: one comment every 5 s/);
  await room({ slow_ms: 5000, frozen: true });
  assert.match(await note(), /closed for now/);
  await room({});
  assert.equal(await note(), '');
  await column.input.fill('Hello');
  await column.input.press('Enter');
  await column.fake((fake) => fake.posts[0].resolve({ comment: 'Hello' })); // 202: it has no number
  await until(async () => /Waits to be shown/.test(await column.host.evaluate((e) => e.shadowRoot.textContent)), () => 'that it waits');
  await column.fake((fake) => fake.emit('Hello', { user: fake.options.user, own: true }));
  await column.wait((rows) => rows.length === 1 && rows[0].id === '1-1', 'it, in its place');
});
