// What must not get lost or loud when something goes wrong: the focus, the key of a text, a screen reader's patience.
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { until } from '../integration/lib/time.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { embedFake } from './embedding.mjs';

const focused = (column) => column.host.evaluate((host) => host.shadowRoot.activeElement?.classList[0] ?? 'nothing');

scenario('a button that disappears or waits does not take the focus with it', async (t) => {
  const column = await embedFake(t);
  await column.input.fill('by the button');
  await column.send.focus();
  await column.send.press('Enter');
  assert.equal(await focused(column), 'input');

  await column.fake((fake) => fake.refuse(0, { status: 400, message: 'No.' }));
  await column.find('.failed').getByText('Send again').focus();
  await column.page.keyboard.press('Enter');
  await column.find('.sending').waitFor();
  assert.equal(await focused(column), 'list');
  await column.fake((fake) => fake.answer(1));

  await column.fake((fake) => fake.gap({ from: '1-2', to: '1-6', missed: 5, reason: 'slow' }));
  await column.find('.gap .action').focus();
  await column.page.keyboard.press('Enter');
  await column.find('.gap').getByText('Loading…').waitFor();
  assert.equal(await focused(column), 'action');
  await column.page.keyboard.press('Enter'); // in impatience
  await column.fake((fake) => fake.resolve({ comments: [{ id: '1-2', userid: 'a', comment: 'missed', timestamp: new Date().toISOString() }], more: true }));
  await column.find('.gap').getByText('4 comments missed').waitFor();
  assert.equal(await focused(column), 'action');
  await column.page.keyboard.press('Enter');
  await column.fake((fake) => fake.resolve({ comments: [], more: false }));
  await column.find('.gap').getByText('no longer kept').waitFor();
  assert.equal(await focused(column), 'list');

  await column.fake((fake) => fake.state({ name: 'refused', error: 'No.' }));
  await column.find('.banner .action').focus();
  await column.page.keyboard.press('Enter');
  await column.live();
  assert.equal(await focused(column), 'list');
});

scenario('an outage is announced once, not at each attempt; why it is over is read as well', async (t) => {
  const column = await embedFake(t);
  const changes = await column.host.evaluateHandle((host) => {
    const seen = [];
    new MutationObserver(() => seen.push(host.shadowRoot.querySelector('.state').textContent)).observe(host.shadowRoot.querySelector('.state'), { childList: true, characterData: true, subtree: true });
    return seen;
  });
  for (let i = 0; i < 5; i++) await column.fake((fake) => fake.state({ name: 'reconnecting', retryInMs: 30_000 }));
  await column.find('.banner.reconnecting').waitFor();
  assert.deepEqual(await changes.jsonValue(), ['Reconnecting']);
  assert.equal(await column.find('.banner').getAttribute('aria-live'), 'off', 'a countdown is not read');
  await column.fake((fake) => fake.state({ name: 'refused', error: 'The token has expired.' }));
  assert.equal(await column.find('.banner').getAttribute('aria-live'), 'polite');
});

scenario('a text that failed keeps its key through "Try again": the client that sent it sends it again', async (t) => {
  const column = await embedFake(t);
  await column.say('stored, perhaps');
  await column.fake((fake) => fake.refuse(0, { status: 0 }));
  await column.fake((fake) => (window.first = fake).state({ name: 'reconnecting', retryInMs: 30_000 }));
  await column.find('.banner .action').click();
  await until(() => column.fake((fake) => fake !== window.first), 'another client');
  await column.find('.failed').getByText('Send again').click();
  assert.deepEqual(await column.fake((fake) => [window.first.posts.length, fake.posts.length]), [2, 0]);
});

scenario('an address that cannot be one is said, and another one works', async (t) => {
  const column = await embedFake(t, { elements: '<live-comments server="http://" user="me"></live-comments>' });
  await column.host.evaluate((host) => host.setAttribute('video', 'v'));
  await column.find('.banner').getByText('“http://” is not an address.').waitFor();
  await column.host.evaluate((host) => host.removeAttribute('server'));
  await column.live();
});

scenario('a comment that has just come is new, whatever the clock of this machine says', async (t) => {
  const column = await embedFake(t);
  await column.fake((fake) => {
    fake.emit('old', { replayed: true, agoMs: 3_600_000 });
    fake.emit('new', { agoMs: 3_600_000, user: 'other' });
  });
  await column.wait((rows) => rows.length === 2, 'both');
  assert.deepEqual(await column.find('.time').allTextContents(), ['1 h', 'now']);
});

scenario('with forced colours the state has its mark, and own comments and avatars their edges', async (t) => {
  const column = await embedFake(t, { context: { forcedColors: 'active' } });
  await column.fake((fake) => fake.emit('mine', { own: true }));
  await column.wait((rows) => rows.length === 1, 'the comment');
  const drawn = await column.host.evaluate((host) => {
    const style = (selector, pseudo) => getComputedStyle(host.shadowRoot.querySelector(selector), pseudo);
    return [style('.state', '::before').backgroundColor !== style('.state').backgroundColor, style('.own').borderTopStyle, style('.row .avatar').borderTopStyle];
  });
  assert.deepEqual(drawn, [true, 'solid', 'solid']);
});

scenario('ten thousand gaps leave 200 rows; elements that are removed leave nothing', { ms: 60_000 }, async (t) => {
  const column = await embedFake(t);
  await column.fake((fake) => {
    for (let i = 1; i <= 10_000; i++) fake.gap({ from: `1-${i}`, to: `1-${i}`, missed: 1, reason: 'slow' });
    fake.emit('after all of them');
  });
  await column.wait(([row]) => row?.text === 'after all of them', 'the comment');
  assert.equal(await column.find('.rows > li').count(), 200);

  const session = await column.page.context().newCDPSession(column.page);
  await session.send('Performance.enable');
  const metrics = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { metrics: all } = await session.send('Performance.getMetrics');
    return Object.fromEntries(all.map(({ name, value }) => [name, value]));
  };
  const replace = (times) => column.page.evaluate(async (count) => {
    for (let i = 0; i < count; i++) {
      document.querySelector('live-comments').remove();
      const next = Object.assign(document.createElement('live-comments'), { video: 'v' });
      document.body.append(next);
      await new Promise((done) => next.addEventListener('state', ({ detail }) => detail.name === 'live' && done()));
      window.fake.emit('hello');
      await new Promise(requestAnimationFrame);
    }
  }, times);
  await replace(5);
  const before = await metrics();
  await replace(60);
  const after = await metrics();
  for (const what of ['Nodes', 'JSEventListeners']) assert.ok(after[what] < before[what] + 200, `${what}: ${before[what]}, then ${after[what]}`);
});
