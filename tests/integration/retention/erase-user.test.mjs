// DELETE /users/USER/comments: all of a user goes from all videos, and viewers see it go.
// CI also: up-redis, memory. Each store lists its videos in its own way.
// Also on: cluster. Its parts are in different slots.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { call, owner, post, statistics } from '../lib/api.mjs';
import { held, patchRoom, tryPost, waits } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';

const SECRET = 'my street is Example Road';
const archives = setup === 'embedded' && process.env.CHORUS_ENGINE !== 'memory';
const erase = async (system, user, headers) => {
  const { status, text, json } = await call('DELETE', `${system.comment}/users/${user}/comments`, { headers });
  return { status, code: json?.code, lines: status === 200 ? text.split('\n').slice(0, -1).map((line) => JSON.parse(line)) : [] };
};

scenario('a user is erased from all videos, and from what waits', async (t) => {
  const system = await t.system({ flags: archives ? { 'archive-days': 1, 'log-entries': 2, 'log-min-age-ms': 0 } : {} });
  const viewer = await t.watch(await owner(system, 'one'), { video: 'one' });
  await post(system, 'one', SECRET, { user: 'ann', name: 'Ann Example' });
  for (let i = 0; i < 4; i++) await post(system, 'one', 'hello', { user: 'bob' }); // ann's has left the log where there is an archive
  await post(system, 'two', SECRET, { user: 'ann' });
  await post(system, 'three', `ann said: ${SECRET.length}`, { user: 'bob' });
  await patchRoom(system, 'three', { hold: true });
  for (const user of ['ann', 'bob']) await waits(tryPost(system.comment, 'three', user, user), 'moderator');

  const { lines } = await erase(system, 'ann');
  assert.deepEqual(lines.pop(), { done: true, videos: 3, comments: 2, held: 1 });
  assert.deepEqual(lines.sort((a, b) => a.videoid < b.videoid ? -1 : 1), [
    { videoid: 'one', comments: 1, held: 0 }, { videoid: 'three', comments: 0, held: 1 }, { videoid: 'two', comments: 1, held: 0 },
  ]);
  await viewer.wait(() => viewer.entries.some(({ type, userid }) => type === 'purge' && userid === 'ann'), 'the purge');
  const waiting = JSON.stringify(await held(system, 'three'));
  assert.ok(waiting.includes('"bob"') && !waiting.includes('"ann"'), waiting);
  const left = await Promise.all(['one', 'two', 'three'].map(async (video) => (await call('GET', `${system.comment}/videos/${video}/replay`)).text));
  assert.ok(!left.join('').includes('Example'), left.join(''));
  assert.equal(left.join('').split('"userid":"bob"').length, 1 + 5);
  assert.match((await call('GET', `${system.comment}/videos/two/audit`)).text, /"what":"purge".*"userid":"ann"/);
  assert.ok((await statistics(system)).storedComments.comments.every(({ userid }) => userid === 'bob'));
  assert.deepEqual((await erase(system, 'ann')).lines, [{ done: true, videos: 0, comments: 0, held: 0 }], 'once is enough');
  if (!archives) return;
  await system.stop();
  const files = system.dataFiles.map((path) => readFileSync(path, 'latin1')).join('');
  assert.ok(!files.includes('Example'), 'nothing is left in the file');
});

scenario('who may not, and what is no user', async (t) => {
  const system = await t.system({ flags: { 'internal-from': '10.255.255.255' } });
  const { status, code } = await erase(system, 'ann');
  assert.deepEqual([status, code], [403, 'forbidden']);
});
