// Set-ups: embedded.
import assert from 'node:assert/strict';
import { moderate, post, postMany } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { embed } from './embedding.mjs';

scenario('a deleted comment leaves the column, also where it comes with the history; a pinned one stands above it', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const [first, secret, last] = await postMany(system, 'v', 3, { atOnce: 1 });
  const column = await embed(t, system);
  const { page } = column;
  await column.wait((rows) => rows.length === 3, 'the history');
  const texts = (rows) => rows.map(({ text }) => text).join(', ');
  await moderate(system, 'v', 'PUT', 'pin', { id: secret.id });
  const pinned = () => page.evaluate(() => {
    const { shadowRoot } = document.querySelector('live-comments'), element = shadowRoot.querySelector('.pinned');
    return element.hidden ? '' : element.querySelector('.text').textContent;
  });
  await until(async () => (await pinned()) === secret.comment, 'the pinned comment');
  const newcomer = await embed(t, system, { elements: '<live-comments video="v" history="0"></live-comments>' });
  await newcomer.find('.pinned .text').getByText(secret.comment).waitFor();
  await page.evaluate(({ id, after }) => document.querySelector('live-comments').live._options.onRoom({ type: 'room', pinned: id, after }), { id: last.id, after: secret.id });
  assert.equal(await pinned(), secret.comment, 'a room of before the pin changes nothing');
  await moderate(system, 'v', 'DELETE', `comments/${secret.id}`);
  await column.wait((rows) => texts(rows) === `${first.comment}, ${last.comment}`, 'the comment to leave');
  assert.equal(await pinned(), '', 'nor is it pinned any more');

  await post(system, 'v', 'one more', { user: 'spammer' });
  await column.wait((rows) => rows.length === 3, 'one more');
  await moderate(system, 'v', 'DELETE', `comments/${first.id}`);
  await column.wait((rows) => texts(rows) === `${last.comment}, one more`, 'the first to leave');
  await page.reload();
  await column.wait((rows) => texts(rows) === `${last.comment}, one more`, 'what is left');

  await moderate(system, 'v', 'PUT', 'pin', { id: last.id });
  await moderate(system, 'v', 'POST', 'end');
  for (const history of [50, 0]) {
    const late = await embed(t, system, { elements: `<live-comments video="v" history="${history}"></live-comments>` });
    await late.find('.pinned .text').getByText(last.comment).waitFor();
  }
});
