import assert from 'node:assert/strict';
import { owner, post, postMany, statistics } from '../lib/api.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { scaled, slow, until } from '../lib/time.mjs';

const BIG = 'x'.repeat(1_990);

// Posts so much that a viewer that does not read cannot have it all in the kernel's buffers; returns the last comment.
async function flood(system, comments = 6_000) {
  const stored = await postMany(system, 'v', comments, { atOnce: 32, text: (i) => `${i} ${BIG}` });
  return stored.at(-1);
}

scenario('a viewer that reads nothing is closed, and delays no other', async (t) => {
  const system = await t.system({ flags: { 'stall-timeout-ms': 2_000, 'statistics-interval-ms': 200 } });
  const reader = await owner(system, 'v');
  const stuck = [];
  for (let i = 0; i < 5; i++) {
    const client = await RawClient.connect(reader);
    await client.send(requestBytes('GET', `/connect?userid=stuck${i}&videoid=v`));
    await until(() => client.received.includes('\n\n'), 'the stream');
    client.socket.pause();
    stuck.push(client);
  }
  const viewer = await t.watch(reader, { video: 'v' });
  const arrivals = [];
  console.error('L27', Math.round(performance.now()));
  const last = await flood(system);
  console.error('L28', Math.round(performance.now()));
  await viewer.reaches(last.id);
  for (let i = 0; i < 20; i++) {
    const sent = performance.now();
    const { id } = await post(system, 'v', `quick ${i}`);
    await viewer.reaches(id);
    arrivals.push(viewer.events.at(-1).at - sent);
  }
  arrivals.sort((a, b) => a - b);
  if (!slow) assert.ok(arrivals[10] < 300, `a comment took ${arrivals[10]} ms (median)`);
  assert.equal(viewer.gaps.length, 0);
  const viewers = async () => (await statistics(system)).readerApis.totalActiveConnections;
  console.error('L39', Math.round(performance.now()));
  await until(async () => (await viewers()) === 1, 'the stuck viewers to be closed', 15_000);
  for (const client of stuck) {
    console.error('resume', client.finished, client.closed, client.received.length);
    client.socket.resume(); // a socket hears of its end only when it is read
    await client.ends().catch((e) => console.error('NOEND', client.received.length, client.finished, client.closed, client.socket.destroyed, client.socket.readyState));
    client.destroy();
  }
  assert.equal(viewer.ended, false);
});

