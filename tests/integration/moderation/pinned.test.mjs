// Who comes after a pin, and asks for nothing of what was before, knows what is pinned.
// CI also: up-redis.
// Also on: sentinel, cluster. The scripts' keys are in one slot.
import assert from 'node:assert/strict';
import { call, moderate, owner, postMany } from '../lib/api.mjs';
import { ban, getRoom, patchRoom, tryPost } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const numberOf = (id) => Number(id.split('-')[1]);
const pin = (system, id) => moderate(system, 'v', 'PUT', 'pin', { id });
const unpin = (system) => moderate(system, 'v', 'DELETE', 'pin');

// A newcomer's, as soon as it is told the room.
async function shown(t, reader) {
  const viewer = await t.watch(reader, { video: 'v', query: { events: 'room', redirect: 'never' } });
  await viewer.wait(() => viewer.moments.length, 'the room');
  assert.equal(viewer.entries.length, 0, 'nothing of what was before');
  return viewer;
}
const tells = (viewer, pinned) => viewer.wait(() => viewer.moments.at(-1)?.pinned === pinned, `${pinned} to be pinned`);

scenario('a newcomer knows what is pinned, until it is taken off, deleted or purged, and also after a restart', async (t) => {
  const system = await t.system({ stable: true });
  const [first, second, third] = await postMany(system, 'v', 3, { atOnce: 1 });
  const before = await shown(t, await owner(system, 'v'));
  assert.equal(before.moments[0].pinned, null);
  await pin(system, first.id);
  await tells(before, first.id);
  await pin(system, second.id);
  await patchRoom(system, 'v', { slow_ms: 1000 });
  if (process.env.CHORUS_ENGINE !== 'memory') await system.restart('SIGKILL');
  const reader = await until(() => owner(system, 'v').catch(() => false), 'the reader to be back');
  for (const at of system.readers) await tells(await shown(t, at), second.id);
  assert.equal((await getRoom(system, 'v')).pinned, second.id);
  const { json } = await call('GET', `${system.comment}/videos/v/comments?after=${first.id}&limit=1`);
  assert.deepEqual(json.comments, [second], 'and can read it');

  const late = await shown(t, reader);
  await moderate(system, 'v', 'DELETE', `comments/${second.id}`);
  await tells(late, null);
  assert.equal((await shown(t, reader)).moments[0].pinned, null);
  await pin(system, third.id);
  await tells(late, third.id);
  await unpin(system);
  await tells(late, null);
  await pin(system, third.id);
  await tells(late, third.id);
  await ban(system, 'v', 'poster', { purge: true });
  await tells(late, null);

  // An entry after this position is newer than what the room says.
  const { comment } = await tryPost(system.comment, 'v', 'ann').then(({ json }) => json);
  await late.reaches(comment.id);
  await pin(system, comment.id);
  await tells(late, comment.id);
  assert.ok([numberOf(comment.id), numberOf(comment.id) + 1].includes(numberOf(late.moments.at(-1).after)), `after ${late.moments.at(-1).after}`);
});
