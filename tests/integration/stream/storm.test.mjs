// CI: up-redis. A hundred viewers come back at once, half of them to a video of which only the log has anything.
import assert from 'node:assert/strict';
import { owner, postMany } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

const missed = 300;
const returning = 50;

scenario('a storm of viewers that come back: each gets exactly what it missed, and what is posted meanwhile', async (t) => {
  const system = await t.system();
  const [watched, cold] = [await owner(system, 'watched'), await owner(system, 'cold')];
  const live = await t.watch(watched, { video: 'watched' });
  const posted = { watched: await postMany(system, 'watched', missed + 1), cold: await postMany(system, 'cold', missed + 1) };
  await live.reaches(posted.watched.at(-1).id);

  const comesBack = (reader, video) => t.watch(reader, { video, from: posted[video][0].id });
  const coming = Array.from({ length: returning }, () => [comesBack(watched, 'watched'), comesBack(cold, 'cold')]).flat();
  const meanwhile = await Promise.all(['watched', 'cold'].map((video) => postMany(system, video, 30)));
  posted.watched.push(...meanwhile[0]);
  posted.cold.push(...meanwhile[1]);
  for (const viewer of await Promise.all(coming)) {
    const all = posted[viewer.options.video];
    await viewer.reaches(all.at(-1).id);
    assert.deepEqual(viewer.comments, all.slice(1));
    assert.equal(viewer.gaps.length, 0);
  }
  await live.reaches(posted.watched.at(-1).id);
  assert.deepEqual(live.comments, posted.watched);
});
