// CI also: processes. As the original was run.
// Long: 13.
import assert from 'node:assert/strict';
import { owner, statistics } from '../lib/api.mjs';
import { startClients } from '../lib/clients.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const shares = { video1: 3, video2: 3, video3: 10, video4: 1, video5: 1, video6: 1 };

const countBy = (list, key) => list.reduce((counts, entry) => ({ ...counts, [key(entry)]: (counts[key(entry)] ?? 0) + 1 }), {});
const sum = (list, key) => list.reduce((total, entry) => total + entry[key], 0);

// What the clients of a video have posted reaches each of them, and no others.
function addsUp({ totalClients, clients }) {
  if (totalClients !== 19) return false;
  return Object.keys(shares).every((video) => {
    const watching = clients.filter(({ videoId }) => videoId === video);
    const posted = sum(watching, 'commentsGenerated');
    return posted > 0 && watching.every(({ commentsConsumed }) => commentsConsumed === posted);
  });
}

scenario('nineteen clients on six videos, as in the original, and the statistics add up', async (t) => {
  const system = await t.system();
  const clients = startClients(t, system, { 'statistics-interval-ms': 300 });
  const document = await clients.until(async () => {
    const { clients: found } = await statistics(system);
    return addsUp(found) && found;
  }, 'nineteen clients whose figures add up', 20_000);
  assert.deepEqual(countBy(document.clients, ({ videoId }) => videoId), shares);
  assert.deepEqual(document.clients.map(({ clientId }) => clientId).sort(), Array.from({ length: 19 }, (_, i) => `client-${i + 1}`).sort());
  for (const { clientId, userId, videoId, subscribedTopics, connectedReader } of document.clients) {
    assert.equal(userId, clientId.replace('client-', 'user'));
    assert.deepEqual(subscribedTopics, [`video:${videoId}`]);
    assert.ok(system.readers.includes(connectedReader), connectedReader);
  }

  const { code, figures } = await clients.stop();
  assert.equal(code, 0);
  assert.equal(figures.viewers, 19);
  assert.ok(figures.comments >= 19, `${figures.comments} comments`);
  assert.ok(figures.p50_ms > 0 && figures.p50_ms <= figures.p99_ms, `${figures.p50_ms} and ${figures.p99_ms} ms`);
  assert.deepEqual([figures.failed, figures.lost, figures.duplicated, figures.out_of_order], [0, 0, 0, 0]);
});

scenario('up --demo: the same nineteen inside', { setups: ['embedded'] }, async (t) => {
  const system = await t.system({ args: ['--demo'], flags: { 'statistics-interval-ms': 200 } });
  const { clients } = await until(async () => {
    const document = await statistics(system);
    return document.clients.totalClients === 19 && document.clients.totalCommentsGenerated > 0 && document;
  }, 'comments of nineteen simulated clients');
  assert.deepEqual(countBy(clients.clients, ({ videoId }) => videoId), shares);
  const viewer = await t.watch(await owner(system, 'video3'), { video: 'video3' });
  await viewer.sees(1); // one of ten posts within a second
  const { code } = await system.stop();
  assert.equal(code, 0);
});
