import assert from 'node:assert/strict';
import { scenario } from '../integration/lib/scenario.mjs';
import { openPage } from './page.mjs';

scenario('a page of another origin registers, posts and reads errors, with headers that need a preflight', async (t) => {
  const system = await t.system();
  const page = await openPage(t);
  const registered = await page.send('POST', `${system.comment}/register`, { videoid: 'v' });
  assert.equal(registered.status, 200);
  assert.equal((await page.send('GET', `${system.comment}/resolve/v`)).json.readerUrl, registered.json.readerUrl);
  await page.watch(`${registered.json.readerUrl}/connect?userid=u&videoid=v`);
  const headers = { 'idempotency-key': 'k-1', authorization: 'Bearer x', 'last-event-id': '1-1' };
  const posted = await page.send('POST', `${system.comment}/comment`, { userid: 'u', videoid: 'v', comment: 'from a page' }, headers);
  assert.equal(posted.status, 201);
  await page.wait(({ comments }) => comments.length === 1, 'the comment');
  assert.deepEqual((await page.seen()).comments, [posted.json.comment]);
  const wrong = await page.send('POST', `${system.comment}/comment`, { userid: 'u' });
  assert.deepEqual([wrong.status, typeof wrong.json.code], [400, 'string']);
  assert.equal((await page.send('GET', `${system.comment}/nowhere`)).status, 404);
  assert.equal((await page.send('GET', `${system.statistics}/statistics`)).status, 200);
});
