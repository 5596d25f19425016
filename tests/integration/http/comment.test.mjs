// Also on: sentinel, cluster. Processes find their Redis in another way.
// CI also: up-redis, processes, asan. Each engine numbers comments in its own way.
import assert from 'node:assert/strict';
import { call, owner, resolve } from '../lib/api.mjs';
import { checkComment, checkCors } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('POST /comment returns 201 with the comment as every viewer gets it, and registers the video', async (t) => {
  const system = await t.system();
  const send = (text) => call('POST', `${system.comment}/comment`, { json: { userid: 'ann', videoid: 'new', comment: text } });
  const answer = await send('Great video!');
  assert.equal(answer.status, 201);
  checkCors(answer);
  assert.match(answer.headers['content-type'], /^application\/json\b/);
  assert.deepEqual(Object.keys(answer.json), ['success', 'comment']);
  assert.equal(answer.json.success, true);
  checkComment(answer.json.comment, { user: 'ann', video: 'new', text: 'Great video!' });
  assert.match(answer.json.comment.id, /-1$/, 'the first one of its video');

  const { readerUrl } = await resolve(system, 'new');
  const viewer = await t.watch(readerUrl, { video: 'new' });
  const second = (await send('again')).json.comment;
  await viewer.reaches(second.id);
  assert.deepEqual(viewer.comments, [second], 'the event is the comment of the answer');
});

scenario('each video numbers its comments separately, from 1 and without holes', async (t) => {
  const system = await t.system();
  const videos = ['a', 'b', 'c'];
  for (const video of videos) await owner(system, video);
  for (let round = 1; round <= 5; round++) {
    for (const video of videos) {
      const { json } = await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: video, comment: 'x' } });
      assert.match(json.comment.id, new RegExp(`^\\d+-${round}$`));
    }
  }
});
